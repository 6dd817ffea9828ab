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
import dev.einfall.passes.cascade.Affine;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.Factors;
import dev.einfall.passes.cascade.IndexForm;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// One product of [SplitCodes].
///
/// @param einsum the product
/// @param sum its reduction, of which the last rank goes over the fields of words
/// @param field what is cut from a word
/// @param decoded the factor that is a function of the field, and of nothing else
/// @param word the access to the words
/// @param axis which of its indices says which word of a group it is
/// @param words the rank of these words
/// @param numbers what `decoded` is for each code
record SplitProduct(Einsum einsum, Expr.Reduce sum, Field field, Expr decoded, Expr.Access word, int axis, Rank words, Numbers numbers) {
  /// With more rows, looking up takes longer than multiplying by what is decoded once for all of them.
  private static final int MOST_ROWS = 2;
  /// Codes of so many bits have two parts, of which the lower is of so many.
  private static final int BITS = 3;
  private static final int LOW_BITS = 2;

  /// Numbers at equal distances: `first + code * step`.
  private record Numbers(double first, double step) {

    /// Those of `values`, if they are such, and floats hold those of both parts.
    static Optional<Numbers> of(double[] values) {
      Numbers numbers = new Numbers(values[0], values[1] - values[0]);
      for (int code = 0; code < values.length; code++) {
        boolean isHere = values[code] == numbers.first + code * numbers.step;
        if (!isHere || !isFloat(numbers.low(code % (1 << LOW_BITS))) || !isFloat(numbers.high(code >> LOW_BITS))) {
          return Optional.empty();
        }
      }
      return Optional.of(numbers);
    }

    private static boolean isFloat(double value) {
      return value == (float) value && Double.isFinite(value);
    }

    /// What the lower part of a code stands for: numbers about 0.
    double low(int part) {
      return (part - ((1 << LOW_BITS) - 1) / 2.0) * step;
    }

    /// What the upper part stands for.
    double high(int part) {
      return first + (part << LOW_BITS) * step - low(0);
    }
  }

  /// One part of all codes.
  ///
  /// @param bits how many it has
  /// @param from its lowest bit in codes
  /// @param first what 0 stands for
  /// @param step how far it is from there to what 1 stands for
  private record Part(String name, int bits, int from, double first, double step) {

    int fields() {
      return CodeFields.WORD / bits;
    }

    long mask() {
      return (1L << bits) - 1;
    }

    Expr value(Expr field) {
      Expr number = new Expr.Cast(ElementType.F32, field);
      Expr distance = step == 1 ? number : new Expr.Binary(BinaryOp.MUL, number, Expr.literal(ElementType.F32, step));
      return first == 0 ? distance : first < 0 ? new Expr.Binary(BinaryOp.SUB, distance, Expr.literal(ElementType.F32, -first))
          : new Expr.Binary(BinaryOp.ADD, distance, Expr.literal(ElementType.F32, first));
    }
  }

  /// @param inlining knows what weights determine
  static Optional<SplitProduct> of(Einsum einsum, Inlining inlining) {
    Optional<Expr.Reduce> only = Factors.onlySum(einsum.value()).filter(sum -> sum.type() == ElementType.F32 && sum.ranks().size() > 1);
    if (only.isEmpty() || inlining.isConstant(einsum.tensor())) {
      return Optional.empty();
    }
    Expr.Reduce sum = only.get();
    Rank place = sum.ranks().getLast();
    List<Expr> factors = Factors.of(sum.body()).toList();
    List<Field> fields = factors.stream().flatMap(Expr::nodes).distinct().flatMap(node -> Field.of(node, place).stream()).toList();
    boolean isField = fields.size() == 1 && fields.getFirst().mask() == (1 << BITS) - 1 && fields.getFirst().bits() * place.size().value() == CodeFields.WORD;
    if (!isField || !(fields.getFirst().word() instanceof Expr.Access word) || !inlining.isConstant(word.tensor()) || word.outside().isPresent()) {
      return Optional.empty();
    }
    Field field = fields.getFirst();
    List<Expr> decoded = factors.stream().filter(factor -> factor.nodes().anyMatch(field.whole()::equals)).toList();
    return decoded.size() != 1 ? Optional.empty() : axis(word, sum).flatMap(axis -> numbers(decoded.getFirst(), field, inlining)
        .map(numbers -> new SplitProduct(einsum, sum, field, decoded.getFirst(), word, axis, words(word.indices().get(axis), sum).orElseThrow(), numbers)));
  }

  /// The index that says which word of a group it is, if all of a rank of the reduction goes along it, and none of the others' indices.
  private static Optional<Integer> axis(Expr.Access word, Expr.Reduce sum) {
    for (int axis = 0; axis < word.indices().size(); axis++) {
      Optional<Rank> words = words(word.indices().get(axis), sum);
      if (words.isPresent()) {
        return Optional.of(axis).filter(_ -> word.indices().stream().filter(index -> Exprs.freeRanks(index).contains(words.get())).count() == 1);
      }
    }
    return Optional.empty();
  }

  /// The rank of `sum` that goes through neighbouring words along `index`, in groups of which each begins at a multiple of as many words as one of single bits takes the place of.
  private static Optional<Rank> words(Expr index, Expr.Reduce sum) {
    int most = CodeFields.WORD / sum.ranks().getLast().size().value();
    return Affine.of(index).flatMap(affine -> sum.ranks().stream().filter(rank -> affine.coefficient(rank) == 1 && rank.size().value() % most == 0
        && affine.constant() % most == 0 && affine.coefficients().entrySet().stream().allMatch(term -> term.getKey() == rank || term.getValue() % most == 0)).findFirst());
  }

  /// What `decoded` is for each code, if these are numbers of such a kind.
  private static Optional<Numbers> numbers(Expr decoded, Field field, Inlining inlining) {
    Expr computed = Exprs.rewrite(decoded, node -> node instanceof Expr.Access access ? element(access, field, inlining) : node);
    return Evaluation.values(computed, field.whole()).filter(values -> values.length == 1 << BITS).flatMap(Numbers::of);
  }

  /// An element of a table that the field chooses, as it is computed.
  private static Expr element(Expr.Access access, Field field, Inlining inlining) {
    boolean isChosen = access.indices().size() == 1 && access.outside().isEmpty() && access.indices().getFirst().nodes().anyMatch(field.whole()::equals);
    return inlining.definition(access.tensor()).filter(_ -> isChosen && access != field.word())
        .map(table -> Exprs.substitute(Exprs.freshRanks(table.value()), Map.of(table.ranks().getFirst(), access.indices().getFirst()))).orElse(access);
  }

  /// The definitions in place of the product, if tables are made for both of its parts afterwards.
  ///
  /// @param row how many elements a row of a table may have
  Optional<List<Definition>> definitions(int row) {
    List<Definition> definitions = new ArrayList<>();
    Expr low = part(new Part("low", LOW_BITS, 0, numbers.low(0), numbers.step()), definitions);
    Expr lower = AheadOfProduct.element(einsum, "low", low, einsum.ranks(), definitions);
    Einsum one = (Einsum) definitions.getLast();
    Expr high = part(new Part("high", BITS - LOW_BITS, LOW_BITS, numbers.high(0), numbers.high(1) - numbers.high(0)), definitions);
    Einsum other = einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(sum) ? new Expr.Binary(BinaryOp.ADD, lower, high) : node));
    definitions.add(other);
    boolean areTabulated = Stream.of(one, other).allMatch(product -> TabulatedProduct.of(product, row, false).isPresent());
    return rows() <= MOST_ROWS && areTabulated ? Optional.of(definitions) : Optional.empty();
  }

  private long rows() {
    return Exprs.volume(einsum.ranks().stream().filter(rank -> !Exprs.freeRanks(word).contains(rank)).toList());
  }

  /// The sum of products with what `part` of each code stands for.
  ///
  /// @param before gets the words
  private Expr part(Part part, List<Definition> before) {
    int several = part.fields() / place().size().value();
    Rank whole = new Rank(words.name(), Size.of(words.size().value() / several));
    Rank fields = new Rank(place().name(), Size.of(part.fields()));
    Map<Rank, Expr> steps = new IdentityHashMap<>();
    steps.put(words, new Expr.Binary(BinaryOp.ADD, times(new Expr.Coordinate(whole), several), among(BinaryOp.DIV, fields)));
    steps.put(place(), among(BinaryOp.MOD, fields));
    List<Rank> ranks = sum.ranks().stream().map(rank -> rank == words ? whole : rank == place() ? fields : rank).toList();
    List<Expr> indices = new ArrayList<>(word.indices());
    Expr first = Exprs.substitute(indices.get(axis), Map.of(words, times(new Expr.Coordinate(whole), several)));
    indices.set(axis, IndexForm.simplified(new Expr.Binary(BinaryOp.DIV, first, Expr.index(several))));
    Expr value = part.value(Field.cut(new Expr.Access(words(part, before), indices), new Expr.Coordinate(fields), part.bits(), part.mask()));
    Stream<Expr> factors = Factors.of(sum.body()).map(factor -> factor == decoded ? value : IndexForm.withSimpleIndices(Exprs.substitute(factor, steps)));
    return new Expr.Reduce(Reduction.SUM, ranks, Factors.product(factors.toList()));
  }

  /// Words that have nothing but `part` of each code.
  private Tensor words(Part part, List<Definition> before) {
    int several = part.fields() / place().size().value();
    List<Rank> ranks = new ArrayList<>();
    for (int i = 0; i < word.indices().size(); i++) {
      int size = word.tensor().shape().get(i).value();
      ranks.add(i == axis ? new Rank(words.name(), Size.of(size / several)) : new Rank(word.indices().get(i) instanceof Expr.Coordinate(Rank rank) ? rank.name() : "d" + i, Size.of(size)));
    }
    Rank fields = new Rank("f", Size.of(part.fields()));
    List<Expr> indices = new ArrayList<>(Exprs.coordinates(ranks));
    indices.set(axis, new Expr.Binary(BinaryOp.ADD, times(indices.get(axis), several), among(BinaryOp.DIV, fields)));
    Expr from = times(among(BinaryOp.MOD, fields), field.bits());
    Expr distance = part.from() == 0 ? from : new Expr.Binary(BinaryOp.ADD, from, Expr.index(part.from()));
    Expr bits = new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHR, new Expr.Access(word.tensor(), indices), distance), Expr.index(part.mask()));
    Expr shifted = new Expr.Binary(BinaryOp.SHL, bits, times(new Expr.Coordinate(fields), part.bits()));
    Tensor tensor = new Tensor(einsum.tensor().name() + "_" + part.name() + "_words", ElementType.I32, ranks.stream().map(Rank::size).toList(), einsum.span());
    before.add(new Einsum(tensor, ranks, new Expr.Reduce(Reduction.SUM, List.of(fields), shifted), einsum.span()));
    return tensor;
  }

  private Rank place() {
    return sum.ranks().getLast();
  }

  /// The word among several, or the place in it, of the field at a coordinate of `fields`.
  private Expr among(BinaryOp op, Rank fields) {
    return new Expr.Binary(op, new Expr.Coordinate(fields), Expr.index(place().size().value()));
  }

  private static Expr times(Expr expr, int factor) {
    return factor == 1 ? expr : new Expr.Binary(BinaryOp.MUL, expr, Expr.index(factor));
  }
}
