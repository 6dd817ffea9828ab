package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// Computes elementwise tensors where they are used instead of storing them: views always, arithmetic where doing it
/// again costs less than the memory traffic.
///
/// ```
/// C[t, d] = X[t, d] + P[t, d]
/// Y[t, d] = max(C[t, d], 0.0)     =>     Y[t, d] = max(X[t, d] + P[t, d], 0.0)
/// ```
///
/// An Einsum is inlined if it has no reduction, no index of it depends on data, and it is a view (an access and nothing
/// else), or its one user evaluates it no more often than it has elements, or computing it for every use costs no more
/// operations and loads than computing it once, storing it, and loading it for every use. Outputs and what a mapping speaks
/// of stay, and so do arithmetic that is read with `or`, what a recurrence reads, and what would become too long: indices of
/// views of views compose ([IndexForm]), and views that undo each other vanish, but some grow with every step.
public record InlineProducers() implements Pass.OnCascade {
  /// The most nodes of an expression that takes the place of an access.
  private static final int MOST_NODES = 200;

  @Override
  public String name() {
    return "inline-producers";
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    // Views first: a view of a computed tensor must not keep that from being the epilogue of its own reduction.
    return inlined(inlined(cascade, true), false);
  }

  private static Cascade inlined(Cascade cascade, boolean views) {
    Cascade current = cascade;
    Map<Tensor, Einsum> definitions = Exprs.definitions(current.einsums());
    for (Einsum einsum : cascade.einsums()) {
      Einsum producer = definitions.get(einsum.tensor());
      boolean isView = isView(producer.value());
      if (isView || !views && !Exprs.hasReduction(producer.value())) {
        List<Einsum> users = current.einsums().stream().filter(user -> Exprs.reads(user.value(), producer.tensor())).toList();
        if ((isView || isWorthwhile(producer, users)) && isFree(producer.tensor(), users, current) && staysShort(producer, users)) {
          current = inline(producer, current);
          definitions = Exprs.definitions(current.einsums());
        }
      }
    }
    return current;
  }

  /// Whether nothing needs `tensor` itself.
  private static boolean isFree(Tensor tensor, List<Einsum> users, Cascade cascade) {
    return cascade.outputs().stream().noneMatch(output -> output.tensor() == tensor)
        && !cascade.mapping().speaksOf(tensor)
        && !isGathered(tensor, users)
        && !Exprs.isReadInOrder(tensor, cascade);
  }

  private static boolean staysShort(Einsum producer, List<Einsum> users) {
    return users.stream().flatMap(user -> Exprs.accesses(user.value()))
        .filter(access -> access.tensor() == producer.tensor())
        .allMatch(access -> inline(access, producer).nodes().limit(MOST_NODES + 1).count() <= MOST_NODES);
  }

  /// Whether some index of `tensor` depends on data: it must be checked against the tensor's own bounds.
  private static boolean isGathered(Tensor tensor, List<Einsum> users) {
    return users.stream().flatMap(user -> Exprs.accesses(user.value()))
        .filter(access -> access.tensor() == tensor)
        .anyMatch(access -> access.indices().stream().anyMatch(index -> Exprs.accesses(index).findAny().isPresent()));
  }

  /// @param producer has no reduction
  private static boolean isWorthwhile(Einsum producer, List<Einsum> users) {
    List<Use> uses = users.stream().flatMap(user -> uses(user, producer.tensor()).stream()).toList();
    if (uses.stream().anyMatch(use -> use.access().outside().isPresent())) {
      return false;
    }
    long elements = Math.max(1, Exprs.volume(producer.ranks()));
    long evaluations = uses.stream().mapToLong(Use::evaluations).sum();
    long once = Exprs.operations(producer.value()) + Exprs.accesses(producer.value()).distinct().count();
    return users.size() == 1 && evaluations <= elements
        || once * evaluations <= (once + 1) * elements + evaluations;
  }

  /// An access with constant or affine indices only: nothing to compute, wherever it stands.
  private static boolean isView(Expr value) {
    return value instanceof Expr.Access access && access.outside().isEmpty()
        && access.indices().stream().allMatch(index -> Exprs.accesses(index).findAny().isEmpty());
  }

  /// An access to a producer, and how often it is evaluated.
  private record Use(Expr.Access access, long evaluations) {}

  private static List<Use> uses(Einsum consumer, Tensor tensor) {
    List<Use> uses = new ArrayList<>();
    collect(consumer.value(), tensor, Exprs.volume(consumer.ranks()), uses);
    return uses;
  }

  private static void collect(Expr expr, Tensor tensor, long evaluations, List<Use> uses) {
    long inside = evaluations * Exprs.volume(expr.bound());
    if (expr instanceof Expr.Access access && access.tensor() == tensor && uses.stream().noneMatch(u -> u.access.equals(access))) {
      uses.add(new Use(access, evaluations));
    }
    expr.children().forEach(child -> collect(child, tensor, inside, uses));
  }

  private static Cascade inline(Einsum producer, Cascade cascade) {
    return cascade.withDefinitions(cascade.definitions().stream()
        .filter(definition -> definition != producer)
        .map(definition -> definition.mapExprs(expr -> Exprs.rewrite(expr, node -> inline(node, producer))))
        .toList());
  }

  private static Expr inline(Expr node, Einsum producer) {
    if (!(node instanceof Expr.Access access) || access.tensor() != producer.tensor()) {
      return node;
    }
    Map<Rank, Expr> values = new IdentityHashMap<>();
    for (int i = 0; i < producer.ranks().size(); i++) {
      values.put(producer.ranks().get(i), access.indices().get(i));
    }
    Expr value = IndexForm.withSimpleIndices(Exprs.substitute(producer.value(), values));
    return access.outside().isEmpty() ? value : guarded(access, value);
  }

  /// `value`, or what the access gives outside of the producer's bounds.
  private static Expr guarded(Expr.Access access, Expr value) {
    Expr condition = new Expr.IntLiteral(dev.einfall.ir.ElementType.BOOL, 1);
    for (int i = 0; i < access.indices().size(); i++) {
      condition = new Expr.Binary(dev.einfall.ir.BinaryOp.AND, condition,
          inside(access.indices().get(i), new Expr.Extent(access.tensor().shape().get(i))));
    }
    return new Expr.Select(condition, value, access.outside().orElseThrow());
  }

  private static Expr inside(Expr index, Expr extent) {
    Expr wide = index.type() == extent.type() ? extent : new Expr.Cast(index.type(), extent);
    return new Expr.Binary(dev.einfall.ir.BinaryOp.AND,
        new Expr.Binary(dev.einfall.ir.BinaryOp.GE, index, Expr.literal(index.type(), 0)),
        new Expr.Binary(dev.einfall.ir.BinaryOp.LT, index, wide));
  }
}
