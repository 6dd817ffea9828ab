package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A product whose factor that rows share is a definition of its own.
///
/// @param turned weights that the factor reads along the columns, which are stored along the steps: in the factor's order
/// @param factor what weights determine in it, for each step of the reduction and each column
/// @param product the sum of products with that
/// @param columns the ranks of the result that the factor has
record HoistedFactor(List<Einsum> turned, Einsum factor, Einsum product, List<Rank> columns) {

  /// The product that `einsum` is, if what weights determine in it takes more than a conversion and scales, and some rank of the result is not in that.
  ///
  /// @param constant the tensors that weights alone determine
  /// @param numerics whether factors may be multiplied in another order
  static Optional<HoistedFactor> of(Einsum einsum, Set<Tensor> constant, Numerics numerics) {
    Optional<Expr.Reduce> only = Factors.onlySum(einsum.value()).filter(sum -> !sum.ranks().isEmpty());
    if (only.isEmpty()) {
      return Optional.empty();
    }
    Expr.Reduce sum = only.get();
    List<Expr> factors = numerics.allows(Numerics.REASSOCIATE) ? Factors.of(sum.body()).toList()
        : sum.body() instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.MUL ? List.of(left, right) : List.of();
    List<Expr> shared = factors.stream().filter(factor -> Factors.isConstant(factor, constant)).toList();
    List<Expr> others = factors.stream().filter(factor -> !Factors.isConstant(factor, constant)).toList();
    Set<Rank> used = Factors.ranks(shared);
    List<Rank> columns = einsum.ranks().stream().filter(used::contains).toList();
    boolean isShared = columns.size() < einsum.ranks().size() && columns.stream().anyMatch(rank -> !Factors.ranks(others).contains(rank)) && used.containsAll(sum.ranks());
    return others.isEmpty() || !isShared || shared.stream().noneMatch(HoistedFactor::isComputed) ? Optional.empty()
        : Optional.of(new Steps(sum, others).hoisted(einsum, others, Factors.product(shared), columns));
  }

  /// Whether `factor` is more than an element that is stored in another type: loads convert, all but halves at once.
  private static boolean isComputed(Expr factor) {
    return switch (factor) {
      case Expr.Access access -> access.indices().stream().anyMatch(index -> Exprs.accesses(index).findAny().isPresent());
      case Expr.Cast cast -> Conversions.areLong(cast.operand().type()) || isComputed(cast.operand());
      case Expr _ -> true;
    };
  }

  /// The cascade with this in place of `einsums`, of which the last is the product.
  Cascade in(Cascade cascade, List<Einsum> einsums) {
    List<Definition> definitions = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      boolean isReplaced = einsums.stream().anyMatch(einsum -> definition.tensors().contains(einsum.tensor()));
      boolean isHere = definition.tensors().contains(product.tensor());
      if (isHere) {
        definitions.addAll(turned);
        definitions.addAll(List.of(factor, product));
      } else if (!isReplaced) {
        definitions.add(definition);
      }
    }
    return cascade.withDefinitions(definitions);
  }

  /// The steps of the reduction: one rank, where all other factors go along it as if it were one.
  private static final class Steps {
    private final Expr.Reduce sum;
    private final Rank whole;
    private final boolean isOne;

    Steps(Expr.Reduce sum, List<Expr> others) {
      this.sum = sum;
      this.whole = new Rank(name(sum.ranks()), Size.of(Exprs.volume(sum.ranks())));
      List<Expr.Access> along = others.stream().map(this::alongWhole).flatMap(Exprs::accesses).toList();
      this.isOne = along.stream().allMatch(access -> access.outside().isEmpty() && isAffine(access));
    }

    private static boolean isAffine(Expr.Access access) {
      return access.indices().stream().allMatch(index -> Affine.of(index).isPresent());
    }

    /// What the names of `ranks` begin with.
    private static String name(List<Rank> ranks) {
      String first = ranks.getFirst().name();
      int length = first.length();
      while (length > 1 && !allBeginWith(ranks, first.substring(0, length))) {
        length--;
      }
      return first.substring(0, length);
    }

    private static boolean allBeginWith(List<Rank> ranks, String start) {
      return ranks.stream().allMatch(rank -> rank.name().startsWith(start));
    }

    /// Where the whole rank is along each of those that it was cut into: `k / 16 / 8`, `k / 16 % 8` and `k % 16`, which loops see as one index.
    private List<Expr> digits() {
      List<Expr> digits = new ArrayList<>();
      Expr rest = new Expr.Coordinate(whole);
      for (Rank rank : sum.ranks().subList(1, sum.ranks().size()).reversed()) {
        digits.addFirst(new Expr.Binary(BinaryOp.MOD, rest, Expr.index(rank.size().value())));
        rest = new Expr.Binary(BinaryOp.DIV, rest, Expr.index(rank.size().value()));
      }
      digits.addFirst(rest);
      return digits;
    }

    private Expr alongWhole(Expr expr) {
      Map<Rank, Expr> places = new IdentityHashMap<>();
      List<Expr> digits = digits();
      for (int i = 0; i < digits.size(); i++) {
        places.put(sum.ranks().get(i), digits.get(i));
      }
      return IndexForm.withSimpleIndices(Exprs.substitute(expr, places));
    }

    /// Whether `shared` reads vectors along the last rank that the steps were cut into, so that its loops need that rank.
    private boolean hasLanes(Expr shared) {
      Rank last = sum.ranks().getLast();
      return sum.ranks().size() > 1 && Exprs.accesses(shared).anyMatch(access -> Affine.stride(access, last).filter(stride -> stride == 1).isPresent());
    }

    /// The weights of `shared` that are stored along the steps, each in the order of `own`, the ranks of the factor, of which the last are columns: vectors go along these.
    private static Map<Expr, Einsum> turned(Expr shared, List<Rank> own) {
      Map<Expr, Einsum> turned = new LinkedHashMap<>();
      Exprs.accesses(shared).distinct().filter(access -> isAlongSteps(access, own)).forEach(access -> {
        List<Rank> ranks = new ArrayList<>();
        Map<Rank, Expr> places = new IdentityHashMap<>();
        used(access, own).forEach(rank -> {
          Rank copy = new Rank(rank.name(), rank.size());
          ranks.add(copy);
          places.put(rank, new Expr.Coordinate(copy));
        });
        Tensor tensor = new Tensor(access.tensor().name() + "_columns", access.type(), ranks.stream().map(Rank::size).toList(), access.tensor().span());
        turned.put(access, new Einsum(tensor, ranks, Exprs.substitute(access, places), access.tensor().span()));
      });
      return turned;
    }

    private static List<Rank> used(Expr expr, List<Rank> ranks) {
      Set<Rank> used = Exprs.freeRanks(expr);
      return ranks.stream().filter(used::contains).toList();
    }

    private static boolean isAlongSteps(Expr.Access access, List<Rank> own) {
      boolean isPlain = access.outside().isEmpty() && access.indices().stream().allMatch(index -> index instanceof Expr.Coordinate);
      return isPlain && Exprs.freeRanks(access).contains(own.getLast()) && !CostModel.isContiguous(access, own.getLast());
    }

    HoistedFactor hoisted(Einsum einsum, List<Expr> others, Expr shared, List<Rank> columns) {
      boolean isApart = !isOne || hasLanes(shared);
      List<Rank> steps = isApart ? sum.ranks() : List.of(whole);
      List<Rank> own = new ArrayList<>();
      Map<Rank, Expr> values = new IdentityHashMap<>();
      Stream.concat(steps.stream(), columns.stream()).forEach(rank -> {
        Rank copy = new Rank(rank.name(), rank.size());
        own.add(copy);
        values.put(rank, new Expr.Coordinate(copy));
      });
      Expr value = Exprs.freshRanks(Exprs.substitute(isApart ? shared : alongWhole(shared), values));
      Map<Expr, Einsum> turned = isApart ? Map.of() : turned(value, own);
      Expr near = Exprs.rewrite(value, node -> turned.containsKey(node) ? new Expr.Access(turned.get(node).tensor(), Exprs.coordinates(used(node, own))) : node);
      Tensor tensor = new Tensor(einsum.tensor().name() + "_factor", value.type(), own.stream().map(Rank::size).toList(), einsum.span());
      List<Expr> indices = new ArrayList<>(isApart && isOne ? digits() : Exprs.coordinates(steps));
      indices.addAll(Exprs.coordinates(columns));
      List<Expr> factors = new ArrayList<>(others.stream().map(other -> isOne ? alongWhole(other) : other).toList());
      factors.add(new Expr.Access(tensor, indices));
      Expr.Reduce product = new Expr.Reduce(Reduction.SUM, isOne ? List.of(whole) : sum.ranks(), Factors.product(factors));
      Einsum reading = einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(sum) ? product : node));
      return new HoistedFactor(List.copyOf(turned.values()), new Einsum(tensor, own, near, einsum.span()), reading, columns);
    }
  }
}
