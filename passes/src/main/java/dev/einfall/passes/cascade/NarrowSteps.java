package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// Rounds the factors of the products in the steps of a recurrence, as [NarrowProducts] does those of others. A factor that the steps make has both
/// forms: the narrow one is another state, which each step writes after it.
///
/// ```
/// update .. E: f32[P, 64] from 0.0 for t in 0..T {              update .. E_bf16: bf16[P, 64] from 0.0 for t in 0..T {
///   E[p, m] = exp(S[p, m])                                        E[p, m] = exp(S[p, m])
///   N[p, f] = N[p, f] + sum[m](E[p, m] * V[t * 64 + m, f])  =>    E_bf16[p, m] = bf16(E[p, m])
/// }                                                               N[p, f] = N[p, f] + sum[m](f32(E_bf16[p, m]) * f32(V_bf16[t * 64 + m, f]))
/// ```
final class NarrowSteps {
  /// Sums of fewer products, and factors that are used less, stay as they are: an instruction that multiplies tiles would have little to do.
  private static final int LEAST = 16;

  private final Recurrence recurrence;
  private final ElementType type;
  private final Set<Expr.Reduce> products = new HashSet<>();
  /// The states that are factors, with the updates that write them.
  private final Map<Tensor, Recurrence.Update> made = new IdentityHashMap<>();
  /// The other factors.
  private final Set<Tensor> outside = Exprs.identitySet();

  NarrowSteps(Recurrence recurrence, ElementType type) {
    this.recurrence = recurrence;
    this.type = type;
    recurrence.updates().forEach(update -> update.exprs().flatMap(Exprs::reductions).filter(sum -> isWorthIt(sum, update)).forEach(this::add));
  }

  private void add(Expr.Reduce product) {
    products.add(product);
    Exprs.accesses(product.body()).map(Expr.Access::tensor).forEach(tensor ->
        writer(tensor).ifPresentOrElse(update -> made.put(tensor, update), () -> outside.add(tensor)));
  }

  private boolean isWorthIt(Expr.Reduce sum, Recurrence.Update update) {
    return sum.reduction() == Reduction.SUM && sum.type() == ElementType.F32 && Exprs.volume(sum.ranks()) >= LEAST
        && sum.body() instanceof Expr.Binary(BinaryOp op, Expr.Access left, Expr.Access right) && op == BinaryOp.MUL
        && left.tensor() != right.tensor() && isFactor(left, update) && isFactor(right, update);
  }

  private boolean isFactor(Expr.Access access, Recurrence.Update update) {
    boolean isState = recurrence.tensors().contains(access.tensor());
    Set<Rank> own = Exprs.freeRanks(access);
    long uses = Exprs.volume(update.ranks().stream().filter(rank -> !own.contains(rank)).toList());
    return access.outside().stream().allMatch(NarrowSteps::isZero) && access.tensor().type() == ElementType.F32 && uses >= LEAST
        && (isState ? writer(access.tensor()).isPresent() : isReadOnce(access));
  }

  /// Whether no element is read at two places of the product in all steps.
  private boolean isReadOnce(Expr.Access access) {
    return access.indices().stream().allMatch(index -> switch (index) {
      case Expr.Coordinate _ -> true;
      case Expr.Binary(BinaryOp op, Expr.Binary(BinaryOp times, Expr.Coordinate(Rank step), Expr.IntLiteral(_, long size)), Expr.Coordinate(Rank inner)) ->
          op == BinaryOp.ADD && times == BinaryOp.MUL && recurrence.steps().contains(step) && inner.size().value() <= size;
      default -> false;
    });
  }

  /// The update that alone writes the state `tensor`, each element by itself, if it is one and starts as a number.
  private Optional<Recurrence.Update> writer(Tensor tensor) {
    boolean isFilled = recurrence.states().stream().anyMatch(state -> state.tensor() == tensor && state.start() instanceof Recurrence.Start.Fill(Expr value) && isZero(value));
    List<Recurrence.Update> writers = recurrence.updates().stream().filter(update -> update.tensor() == tensor).toList();
    return isFilled && writers.size() == 1 && writers.getFirst().isIndependent()
        ? Optional.of(writers.getFirst()) : Optional.empty();
  }

  private static boolean isZero(Expr expr) {
    return expr instanceof Expr.FloatLiteral literal && literal.value() == 0;
  }

  /// The factors that the steps do not make.
  Set<Tensor> outside() {
    return outside;
  }

  /// The recurrence with its factors rounded.
  ///
  /// @param copy the narrow form of a factor that the steps do not make
  Recurrence narrowed(Function<Tensor, Tensor> copy) {
    Map<Tensor, Tensor> narrow = new IdentityHashMap<>();
    outside.forEach(tensor -> narrow.put(tensor, copy.apply(tensor)));
    List<Recurrence.State> states = new ArrayList<>(recurrence.states());
    for (Recurrence.State state : recurrence.states()) {
      Tensor tensor = state.tensor();
      if (made.containsKey(tensor)) {
        narrow.put(tensor, new Tensor(tensor.name() + "_" + type, type, tensor.shape(), tensor.span()));
        states.add(new Recurrence.State(narrow.get(tensor), new Recurrence.Start.Fill(Expr.literal(type, 0))));
      }
    }
    List<Recurrence.Update> updates = new ArrayList<>();
    for (Recurrence.Update update : recurrence.updates()) {
      updates.add(update.mapExprs(expr -> Exprs.rewrite(expr, node -> node instanceof Expr.Reduce sum && products.contains(sum) ? narrowed(sum, narrow) : node)));
      if (made.get(update.tensor()) == update) {
        updates.add(rounded(update, narrow.get(update.tensor())));
      }
    }
    return new Recurrence(recurrence.steps(), states, updates, recurrence.condition(), recurrence.span());
  }

  private Expr narrowed(Expr.Reduce sum, Map<Tensor, Tensor> narrow) {
    return sum.mapChildren(body -> body.mapChildren(factor -> new Expr.Cast(ElementType.F32, narrowed((Expr.Access) factor, narrow))));
  }

  private Expr narrowed(Expr.Access access, Map<Tensor, Tensor> narrow) {
    return new Expr.Access(narrow.get(access.tensor()), access.indices(), access.outside().map(_ -> Expr.literal(type, 0)));
  }

  /// What writes the narrow form of what `update` has written.
  private Recurrence.Update rounded(Recurrence.Update update, Tensor narrow) {
    List<Rank> ranks = update.ranks().stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    Map<Rank, Expr> places = new HashMap<>();
    for (int i = 0; i < ranks.size(); i++) {
      places.put(update.ranks().get(i), new Expr.Coordinate(ranks.get(i)));
    }
    List<Expr> indices = update.indices().stream().map(index -> Exprs.substitute(index, places)).toList();
    return new Recurrence.Update(narrow, ranks, indices, Optional.empty(), new Expr.Cast(type, new Expr.Access(update.tensor(), indices)),
        update.where().map(where -> Exprs.substitute(where, places)), update.span());
  }
}
