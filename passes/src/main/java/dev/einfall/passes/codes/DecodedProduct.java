package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A product that reads codes in place of elements which these stand for: the definitions of what it reads, and its own.
final class DecodedProduct {
  /// Integers up to here are floats.
  private static final long EXACT = 1 << 24;
  /// Words of fewer fields save no more than they take to be cut.
  private static final int LEAST_FIELDS = 4;
  /// Codes are worth their decoding where elements have so many times the bytes of what is read in their place.
  static final double WORTH = 1.5;

  private final Inlining inlining;
  private final Einsum einsum;
  private final Expr.Reduce reduce;
  private final Codes codes;
  private final Steps steps;
  private final NewTensors tensors;
  private final CodeFields fields;
  private final CodeTables tables;
  private final DecodeInProducts options;
  private final Map<Expr, Expr> replaced = new LinkedHashMap<>();
  private final List<Expr> sharedNumbers = new ArrayList<>();
  private final Set<Expr> factors = new HashSet<>();
  private final List<Expr> outside = new ArrayList<>();
  private final List<Expr> lookedUp = new ArrayList<>();
  private boolean areCodesRead;

  private DecodedProduct(Inlining inlining, Einsum einsum, Expr.Reduce reduce, Codes codes, Steps steps, int bits, DecodeInProducts options) {
    this.inlining = inlining;
    this.einsum = einsum;
    this.reduce = reduce;
    this.codes = codes;
    this.steps = steps;
    this.options = options;
    this.tensors = new NewTensors(einsum, reduce.ranks(), steps.whole());
    this.fields = new CodeFields(reduce.ranks(), steps, tensors);
    this.tables = new CodeTables(codes, steps, tensors, fields, options.mayReassociate() ? NoNumbers.factors(reduce.body(), codes) : Set.of(), bits, options);
  }

  /// @return the definitions in place of `einsum`, if it is a sum of products with what codes of few bits stand for.
  static Optional<List<Definition>> of(Inlining inlining, Einsum einsum, DecodeInProducts options) {
    List<Expr.Reduce> reductions = Exprs.reductions(einsum.value()).distinct().toList();
    boolean isSum = reductions.size() == 1 && reductions.getFirst().reduction() == Reduction.SUM && !Exprs.hasFold(einsum.value());
    return Optional.of(reductions).filter(_ -> isSum && !inlining.isConstant(einsum.tensor())).map(List::getFirst)
        .filter(sum -> isProduct(sum.body())).flatMap(sum -> {
          Expr.Reduce inlined = new Expr.Reduce(sum.reduction(), sum.ranks(), inlining.inlined(sum.body()));
          return sum.ranks().reversed().stream().flatMap(rank -> along(inlining, einsum, sum, inlined, rank, options).stream()).findFirst();
        });
  }

  private static boolean isProduct(Expr body) {
    return body instanceof Expr.Binary(BinaryOp op, Expr _, Expr _) && op == BinaryOp.MUL;
  }

  private static Optional<List<Definition>> along(Inlining inlining, Einsum einsum, Expr.Reduce sum, Expr.Reduce inlined, Rank rank, DecodeInProducts options) {
    List<Expr> parts = constantParts(inlining, inlined.body());
    Codes codes = Codes.of(rank, parts);
    boolean isWhole = parts.size() == 1 && parts.getFirst() == inlined.body();
    if (codes.chosen().isEmpty() || !parts.stream().allMatch(codes::areAll) || parts.stream().anyMatch(codes::isGuarded) || isWhole) {
      return Optional.empty();
    }
    int size = rank.size().value();
    int group = parts.stream().flatMap(codes::groups).reduce(size, DecodedProduct::divisor);
    int bits = Integer.highestOneBit(2 * codes.chosen().stream().mapToInt(code -> Codes.bits(Codes.range(code))).max().orElseThrow() - 1);
    int fields = bits >= Byte.SIZE ? 1 : divisor(CodeFields.WORD / bits, group);
    if (group < LEAST_FIELDS) {
      return Optional.empty();
    }
    int cut = fields < LEAST_FIELDS ? 1 : fields;
    Optional<Steps> steps = parts.stream().flatMap(Expr::nodes).anyMatch(node -> isOfOneRow(node, codes, rank)) ? Steps.inLanes(rank, group, cut, options.lanes()) : Optional.empty();
    DecodedProduct apart = new DecodedProduct(inlining, einsum, inlined, codes, steps.orElseGet(() -> Steps.of(rank, group, cut)), bits, options);
    List<Definition> ofCodes = apart.definitions(sum);
    boolean isInWords = steps.isEmpty() && bits == Byte.SIZE && group % LEAST_FIELDS == 0 && apart.areAllOfPlanes();
    DecodedProduct product = isInWords ? new DecodedProduct(inlining, einsum, inlined, codes, Steps.of(rank, group, LEAST_FIELDS), bits, options) : apart;
    List<Definition> definitions = isInWords ? product.definitions(sum) : ofCodes;
    return product.isWorthwhile(parts) ? Optional.of(definitions) : Optional.empty();
  }

  /// Whether a table of `node` would be of one row: it is chosen from a row, or a long function of what a row has.
  private static boolean isOfOneRow(Expr node, Codes codes, Rank rank) {
    boolean isChosen = node instanceof Expr.Access access && !codes.isCode(access) && access.indices().stream().anyMatch(index -> !codes.of(index).isEmpty());
    return (isChosen || CodeTables.isFunction(node)) && codes.of(node).size() == 1 && !codes.isCode(node)
        && Exprs.freeRanks(Exprs.rewrite(node, inner -> codes.isCode(inner) ? new Expr.IntLiteral(inner.type(), 0) : inner)).stream().anyMatch(other -> other != rank);
  }

  private static int divisor(int a, int b) {
    return b == 0 ? a : divisor(b, a % b);
  }

  /// The largest expressions in `body` that weights determine, outside of indices.
  private static List<Expr> constantParts(Inlining inlining, Expr body) {
    if (inlining.isConstant(body)) {
      return List.of(body);
    }
    return body instanceof Expr.Access ? List.of() : body.children().flatMap(child -> constantParts(inlining, child).stream()).distinct().toList();
  }

  /// Whether what the product reads of weights now takes a part of the bytes of the elements.
  private boolean isWorthwhile(List<Expr> parts) {
    double elements = parts.stream().mapToDouble(part -> (double) Exprs.volume(List.copyOf(Exprs.freeRanks(part))) * part.type().bytes()).sum();
    double read = read().stream().mapToDouble(Exprs::bytes).sum();
    return read * WORTH <= elements;
  }

  /// The tensors that the product reads in place of elements.
  private List<Tensor> read() {
    return replaced.values().stream().flatMap(Exprs::accesses).map(Expr.Access::tensor).distinct().toList();
  }

  private List<Definition> definitions(Expr.Reduce original) {
    List<Rank> ranks = new ArrayList<>();
    reduce.ranks().forEach(rank -> ranks.addAll(rank == steps.whole() ? steps.ranks() : List.of(rank)));
    Expr terms = numbers(reduce.body());
    factors.add(terms);
    Expr body = decoded(terms);
    Expr sum = Stream.concat(Stream.of(new Expr.Reduce(reduce.reduction(), ranks, body)), outside.stream()).reduce((a, b) -> new Expr.Binary(BinaryOp.MUL, a, b)).orElseThrow();
    Expr whole = steps.lane().map(lane -> ofLanes(sum, lane)).orElse(sum);
    List<Definition> definitions = new ArrayList<>(tensors.definitions());
    definitions.add(einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(original) ? whole : node)));
    return definitions;
  }

  /// The sum of what lanes have added up.
  private Expr ofLanes(Expr sum, Rank lane) {
    List<Rank> ranks = new ArrayList<>(einsum.ranks().stream().map(rank -> new Rank(rank.name(), rank.size())).toList());
    Map<Rank, Expr> places = new IdentityHashMap<>();
    for (int i = 0; i < ranks.size(); i++) {
      places.put(einsum.ranks().get(i), new Expr.Coordinate(ranks.get(i)));
    }
    ranks.add(lane);
    Tensor lanes = tensors.defined("lanes", ranks, Exprs.substitute(sum, places));
    List<Expr> indices = new ArrayList<>(Exprs.coordinates(einsum.ranks()));
    Rank added = new Rank(lane.name(), lane.size());
    indices.add(new Expr.Coordinate(added));
    return new Expr.Reduce(Reduction.SUM, List.of(added), new Expr.Access(lanes, indices));
  }

  /// `expr` where what groups share says which codes stand for no number, for those that are found without asking.
  private Expr numbers(Expr expr) {
    if (!inlining.isConstant(expr)) {
      return expr instanceof Expr.Access ? expr : expr.mapChildren(this::numbers);
    }
    Expr product = SharedFactors.apart(expr, codes);
    List<Expr> factors = NoNumbers.in(product, codes).toList();
    for (Expr part : factors) {
      Optional<NoNumbers> none = tables.apart(part);
      if (none.isPresent()) {
        Optional<Expr> factor = factors.stream().filter(other -> !codes.isFine(other) && other.type() == ElementType.F32).findFirst();
        Expr valid = none.get().unless(factor.orElse(Expr.literal(ElementType.F32, 1)), codes.of(part).getFirst(), codes, steps.group());
        sharedNumbers.add(valid);
        return factor.map(one -> NoNumbers.with(product, one, valid, codes)).orElseGet(() -> new Expr.Binary(BinaryOp.MUL, product, valid));
      }
    }
    return expr;
  }

  /// `expr` with what weights determine in terms of codes and of what groups share, at the coordinates of the steps.
  private Expr decoded(Expr expr) {
    return inlining.isConstant(expr) || sharedNumbers.contains(expr) ? constant(expr)
        : expr instanceof Expr.Access || expr instanceof Expr.Coordinate ? atSteps(expr) : inside(expr);
  }

  private Expr atSteps(Expr expr) {
    return Exprs.substitute(expr, Map.of(steps.whole(), steps.coordinate()));
  }

  /// What stands for `expr`, which weights determine.
  private Expr constant(Expr expr) {
    if (!replaced.containsKey(expr)) {
      Expr apart = SharedFactors.apart(expr, codes);
      if (factors.contains(expr)) {
        factors.add(apart);
      }
      replaced.put(expr, replacement(apart));
    }
    return replaced.get(expr);
  }

  /// Whether all codes are looked up byte by byte, which is done for whole words.
  private boolean areAllOfPlanes() {
    return !areCodesRead && !lookedUp.isEmpty() && lookedUp.stream().allMatch(tables::areOfPlanes);
  }

  private Expr replacement(Expr expr) {
    if (!codes.isFine(expr)) {
      return factors.contains(expr) ? scale(expr) : shared(expr);
    }
    if (codes.isCode(expr)) {
      areCodesRead = true;
      return fields.code(expr);
    }
    Optional<Expr> found = tables.find(expr);
    if (found.isPresent()) {
      lookedUp.add(expr);
      return found.get();
    }
    Optional<Expr> difference = difference(expr);
    if (difference.isPresent()) {
      return difference.get().mapChildren(this::constant);
    }
    return inside(expr);
  }

  /// `expr` with what it is made of decoded.
  private Expr inside(Expr expr) {
    if (factors.contains(expr) && isProduct(expr)) {
      expr.children().forEach(factors::add);
    }
    return expr.mapChildren(this::decoded);
  }

  /// `f32(q - z)` as `f32(q) - f32(z)`, which is the same where floats are exact, so that what groups share is one of these.
  private Optional<Expr> difference(Expr expr) {
    Interval exact = new Interval(-EXACT, EXACT);
    boolean isExact = expr instanceof Expr.Cast(ElementType to, Expr.Binary(BinaryOp op, Expr left, Expr right)) && to == ElementType.F32 && op == BinaryOp.SUB
        && Exprs.accesses(right).findAny().isPresent() && !(codes.isFine(left) && codes.isFine(right))
        && left.type().isInteger() && exact.contains(Codes.range(left)) && exact.contains(Codes.range(right)) && exact.contains(Codes.range(((Expr.Cast) expr).operand()));
    return isExact && ((Expr.Cast) expr).operand() instanceof Expr.Binary(BinaryOp op, Expr left, Expr right)
        ? Optional.of(new Expr.Binary(op, new Expr.Cast(expr.type(), left), new Expr.Cast(expr.type(), right))) : Optional.empty();
  }

  /// A factor of all terms that all coordinates of a group share: in few bits, if it may be applied behind the sum of a group; what all terms have in common is applied behind
  /// the whole sum then.
  private Expr scale(Expr expr) {
    Optional<SharedCodes> parts = options.mayReassociate() && steps.lane().isEmpty() ? SharedCodes.of(expr, steps.whole(), steps.group()) : Optional.empty();
    if (parts.isEmpty()) {
      return shared(expr);
    }
    Expr narrow = new Expr.Cast(ElementType.F32, shared(new Expr.Cast(ElementType.BF16, parts.get().narrow())));
    Optional<Expr> others = parts.get().others().map(this::shared);
    if (others.filter(other -> isOfAll(expr, other)).isPresent()) {
      outside.add(others.get());
      return narrow;
    }
    return others.<Expr>map(other -> new Expr.Binary(BinaryOp.MUL, narrow, other)).orElse(narrow);
  }

  /// Whether `part` of the factor `expr` is in all terms of the sum once, and the same in all.
  private boolean isOfAll(Expr expr, Expr part) {
    return reduce.nodes().filter(expr::equals).count() == 1 && reduce.ranks().stream().noneMatch(Exprs.freeRanks(part)::contains);
  }

  /// What all coordinates of a group share, computed ahead.
  private Expr shared(Expr expr) {
    boolean isGrouped = Exprs.freeRanks(expr).contains(steps.whole());
    List<Rank> outer = tensors.outer(expr);
    NewAxes axes = new NewAxes();
    // Lanes go along the steps: what a row of the result has is side by side then.
    if (steps.lane().isPresent()) {
      axes.addOuter(outer);
    }
    if (isGrouped && steps.groups() > 1) {
      Rank group = new Rank(steps.groupName(), Size.of(steps.groups()));
      axes.add(group, steps.ofGroup());
      axes.put(steps.whole(), new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(group), Expr.index(steps.group())));
    } else if (isGrouped) {
      axes.put(steps.whole(), Expr.index(0));
    }
    if (steps.lane().isEmpty()) {
      axes.addOuter(outer);
    }
    return new Expr.Access(tensors.defined("shared", axes.ranks(), axes.at(expr)), axes.indices());
  }
}
