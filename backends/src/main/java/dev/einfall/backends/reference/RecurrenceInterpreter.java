package dev.einfall.backends.reference;

import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Runs one recurrence: step by step, update by update, point by point.
final class RecurrenceInterpreter {
  private final Recurrence recurrence;
  private final Map<Tensor, Array> arrays;
  private final CascadeInterpreter.Sizes sizes;
  private final ExprCompiler compiler;

  /// @param arrays gains the arrays of the states
  RecurrenceInterpreter(Recurrence recurrence, Map<Tensor, Array> arrays, CascadeInterpreter.Sizes sizes) {
    this.recurrence = recurrence;
    this.arrays = arrays;
    this.sizes = sizes;
    this.compiler = new ExprCompiler(arrays, sizes, recurrence.tensors());
  }

  /// An update at all its points.
  private interface Action {
    void run(Frame frame);
  }

  void run() {
    recurrence.states().forEach(state -> arrays.put(state.tensor(), start(state)));
    Points steps = compiler.bind(recurrence.steps());
    Value condition = recurrence.condition().map(compiler::compile).orElse((Value.OfInteger) (_, _) -> 1);
    List<Action> updates = recurrence.updates().stream().map(this::update).toList();
    List<Action> repeats = recurrence.condition().isEmpty() ? List.of()
        : recurrence.updates().stream().map(this::repeat).toList();
    Frame frame = compiler.frame();
    boolean running = true;
    for (boolean more = steps.first(frame); more; more = steps.next(frame)) {
      running = running && condition.integer(frame, 0) != 0;
      (running ? updates : repeats).forEach(action -> action.run(frame));
    }
  }

  private Array start(Recurrence.State state) {
    return switch (state.start()) {
      case Recurrence.Start.Copy(Tensor base) -> arrays.get(base).copy();
      case Recurrence.Start.Fill(Expr value) -> {
        Array filled = new Array(state.tensor().type(), sizes.of(state.tensor().shape()));
        Value number = compiler.compile(value);
        Frame frame = compiler.frame();
        if (filled.type().isFloat()) {
          Arrays.fill(filled.numbers(), number.number(frame, 0));
        } else {
          Arrays.fill(filled.integers(), number.integer(frame, 0));
        }
        yield filled;
      }
    };
  }

  private Action update(Recurrence.Update update) {
    Points points = compiler.bind(update.ranks());
    Value where = where(update);
    Value value = compiler.compile(update.value());
    ExprCompiler.Place place = compiler.place(update.tensor(), update.indices(), false);
    Array array = arrays.get(update.tensor());
    Value result = update.combination().isEmpty() ? value : switch (update.combination().get()) {
      case Reduction reduction -> Values.binary(reduction.combine(), array.type(), element(array, place), value);
      case Combiner combiner -> compiler.combine(combiner, element(array, place), value);
    };
    compiler.release(update.ranks());
    return frame -> {
      for (boolean more = points.first(frame); more; more = points.next(frame)) {
        if (where.integer(frame, 0) != 0) {
          store(array, place.of(frame), result, frame);
        }
      }
    };
  }

  /// Writes the elements of the step before where `update` would write.
  private Action repeat(Recurrence.Update update) {
    Rank step = recurrence.steps().getFirst();
    Points points = compiler.bind(update.ranks());
    Value where = where(update);
    List<Expr> before = update.indicesBefore(step);
    ExprCompiler.Place from = compiler.place(update.tensor(), before, true);
    ExprCompiler.Place to = compiler.place(update.tensor(), update.indices(), false);
    Array array = arrays.get(update.tensor());
    Value old = element(array, from);
    compiler.release(update.ranks());
    return frame -> {
      for (boolean more = points.first(frame); more; more = points.next(frame)) {
        if (where.integer(frame, 0) != 0 && from.of(frame) >= 0) {
          store(array, to.of(frame), old, frame);
        }
      }
    };
  }

  private Value where(Recurrence.Update update) {
    return update.where().map(compiler::compile).orElse((Value.OfInteger) (_, _) -> 1);
  }

  private static Value element(Array array, ExprCompiler.Place place) {
    return array.type().isFloat() ? (Value.OfNumber) (frame, _) -> array.numbers()[place.of(frame)]
        : (Value.OfInteger) (frame, _) -> array.integers()[place.of(frame)];
  }

  private static void store(Array array, int at, Value value, Frame frame) {
    if (array.type().isFloat()) {
      array.numbers()[at] = value.number(frame, 0);
    } else {
      array.integers()[at] = value.integer(frame, 0);
    }
  }
}
