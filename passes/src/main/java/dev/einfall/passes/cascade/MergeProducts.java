package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// Computes reductions that differ only in their weights as one, over the weights side by side (horizontal fusion).
///
/// ```
/// Q[t, n] = sum[k](X[t, k] * WQ[k, n])        WQ_merged[k, n in 0..6] = where(n < 3, WQ[k, n] or 0.0, WK[k, n - 3] or 0.0)
/// K[t, n] = sum[k](X[t, k] * WK[k, n])   =>   Q_K[t, n] = sum[k](X[t, k] * WQ_merged[k, n])
/// S[t, u] = sum[n](Q[t, n] * K[u, n])         S[t, u] = sum[n in 0..3](Q_K[t, n] * Q_K[u, n + 3])
/// ```
///
/// The Einsums must be equal but for weights, or what depends on weights alone, and an output rank must occur in all of these, alone
/// in an index, and nowhere else; outputs, tensors that are read with `or`, and those that a recurrence starts with, stay. So do weights that are looked up in
/// different tables, as codes of learned values are: a product can decode those of one. The weights side by side are a constant, computed once.
public record MergeProducts() implements Pass.OnCascade {

  @Override
  public String name() {
    return "merge-products";
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Set<Tensor> weights = Constants.of(cascade);
    Set<Tensor> outputs = Exprs.identitySet();
    cascade.outputs().forEach(output -> outputs.add(output.tensor()));
    Map<Object, List<Member>> families = new LinkedHashMap<>();
    for (Einsum einsum : cascade.einsums()) {
      if (Exprs.hasReduction(einsum.value()) && !outputs.contains(einsum.tensor()) && !isReadOutside(einsum, cascade)
          && !isBase(einsum.tensor(), cascade) && !weights.contains(einsum.tensor()) && !cascade.mapping().speaksOf(einsum.tensor())) {
        Member.of(einsum, weights, cascade).ifPresent(
            member -> families.computeIfAbsent(member.skeleton(), _ -> new ArrayList<>()).add(member));
      }
    }
    families.values().removeIf(family -> family.size() < 2);
    Cascade merged = families.isEmpty() ? cascade : constantsFirst(cascade, weights);
    boolean isDone = true;
    for (List<Member> family : families.values()) {
      // What reads products that are merged by now is another Einsum, and its family is found again.
      boolean isThere = merged.definitions().containsAll(family.stream().map(Member::einsum).toList());
      merged = isThere ? new Merge(family).apply(merged) : merged;
      isDone &= isThere;
    }
    return isDone ? merged : apply(merged, remarks);
  }

  /// `cascade` with what depends on weights alone before all else, so that a merged product may stand where the first one stood.
  private static Cascade constantsFirst(Cascade cascade, Set<Tensor> constant) {
    List<Definition> ordered = new ArrayList<>();
    for (boolean first : List.of(true, false)) {
      cascade.definitions().stream()
          .filter(definition -> definition.tensors().stream().allMatch(constant::contains) == first).forEach(ordered::add);
    }
    return cascade.withDefinitions(ordered);
  }

  /// Whether a recurrence starts with `tensor`, in its own shape.
  private static boolean isBase(Tensor tensor, Cascade cascade) {
    return cascade.definitions().stream().anyMatch(definition -> definition instanceof Recurrence recurrence
        && recurrence.states().stream().anyMatch(state -> state.base().filter(base -> base == tensor).isPresent()));
  }

  /// Whether an access relies on what lies outside of the tensor's bounds, where a merged one has a neighbour.
  private static boolean isReadOutside(Einsum einsum, Cascade cascade) {
    return cascade.definitions().stream().flatMap(Definition::exprs).flatMap(Exprs::accesses)
        .anyMatch(access -> access.tensor() == einsum.tensor() && access.outside().isPresent());
  }

  /// An Einsum, the position of the rank along which it can be merged, and its form without weights and that rank.
  private record Member(Einsum einsum, int position, Object skeleton) {

    static Optional<Member> of(Einsum einsum, Set<Tensor> weights, Cascade cascade) {
      for (int i = einsum.ranks().size() - 1; i >= 0; i--) {
        Rank rank = einsum.ranks().get(i);
        if (isMergeable(einsum.value(), rank, weights)) {
          Set<Tensor> tables = new LinkedHashSet<>();
          addTables(einsum.value(), weights, Exprs.definitions(cascade.einsums()), tables);
          return Optional.of(new Member(einsum, i, List.of(tables, skeleton(einsum, i))));
        }
      }
      return Optional.empty();
    }

    /// Adds the constants of which `expr`, or what it reads, has elements at places that other constants say.
    private static void addTables(Expr expr, Set<Tensor> weights, Map<Tensor, Einsum> definitions, Set<Tensor> tables) {
      Exprs.accesses(expr).filter(access -> weights.contains(access.tensor())).forEach(access -> {
        if (access.indices().stream().anyMatch(index -> Exprs.accesses(index).findAny().isPresent())) {
          tables.add(access.tensor());
        } else if (definitions.containsKey(access.tensor())) {
          addTables(definitions.get(access.tensor()).value(), weights, definitions, tables);
        }
      });
    }

    Rank rank() {
      return einsum.ranks().get(position);
    }

    /// Whether `rank` occurs, and only alone in one index of accesses to weights.
    private static boolean isMergeable(Expr expr, Rank rank, Set<Tensor> weights) {
      boolean occurs = Exprs.accesses(expr).anyMatch(access -> isAlong(access, rank));
      return occurs && !occursOtherwise(expr, rank, weights);
    }

    private static boolean occursOtherwise(Expr expr, Rank rank, Set<Tensor> weights) {
      return switch (expr) {
        case Expr.Coordinate(Rank other) -> other == rank;
        case Expr.Access access when isAlong(access, rank) -> !weights.contains(access.tensor());
        default -> expr.children().anyMatch(child -> occursOtherwise(child, rank, weights));
      };
    }

    /// Whether `rank` is all of one index, spans that dimension, and is in no other index.
    private static boolean isAlong(Expr.Access access, Rank rank) {
      int bare = bareIndex(access, rank);
      return bare >= 0 && access.outside().isEmpty() && access.tensor().shape().get(bare).equals(rank.size())
          && access.indices().stream().filter(index -> Exprs.freeRanks(index).contains(rank)).count() == 1;
    }

    static int bareIndex(Expr.Access access, Rank rank) {
      for (int i = 0; i < access.indices().size(); i++) {
        if (access.indices().get(i) instanceof Expr.Coordinate(Rank other) && other == rank) {
          return i;
        }
      }
      return -1;
    }

    /// The Einsum as a value that equal ones share: accesses along the rank are their types and other sizes.
    private static Object skeleton(Einsum einsum, int position) {
      Rank along = einsum.ranks().get(position);
      List<Size> sizes = new ArrayList<>(einsum.tensor().shape());
      sizes.remove(position);
      ExprForm form = new ExprForm(einsum.ranks(),
          access -> isAlong(access, along) ? List.of(access.tensor().type(), otherSizes(access, along)) : access.tensor());
      return List.of(einsum.tensor().type(), position, sizes, form.of(einsum.value()));
    }

    private static List<Size> otherSizes(Expr.Access access, Rank along) {
      List<Size> sizes = new ArrayList<>(access.tensor().shape());
      sizes.remove(bareIndex(access, along));
      return sizes;
    }
  }

  /// One family on its way into one Einsum.
  private static final class Merge {
    private final List<Member> family;
    private final Size total;
    private final List<Einsum> constants = new ArrayList<>();
    private final Map<List<Tensor>, Tensor> merged = new LinkedHashMap<>();

    Merge(List<Member> family) {
      this.family = family;
      this.total = family.stream().map(member -> member.rank().size()).reduce(Size.of(0), Size::plus);
    }

    Cascade apply(Cascade cascade) {
      Einsum einsum = mergedEinsum();
      List<Definition> result = new ArrayList<>();
      for (Definition old : cascade.definitions()) {
        if (old == family.getFirst().einsum()) {
          result.addAll(constants);
          result.add(einsum);
        }
        if (family.stream().noneMatch(member -> member.einsum() == old)) {
          result.add(old.mapExprs(expr -> Exprs.rewrite(expr, node -> redirect(node, einsum.tensor()))));
        }
      }
      return cascade.withDefinitions(result);
    }

    private Einsum mergedEinsum() {
      Member first = family.getFirst();
      Einsum old = first.einsum();
      String name = family.stream().map(member -> member.einsum().tensor().name()).distinct().collect(Collectors.joining("_"));
      List<Rank> ranks = new ArrayList<>(old.ranks());
      Rank along = new Rank(first.rank().name(), total);
      ranks.set(first.position(), along);
      List<Size> shape = ranks.stream().map(Rank::size).toList();
      List<List<Expr.Access>> weights = family.stream()
          .map(member -> Exprs.accesses(member.einsum().value())
              .filter(access -> Member.bareIndex(access, member.rank()) >= 0).toList())
          .toList();
      Map<Rank, Expr> renamed = new IdentityHashMap<>();
      renamed.put(first.rank(), new Expr.Coordinate(along));
      Map<Expr, Tensor> sideBySide = new LinkedHashMap<>();
      for (int i = 0; i < weights.getFirst().size(); i++) {
        int access = i;
        List<Expr.Access> column = weights.stream().map(list -> list.get(access)).toList();
        sideBySide.put(column.getFirst(), concatenation(column, Member.bareIndex(column.getFirst(), first.rank())));
      }
      Expr value = Exprs.rewrite(old.value(), node -> sideBySide.containsKey(node)
          ? new Expr.Access(sideBySide.get(node), ((Expr.Access) node).indices()) : node);
      return new Einsum(new Tensor(name, old.tensor().type(), shape, old.span()), ranks,
          Exprs.substitute(value, renamed), old.span());
    }

    /// The constant tensor that holds the accessed weights one after the other along `dimension`.
    private Tensor concatenation(List<Expr.Access> accesses, int dimension) {
      List<Tensor> parts = accesses.stream().map(Expr.Access::tensor).toList();
      return merged.computeIfAbsent(parts, _ -> {
        Tensor first = parts.getFirst();
        List<Size> shape = new ArrayList<>(first.shape());
        shape.set(dimension, total);
        Tensor tensor = new Tensor(first.name() + "_merged", first.type(), shape, first.span());
        List<Rank> ranks = new ArrayList<>();
        for (int i = 0; i < shape.size(); i++) {
          ranks.add(new Rank(i == dimension ? "n" : "k" + (char) ('a' + i), shape.get(i)));
        }
        constants.add(new Einsum(tensor, ranks, part(parts, 0, Size.of(0), ranks, dimension), first.span()));
        return tensor;
      });
    }

    private static Expr part(List<Tensor> parts, int index, Size offset, List<Rank> ranks, int dimension) {
      Tensor tensor = parts.get(index);
      List<Expr> indices = new ArrayList<>(Exprs.coordinates(ranks));
      Expr along = indices.get(dimension);
      if (offset.value() != 0) {
        indices.set(dimension, new Expr.Binary(BinaryOp.SUB, along, Expr.index(offset.value())));
      }
      Expr here = new Expr.Access(tensor, indices, Optional.of(Expr.literal(tensor.type(), 0)));
      if (index == parts.size() - 1) {
        return here;
      }
      Size end = offset.plus(tensor.shape().get(dimension));
      Expr condition = new Expr.Binary(BinaryOp.LT, along, Expr.index(end.value()));
      return new Expr.Select(condition, here, part(parts, index + 1, end, ranks, dimension));
    }

    private Expr redirect(Expr node, Tensor target) {
      if (!(node instanceof Expr.Access access)) {
        return node;
      }
      Size offset = Size.of(0);
      for (Member member : family) {
        if (access.tensor() == member.einsum().tensor()) {
          return shifted(access, target, member.position(), offset);
        }
        offset = offset.plus(member.rank().size());
      }
      return node;
    }

    private static Expr shifted(Expr.Access access, Tensor target, int position, Size offset) {
      List<Expr> indices = new ArrayList<>(access.indices());
      Expr index = indices.get(position);
      if (offset.value() != 0) {
        indices.set(position, new Expr.Binary(BinaryOp.ADD, index, Expr.literal(index.type(), offset.value())));
      }
      return new Expr.Access(target, indices, access.outside());
    }
  }
}
