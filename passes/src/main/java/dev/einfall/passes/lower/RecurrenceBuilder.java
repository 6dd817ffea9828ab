package dev.einfall.passes.lower;

import static dev.einfall.ir.ElementType.BOOL;

import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Builds the kernel of a recurrence: serial loops over the steps around the loops of each update, and around both a
/// parallel loop over what the steps do not connect ([BatchRanks]).
final class RecurrenceBuilder {
  private final Recurrence recurrence;
  private final Optional<BatchRanks> batch;
  private final Map<Tensor, Buffer> parameters = new LinkedHashMap<>();
  private final Map<Rank, Var> counters = new IdentityHashMap<>();
  private final Set<String> names = new HashSet<>();
  private final Buffer running = new Buffer("running", BOOL, List.of(), Buffer.Space.LOCAL);

  RecurrenceBuilder(Recurrence recurrence) {
    this.recurrence = recurrence;
    this.batch = BatchRanks.of(recurrence);
  }

  KernelBuilder.Result build() {
    batch.ifPresent(ranks -> {
      Var counter = counter(ranks.ranks().getFirst());
      ranks.ranks().forEach(rank -> counters.put(rank, counter));
    });
    recurrence.steps().forEach(step -> counters.put(step, counter(step)));
    Stmt body = recurrence.condition().map(this::whileTrue).orElseGet(() -> updates(update -> builder(update).statement(update)));
    for (Rank step : recurrence.steps().reversed()) {
      body = loop(step, body);
    }
    if (recurrence.condition().isPresent()) {
      body = new Stmt.Alloc(running, Stmt.block(new Stmt.Store(running, List.of(), new Expr.IntLiteral(BOOL, 1)), body));
    }
    if (batch.isPresent()) {
      body = loop(batch.get().ranks().getFirst(), body);
    }
    Tensor last = recurrence.tensors().getLast();
    List<Tensor> tensors = ordered();
    Kernel kernel = new Kernel(last.name(), tensors.stream().map(parameters::get).toList(), body, recurrence.span());
    return new KernelBuilder.Result(kernel, tensors, schedule());
  }

  private Schedule schedule() {
    List<Mapping.Bound> bindings = batch.stream()
        .map(ranks -> new Mapping.Bound(counters.get(ranks.ranks().getFirst()).name(), Mapping.Binding.PARALLEL)).toList();
    return new Schedule(List.of(), List.of(), bindings, List.of());
  }

  private Stmt whileTrue(dev.einfall.ir.cascade.Expr condition) {
    Expr runs = new Expr.Load(running, List.of());
    Stmt check = new ValueBuilder(recurrence.span(), reductionCounters(condition), this::access)
        .condition(condition, new ValueBuilder.Place(running, List.of()));
    Rank step = recurrence.steps().getFirst();
    return Stmt.block(
        new Stmt.If(runs, check, Stmt.NOTHING),
        new Stmt.If(runs, updates(update -> builder(update).statement(update)),
            updates(update -> builder(update).repeat(update, update.indicesBefore(step)))));
  }

  private interface Point {
    Stmt of(Recurrence.Update update);
  }

  /// The updates one after the other, each with its loops around `point`.
  private Stmt updates(Point point) {
    List<Stmt> statements = new ArrayList<>();
    for (Recurrence.Update update : recurrence.updates()) {
      List<Rank> own = update.ranks().stream().filter(rank -> !isBatch(rank)).toList();
      own.forEach(rank -> counters.put(rank, counter(rank)));
      Stmt body = point.of(update);
      for (Rank rank : own.reversed()) {
        body = loop(rank, body);
      }
      statements.add(body);
    }
    return Stmt.block(statements);
  }

  private boolean isBatch(Rank rank) {
    return batch.isPresent() && batch.get().ranks().contains(rank);
  }

  private ValueBuilder builder(Recurrence.Update update) {
    Map<Rank, Var> visible = new LinkedHashMap<>();
    update.exprs().forEach(expr -> visible.putAll(reductionCounters(expr)));
    update.ranks().forEach(rank -> visible.put(rank, counters.get(rank)));
    return new ValueBuilder(update.span(), visible, this::access);
  }

  /// The counters of the steps, of the batch, and of the reductions in `expr`.
  private Map<Rank, Var> reductionCounters(dev.einfall.ir.cascade.Expr expr) {
    Map<Rank, Var> visible = new LinkedHashMap<>();
    recurrence.steps().forEach(step -> visible.put(step, counters.get(step)));
    expr.nodes().flatMap(node -> node.bound().stream())
        .forEach(rank -> visible.computeIfAbsent(rank, this::counter));
    return visible;
  }

  private Var counter(Rank rank) {
    String candidate = rank.name();
    for (char letter = 'a'; !names.add(candidate); letter++) {
      candidate = rank.name() + letter;
    }
    return Var.counter(candidate);
  }

  private Stmt loop(Rank rank, Stmt body) {
    return new Stmt.For(counters.get(rank), Expr.index(rank.size().value()), Stmt.For.Kind.SERIAL, body, recurrence.span());
  }

  private ValueBuilder.Place access(Tensor tensor, List<Expr> indices) {
    Buffer buffer = parameters.computeIfAbsent(tensor, _ -> new Buffer(
        tensor.name(), tensor.type(), tensor.shape().stream().map(size -> size.value()).toList(), Buffer.Space.GLOBAL));
    return new ValueBuilder.Place(buffer, indices);
  }

  /// The tensors of the parameters: those that are read, then the states.
  private List<Tensor> ordered() {
    List<Tensor> tensors = new ArrayList<>(parameters.keySet());
    List<Tensor> states = recurrence.tensors().stream().filter(parameters::containsKey).toList();
    tensors.removeAll(states);
    tensors.addAll(states);
    return tensors;
  }
}
