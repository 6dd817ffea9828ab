package dev.einfall.passes.reduce;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.algebra.Atom;
import dev.einfall.passes.algebra.Canonical;
import dev.einfall.passes.algebra.Monomial;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.Rational;
import dev.einfall.passes.algebra.Written;
import dev.einfall.passes.cascade.Constants;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// One step of [DeferFactors]: finds the factors of a term, or of a tensor that terms read, and moves them behind the reductions.
record Deferral(Ancestry ancestry) {

  /// `cascade` with `einsum` replaced by others.
  static Cascade replaced(Cascade cascade, Einsum einsum, List<Einsum> others) {
    List<Definition> definitions = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      definitions.addAll(definition == einsum ? others : List.of(definition));
    }
    return cascade.withDefinitions(definitions);
  }

  /// The two Einsums that `einsum` becomes if its term has a factor that is free of the ranks reduced.
  Optional<List<Einsum>> fromTerm(Einsum einsum) {
    if (!(einsum.value() instanceof Expr.Reduce reduce) || !isAccurate(einsum)) {
      return Optional.empty();
    }
    Optional<Polynomial> term = form(reduce.body());
    Monomial factor = term.map(value -> common(value, Set.copyOf(reduce.ranks()))).orElse(Monomial.one());
    if (!mayLeave(reduce.reduction(), factor) || isTrivial(reduce) || factor.isOne()) {
      return Optional.empty();
    }
    Expr rest = Written.of(dividedBy(term.orElseThrow(), factor), reduce.body().type());
    return Optional.of(behind(einsum, new Expr.Reduce(reduce.reduction(), reduce.ranks(), rest), Polynomial.of(factor)));
  }

  /// Over one element nothing is saved.
  private static boolean isTrivial(Expr.Reduce reduce) {
    return Exprs.volume(reduce.ranks()) <= 1;
  }

  private static boolean isAccurate(Einsum einsum) {
    return einsum.tensor().type().isFloat() && einsum.tensor().type().bytes() >= Float.BYTES;
  }

  private boolean mayLeave(Reduction reduction, Monomial factor) {
    return switch (reduction) {
      case SUM -> true;
      case MAX, MIN -> ancestry.canonical().signs().isNonNegative(factor);
      case PROD, ANY, ALL, ARGMAX, ARGMIN -> false;
    };
  }

  /// Sums within products stay as they are written.
  private Optional<Polynomial> form(Expr expr) {
    Set<Expr> addends = Exprs.identitySet();
    for (Expr sum = expr; sum instanceof Expr.Binary(BinaryOp op, Expr left, Expr _) && (op == BinaryOp.ADD || op == BinaryOp.SUB); sum = left) {
      addends.add(sum);
    }
    try {
      return Optional.of(ancestry.canonical().keeping(sum -> !addends.contains(sum)).of(expr)).filter(value -> !value.isInfinite() && !value.isZero());
    } catch (ArithmeticException _) {
      return Optional.empty();
    }
  }

  /// The factors of all terms that read none of `reduced`; no exponentials, which may be large where their products are not.
  private static Monomial common(Polynomial value, Set<Rank> reduced) {
    Map<Atom, Rational> powers = new LinkedHashMap<>();
    List<Monomial> monomials = List.copyOf(value.terms().keySet());
    for (Atom atom : monomials.getFirst().powers().keySet()) {
      Rational power = monomials.getFirst().power(atom);
      boolean shared = monomials.stream().allMatch(other -> other.power(atom).equals(power));
      boolean free = atom.leaves().flatMap(leaf -> Exprs.freeRanks(leaf).stream()).noneMatch(reduced::contains);
      if (shared && free && atom.leaves().anyMatch(leaf -> leaf instanceof Expr.Access)) {
        powers.put(atom, power);
      }
    }
    return new Monomial(powers, Polynomial.ZERO);
  }

  private static Polynomial dividedBy(Polynomial value, Monomial factor) {
    Polynomial sum = Polynomial.ZERO;
    for (Map.Entry<Monomial, Rational> term : value.terms().entrySet()) {
      sum = sum.plus(Polynomial.of(term.getKey().dividedBy(factor), term.getValue()));
    }
    return sum;
  }

  /// `einsum` as the reduction, and `factor` times it.
  private List<Einsum> behind(Einsum einsum, Expr.Reduce reduce, Polynomial factor) {
    Tensor inner = new Tensor(einsum.tensor().name() + "_" + reduce.reduction().text(), einsum.tensor().type(),
        einsum.tensor().shape(), einsum.span());
    List<Rank> ranks = einsum.ranks().stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    Expr access = new Expr.Access(inner, Exprs.coordinates(einsum.ranks()));
    Expr result = Written.of(Polynomial.of(new Atom.Leaf(access)).times(factor), einsum.tensor().type());
    return List.of(new Einsum(inner, ranks, Exprs.substitute(reduce, renamed(einsum.ranks(), Exprs.coordinates(ranks))), einsum.span()),
        einsum.withValue(result));
  }

  static Map<Rank, Expr> renamed(List<Rank> ranks, List<Expr> values) {
    Map<Rank, Expr> renamed = new IdentityHashMap<>();
    for (int i = 0; i < ranks.size(); i++) {
      renamed.put(ranks.get(i), values.get(i));
    }
    return renamed;
  }

  /// A reduction that multiplies its terms by an element of a tensor.
  private record Use(Einsum einsum, Expr.Reduce reduce, Expr.Access access, Polynomial term) {
    /// The dimensions of the tensor that the reduction goes over.
    List<Integer> reducedDimensions() {
      List<Integer> dimensions = new ArrayList<>();
      for (int i = 0; i < access.indices().size(); i++) {
        if (access.indices().get(i) instanceof Expr.Coordinate(Rank rank) && reduce.ranks().contains(rank)) {
          dimensions.add(i);
        }
      }
      return dimensions;
    }
  }

  /// The cascade without the factor of `producer` that all reductions which read it can do without until they are done.
  Optional<Cascade> fromProducer(Einsum producer) {
    Tensor tensor = producer.tensor();
    if (Exprs.hasReduction(producer.value()) || ancestry.isOutput(tensor) || !isAccurate(producer)) {
      return Optional.empty();
    }
    List<Use> uses = new ArrayList<>();
    for (Definition reader : ancestry.readers(tensor)) {
      Optional<Use> use = reader instanceof Einsum einsum ? use(einsum, tensor) : Optional.empty();
      if (use.isEmpty()) {
        return Optional.empty();
      }
      uses.add(use.get());
    }
    return uses.isEmpty() ? Optional.empty() : moved(producer, uses);
  }

  private Optional<Use> use(Einsum einsum, Tensor tensor) {
    if (!(einsum.value() instanceof Expr.Reduce reduce) || !isAccurate(einsum) || ancestry.cascade().mapping().speaksOf(einsum.tensor())) {
      return Optional.empty();
    }
    List<Expr.Access> accesses = Exprs.accesses(reduce.body()).filter(access -> access.tensor() == tensor).toList();
    boolean bare = accesses.size() == 1 && accesses.getFirst().outside().isEmpty()
        && accesses.getFirst().indices().stream().allMatch(Expr.Coordinate.class::isInstance);
    return !bare ? Optional.empty() : form(reduce.body())
        .filter(term -> term.terms().keySet().stream().allMatch(product -> product.power(new Atom.Leaf(accesses.getFirst())).isOne()))
        .map(term -> new Use(einsum, reduce, accesses.getFirst(), term));
  }

  private Optional<Cascade> moved(Einsum producer, List<Use> uses) {
    List<Integer> reduced = new ArrayList<>(uses.getFirst().reducedDimensions());
    uses.forEach(use -> reduced.retainAll(use.reducedDimensions()));
    Optional<Polynomial> value = form(producer.value());
    if (reduced.isEmpty() || value.isEmpty()) {
      return Optional.empty();
    }
    Set<Rank> ranks = Exprs.identitySet();
    // One reduction may go over more dimensions than another: the factor leaves all.
    uses.stream().flatMap(use -> use.reducedDimensions().stream()).forEach(dimension -> ranks.add(producer.ranks().get(dimension)));
    Monomial factor = common(value.get(), ranks);
    Polynomial rest = dividedBy(value.get(), factor);
    boolean allowed = !factor.isOne() && uses.stream().allMatch(use -> mayLeave(use.reduce.reduction(), factor));
    return allowed && (savesPass(factor, rest) || savesOperations(producer, uses))
        ? Optional.of(moved(producer, uses, factor, rest)) : Optional.empty();
  }

  /// Whether the factor comes from a reduction of what the rest is made of.
  private boolean savesPass(Monomial factor, Polynomial rest) {
    Set<Tensor> sources = Exprs.identitySet();
    tensors(rest).forEach(tensor -> sources.addAll(ancestry.lineage(tensor)));
    return tensors(Polynomial.of(factor)).stream().flatMap(tensor -> ancestry.lineage(tensor).stream())
        .filter(tensor -> ancestry.einsum(tensor).filter(einsum -> Exprs.hasReduction(einsum.value())).isPresent())
        .anyMatch(tensor -> ancestry.lineage(tensor).stream().anyMatch(source -> source != tensor && sources.contains(source)));
  }

  private static List<Tensor> tensors(Polynomial value) {
    return value.leaves().flatMap(Exprs::accesses).map(Expr.Access::tensor).distinct().toList();
  }

  private boolean savesOperations(Einsum producer, List<Use> uses) {
    boolean constant = Constants.of(ancestry.cascade()).contains(producer.tensor());
    return !constant && uses.stream().mapToLong(use -> Exprs.volume(use.einsum.ranks())).sum() < Exprs.volume(producer.ranks());
  }

  private Cascade moved(Einsum producer, List<Use> uses, Monomial factor, Polynomial rest) {
    Tensor old = producer.tensor();
    Expr restValue = Written.of(rest, old.type());
    boolean alias = restValue instanceof Expr.Access;
    Tensor stripped = new Tensor(old.name(), old.type(), old.shape(), producer.span());
    Cascade current = ancestry.cascade();
    for (Use use : uses) {
      Map<Rank, Expr> at = renamed(producer.ranks(), use.access.indices());
      Expr replacement = alias ? Exprs.substitute(restValue, at) : new Expr.Access(stripped, use.access.indices());
      Expr body = Exprs.rewrite(use.reduce.body(), node -> node.equals(use.access) ? replacement : node);
      Canonical canonical = ancestry.canonical().keeping(_ -> true);
      Polynomial outside = canonical.of(Exprs.substitute(Written.of(Polynomial.of(factor), old.type()), at));
      current = replaced(current, use.einsum,
          behind(use.einsum, new Expr.Reduce(use.reduce.reduction(), use.reduce.ranks(), body), outside));
    }
    return replaced(current, producer, alias ? List.of() : List.of(new Einsum(stripped, producer.ranks(), restValue, producer.span())));
  }
}
