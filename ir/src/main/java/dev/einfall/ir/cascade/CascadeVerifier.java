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
/// - every tensor is defined once and before it is used; outputs differ and are defined by an Einsum;
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
  private final Set<Expr.Reduce> reductions = new LinkedHashSet<>();

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
    Map<Tensor, Einsum> einsums = new LinkedHashMap<>();
    for (Einsum einsum : cascade.einsums()) {
      check(einsum);
      define(einsum.tensor(), () -> "\n" + CascadePrinter.print(einsum));
      einsums.put(einsum.tensor(), einsum);
    }
    checkOutputs(einsums);
    new MappingVerifier(cascade, einsums).run();
  }

  private void checkOutputs(Map<Tensor, Einsum> einsums) {
    Set<Tensor> tensors = new LinkedHashSet<>();
    Set<String> names = new LinkedHashSet<>();
    for (Cascade.Output output : cascade.outputs()) {
      require(einsums.containsKey(output.tensor()), () -> "output " + output.tensor() + " is not defined by an Einsum", () -> "outputs");
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

  private void check(Expr expr, Supplier<String> place, boolean guarded) {
    switch (expr) {
      case Expr.Coordinate(Rank rank) -> require(inScope.contains(rank), () -> "rank " + rank + " is not in scope", place);
      case Expr.Access access -> checkAccess(access, place, guarded);
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) -> {
        check(condition, place, guarded);
        check(whenTrue, place, true);
        check(whenFalse, place, true);
      }
      case Expr.Reduce reduce -> {
        // The same reduction may stand in several places of a value: it is computed once.
        boolean seen = reductions.contains(reduce);
        reductions.add(reduce);
        reduce.ranks().forEach(rank -> {
          require(seen || !bound.contains(rank), () -> "rank " + rank + " is bound twice", place);
          bound.add(rank);
          inScope.add(rank);
        });
        check(reduce.body(), place, guarded);
        reduce.ranks().forEach(inScope::remove);
      }
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Extent _, Expr.Unary _, Expr.Binary _, Expr.Cast _ ->
          expr.children().forEach(child -> check(child, place, guarded));
    }
  }

  private void checkAccess(Expr.Access access, Supplier<String> place, boolean guarded) {
    require(defined.contains(access.tensor()), () -> access.tensor() + " is used before it is defined", place);
    for (int i = 0; i < access.indices().size() && !guarded && access.outside().isEmpty(); i++) {
      if (access.indices().get(i) instanceof Expr.Coordinate(Rank rank)) {
        int dimension = i;
        Size extent = access.tensor().shape().get(i);
        require(fits(rank.size(), extent), () -> "rank " + rank + " indexes dimension " + dimension + " of " + access.tensor(), place);
      }
    }
    access.children().forEach(child -> check(child, place, guarded));
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
