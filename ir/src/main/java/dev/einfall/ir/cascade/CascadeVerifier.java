package dev.einfall.ir.cascade;

import dev.einfall.ir.InternalException;
import dev.einfall.ir.Size;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Checks what the constructors of the cascade level cannot see:
///
/// - every tensor is defined once and before it is used; outputs differ and are defined;
/// - every rank is bound once, used where it is in scope, and as large as the dimension that it defines;
/// - a coordinate that stands alone as an index stays within a dimension of known size, unless `or` or a condition guards it;
/// - the mapping speaks of Einsums and ranks that exist ([MappingVerifier]).
///
/// Tensors and ranks are identities, so the sets here hold objects.
public final class CascadeVerifier {
  private final Cascade cascade;
  private final Set<Tensor> defined = new LinkedHashSet<>();
  private final Set<Rank> bound = new LinkedHashSet<>();
  private final Set<Rank> inScope = new LinkedHashSet<>();
  private final Set<Expr> reductions = new LinkedHashSet<>();

  private CascadeVerifier(Cascade cascade) {
    this.cascade = cascade;
  }

  /// @throws InternalException that names the Einsum or the tensor at fault
  public static void verify(Cascade cascade) {
    new CascadeVerifier(cascade).run();
  }

  private void run() {
    cascade.inputs().forEach(tensor -> define(tensor, () -> "inputs"));
    cascade.weights().forEach(weight -> define(weight.tensor(), () -> "weights"));
    Set<Tensor> results = new LinkedHashSet<>();
    for (Definition definition : cascade.definitions()) {
      switch (definition) {
        case Einsum einsum -> {
          check(einsum);
          define(einsum.tensor(), () -> "\n" + CascadePrinter.print(einsum));
        }
        case Recurrence recurrence -> check(recurrence);
      }
      results.addAll(definition.tensors());
    }
    checkOutputs(results);
    new MappingVerifier(cascade).run();
  }

  private void checkOutputs(Set<Tensor> defined) {
    Set<Tensor> tensors = new LinkedHashSet<>();
    Set<String> names = new LinkedHashSet<>();
    for (Cascade.Output output : cascade.outputs()) {
      require(defined.contains(output.tensor()), () -> "output " + output.tensor() + " is not defined", () -> "outputs");
      require(tensors.add(output.tensor()), () -> output.tensor() + " is an output twice", () -> "outputs");
      require(names.add(output.name()), () -> "two outputs are named " + output.name(), () -> "outputs");
    }
  }

  private void define(Tensor tensor, Supplier<String> place) {
    require(defined.add(tensor), () -> tensor + " is defined twice", place);
  }

  private void check(Einsum einsum) {
    Supplier<String> place = () -> "\n" + CascadePrinter.print(einsum);
    for (int i = 0; i < einsum.ranks().size(); i++) {
      int dimension = i;
      Rank rank = einsum.ranks().get(i);
      Size size = einsum.tensor().shape().get(i);
      require(rank.size().equals(size), () -> "rank " + rank + " defines dimension " + dimension + " of size " + size, place);
      bind(rank, place);
    }
    check(einsum.value(), place, false);
    einsum.ranks().forEach(inScope::remove);
  }

  private void check(Recurrence recurrence) {
    Supplier<String> place = () -> "\n" + CascadePrinter.print(recurrence);
    recurrence.states().stream().flatMap(state -> state.base().stream()).forEach(base ->
        require(defined.contains(base), () -> base + " is used before it is defined", place));
    recurrence.states().forEach(state -> define(state.tensor(), place));
    recurrence.steps().forEach(rank -> bind(rank, place));
    recurrence.condition().ifPresent(condition -> check(condition, place, false));
    for (Recurrence.Update update : recurrence.updates()) {
      require(recurrence.tensors().contains(update.tensor()), () -> update.tensor() + " is no state of the recurrence", place);
      require(update.combination().isEmpty() || !update.inner().isEmpty(), () -> "no rank to combine over in an update", place);
      update.ranks().forEach(rank -> bind(rank, place));
      boolean guarded = update.where().isPresent();
      update.where().ifPresent(where -> check(where, place, false));
      checkElement(update.tensor(), update.indices(), place, guarded);
      update.indices().forEach(index -> check(index, place, guarded));
      check(update.value(), place, guarded);
      update.ranks().forEach(inScope::remove);
    }
    recurrence.steps().forEach(inScope::remove);
  }

  private void check(Expr expr, Supplier<String> place, boolean guarded) {
    switch (expr) {
      case Expr.Coordinate(Rank rank) -> require(inScope.contains(rank), () -> "rank " + rank + " is not in scope", place);
      case Expr.Access access -> checkAccess(access, place, guarded);
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) -> {
        check(condition, place, guarded);
        check(whenTrue, place, true);
        check(whenFalse, place, true);
      }
      case Expr.Reduce _, Expr.Fold _ -> {
        // The same reduction may stand in several places of a value: it is computed once.
        boolean seen = !reductions.add(expr.computation());
        expr.bound().forEach(rank -> {
          require(seen || !bound.contains(rank), () -> "rank " + rank + " is bound twice", place);
          bound.add(rank);
          inScope.add(rank);
        });
        expr.children().forEach(body -> check(body, place, guarded));
        expr.bound().forEach(inScope::remove);
        if (expr instanceof Expr.Fold(Combiner combiner, _, _, _)) {
          check(combiner, place);
        }
      }
      case Expr.Ref(Var var) -> require(false, () -> "operand " + var + " outside of a combiner", place);
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Extent _, Expr.Unary _, Expr.Binary _, Expr.Cast _, Expr.Bitcast _ ->
          expr.children().forEach(child -> check(child, place, guarded));
    }
  }

  private void checkAccess(Expr.Access access, Supplier<String> place, boolean guarded) {
    require(defined.contains(access.tensor()), () -> access.tensor() + " is used before it is defined", place);
    checkElement(access.tensor(), access.indices(), place, guarded || access.outside().isPresent());
    access.children().forEach(child -> check(child, place, guarded));
  }

  private void checkElement(Tensor tensor, List<Expr> indices, Supplier<String> place, boolean guarded) {
    for (int i = 0; i < indices.size() && !guarded; i++) {
      if (indices.get(i) instanceof Expr.Coordinate(Rank rank)) {
        int dimension = i;
        Size extent = tensor.shape().get(i);
        require(fits(rank.size(), extent), () -> "rank " + rank + " indexes dimension " + dimension + " of " + tensor, place);
      }
    }
  }

  /// A combiner is made of its operands and numbers.
  private void check(Combiner combiner, Supplier<String> place) {
    Set<Var> operands = new LinkedHashSet<>(combiner.operands());
    require(operands.size() == 2 * combiner.left().size(), () -> "an operand of " + combiner.name() + " stands twice", place);
    combiner.combined().forEach(value -> value.nodes().forEach(node -> {
      boolean fits = switch (node) {
        case Expr.Ref(Var var) -> operands.contains(var);
        case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Unary _, Expr.Binary _, Expr.Select _, Expr.Cast _, Expr.Bitcast _ -> true;
        case Expr.Coordinate _, Expr.Extent _, Expr.Access _, Expr.Reduce _, Expr.Fold _ -> false;
      };
      require(fits, () -> combiner.name() + " is not made of its operands", place);
    }));
    combiner.identity().forEach(value -> require(value instanceof Expr.FloatLiteral || value instanceof Expr.IntLiteral,
        () -> "the identity of " + combiner.name() + " is no number", place));
  }

  /// False only if both are known: symbolic sizes are the reader's concern.
  private static boolean fits(Size size, Size extent) {
    Optional<Long> difference = size.minus(extent).constant();
    return difference.isEmpty() || difference.get() <= 0;
  }

  private void bind(Rank rank, Supplier<String> place) {
    require(bound.add(rank), () -> "rank " + rank + " is bound twice", place);
    inScope.add(rank);
  }

  private void require(boolean holds, Supplier<String> problem, Supplier<String> place) {
    if (!holds) {
      throw new InternalException("cascade " + cascade.name() + ": " + problem.get() + ", in " + place.get());
    }
  }
}
