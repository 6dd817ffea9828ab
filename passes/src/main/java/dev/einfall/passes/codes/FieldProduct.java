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
import dev.einfall.passes.cascade.IndexForm;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// A product that decodes data in its steps, and goes through fields of bytes byte by byte.
final class FieldProduct {
  /// How many neighbours may share a byte, or the bytes after which fields lie alike.
  private static final List<Integer> FIELDS = List.of(2, 4, 8);
  /// What is put in another order has to be a small part of what is multiplied.
  private static final int LEAST_USES = 8;
  private static final int MOST_TABLE_BITS = 4;

  private final Einsum einsum;
  private final Optional<Expr.Reduce> reduce;
  private final Expr body;
  private final List<Rank> reduced;
  private final List<Definition> before = new ArrayList<>();
  private final Map<Expr, Expr> replaced = new LinkedHashMap<>();

  private FieldProduct(Einsum einsum, Optional<Expr.Reduce> reduce) {
    this.einsum = einsum;
    this.reduce = reduce;
    this.body = reduce.map(Expr.Reduce::body).orElse(einsum.value());
    this.reduced = reduce.map(Expr.Reduce::ranks).orElse(List.of());
  }

  /// @param row how many elements a table has at most for which there is an instruction
  /// @return the definitions in place of `einsum`, if it is a sum of products with what bytes of data stand for, and not so already
  static Optional<List<Definition>> of(Einsum einsum, DecodedData data, int row) {
    List<Expr.Reduce> reductions = Exprs.reductions(einsum.value()).distinct().toList();
    boolean isSum = reductions.size() == 1 && reductions.getFirst().reduction() == Reduction.SUM && !Exprs.hasFold(einsum.value())
        && reductions.getFirst().body() instanceof Expr.Binary(BinaryOp op, Expr _, Expr _) && op == BinaryOp.MUL;
    if (!isSum || data.constant().contains(einsum.tensor())) {
      return Optional.empty();
    }
    Expr.Reduce sum = reductions.getFirst();
    long points = Math.multiplyExact(Exprs.volume(einsum.ranks()), Exprs.volume(sum.ranks()));
    Expr body = data.decodedIn(sum.body(), points);
    if (!data.isCoded(body)) {
      return Optional.empty();
    }
    Expr.Reduce decoding = new Expr.Reduce(sum.reduction(), sum.ranks(), Exprs.rewrite(body, FieldProduct::masked));
    Einsum decoded = einsum.withValue(Exprs.rewrite(einsum.value(), node -> node.equals(sum) ? decoding : node));
    return new FieldProduct(decoded, Optional.of(decoding)).split(data, row)
        .or(() -> body.equals(sum.body()) ? Optional.empty() : Optional.of(List.of(decoded)));
  }

  /// The definitions in place of `einsum`, if it decodes fields for many rows: those of each place of a byte, and all in order.
  static Optional<List<Definition>> ahead(Einsum einsum, DecodedData data, int row) {
    if (!data.decoded().contains(einsum.tensor())) {
      return Optional.empty();
    }
    Expr value = Exprs.rewrite(data.decodedIn(einsum.value(), Exprs.volume(einsum.ranks())), FieldProduct::masked);
    return new FieldProduct(einsum.withValue(value), Optional.empty()).split(data, row);
  }

  /// The remainder of data by a power of two as a mask, which vectors have.
  private static Expr masked(Expr node) {
    return node instanceof Expr.Binary(BinaryOp op, Expr left, Expr.IntLiteral(ElementType type, long count)) && op == BinaryOp.MOD && count > 0 && Long.bitCount(count) == 1
        && Exprs.accesses(left).findAny().isPresent() ? new Expr.Binary(BinaryOp.AND, left, new Expr.IntLiteral(type, count - 1)) : node;
  }

  private Optional<List<Definition>> split(DecodedData data, int row) {
    List<Rank> ranks = Stream.concat(reduced.reversed().stream(), einsum.ranks().reversed().stream()).toList();
    for (Rank rank : ranks) {
      for (int fields : FIELDS) {
        Places places = new Places(rank, fields);
        if (places.fit(body, data)) {
          return Optional.of(places).filter(this::isSmall).map(one -> definitions(one, row));
        }
      }
    }
    return Optional.empty();
  }

  /// A rank cut into places of bytes, or of as many bytes as hold `fields` neighbours, and the fields there.
  private record Places(Rank whole, int fields, Rank words, Rank field) {

    Places(Rank whole, int fields) {
      this(whole, fields, new Rank(whole.name() + "w", Size.of(Math.max(1, whole.size().value() / fields))), new Rank(whole.name() + "f", Size.of(fields)));
    }

    /// Whether bytes that neighbours share are one row each for all places of a field.
    boolean fit(Expr body, DecodedData data) {
      List<Expr.Access> shared = Exprs.accesses(body).filter(access -> data.isCode(access.tensor()) && Exprs.freeRanks(access).contains(whole)).toList();
      boolean isCut = shared.stream().anyMatch(access -> Affine.stride(access, whole).isEmpty());
      return isCut && whole.size().value() % fields == 0 && shared.stream().allMatch(access -> isRow((Expr.Access) at(access)) || isGroup(access));
    }

    private boolean isRow(Expr.Access access) {
      return !Exprs.freeRanks(access).contains(field) && Affine.stride(access, words).filter(stride -> stride == 1).isPresent();
    }

    /// Whether the byte is one that all fields of a place share with those of other places, such as a scale.
    private boolean isGroup(Expr.Access access) {
      return access.indices().stream().filter(index -> Exprs.freeRanks(index).contains(whole))
          .allMatch(index -> index instanceof Expr.Binary(BinaryOp op, Expr left, Expr.IntLiteral by) && op == BinaryOp.DIV && left instanceof Expr.Coordinate
              && by.value() > FIELDS.getLast() && by.value() % fields == 0);
    }

    /// `expr` at the place and the field, in simple terms.
    Expr at(Expr expr) {
      Expr coordinate = new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(words), Expr.index(fields)), new Expr.Coordinate(field));
      return simple(Exprs.substitute(expr, Map.of(whole, coordinate)));
    }

    private static Expr simple(Expr expr) {
      boolean isIndex = expr.type().isInteger() && Exprs.accesses(expr).findAny().isEmpty();
      return isIndex ? IndexForm.simplified(expr) : expr.mapChildren(Places::simple);
    }
  }

  /// Whether what has to be put in another order is little beside what is multiplied.
  private boolean isSmall(Places places) {
    long points = Exprs.volume(einsum.ranks()) * Exprs.volume(reduced);
    boolean isResultSmall = reduce.isEmpty() || reduced.contains(places.whole) || Exprs.volume(einsum.ranks()) * LEAST_USES <= points;
    return isResultSmall && apart(places).stream().allMatch(access -> Exprs.volume(List.copyOf(Exprs.freeRanks(access))) * LEAST_USES <= points);
  }

  /// What the product reads of floats whose neighbours lie apart now.
  private List<Expr.Access> apart(Places places) {
    return Exprs.accesses(places.at(body)).distinct()
        .filter(access -> Affine.stride(access, places.words).filter(stride -> stride != 0 && stride != 1).isPresent()).toList();
  }

  private List<Definition> definitions(Places places, int row) {
    for (Expr.Access access : apart(places)) {
      replaced.put(access, fields(access, places));
    }
    Expr there = places.at(body);
    Codes codes = Codes.of(places.words, List.of(there));
    Expr decoded = tabled(Exprs.rewrite(there, node -> replaced.getOrDefault(node, node)), codes, row);
    boolean isReduced = reduced.contains(places.whole);
    Expr value = withBody(decoded, isReduced ? cut(reduced, places, places.words, places.field) : reduced);
    List<Definition> definitions = new ArrayList<>();
    if (isReduced) {
      definitions.add(einsum.withValue(value));
    } else {
      definitions.addAll(inOrder(places.at(value), places));
    }
    definitions.addAll(0, before);
    return definitions;
  }

  /// What the Einsum computes with another body, summed over other ranks.
  private Expr withBody(Expr other, List<Rank> ranks) {
    return reduce.map(sum -> Exprs.rewrite(einsum.value(), node -> node.equals(sum) ? new Expr.Reduce(sum.reduction(), ranks, other) : node)).orElse(other);
  }

  private static List<Rank> cut(List<Rank> ranks, Places places, Rank first, Rank second) {
    return ranks.stream().flatMap(rank -> rank == places.whole ? Stream.of(first, second) : Stream.of(rank)).toList();
  }

  /// The product with fields apart, and its elements in order.
  private List<Definition> inOrder(Expr value, Places places) {
    List<Rank> ranks = cut(einsum.ranks(), places, places.field, places.words);
    Tensor apart = new Tensor(einsum.tensor().name() + "_fields", einsum.tensor().type(), ranks.stream().map(Rank::size).toList(), einsum.span());
    Map<Rank, Expr> own = new IdentityHashMap<>();
    List<Rank> fresh = einsum.ranks().stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    List<Expr> indices = new ArrayList<>();
    for (int i = 0; i < fresh.size(); i++) {
      Expr coordinate = new Expr.Coordinate(fresh.get(i));
      if (einsum.ranks().get(i) == places.whole) {
        indices.add(new Expr.Binary(BinaryOp.MOD, coordinate, Expr.index(places.fields)));
        indices.add(new Expr.Binary(BinaryOp.DIV, coordinate, Expr.index(places.fields)));
      } else {
        indices.add(coordinate);
      }
      own.put(einsum.ranks().get(i), coordinate);
    }
    return List.of(new Einsum(apart, ranks, value, einsum.span()), new Einsum(einsum.tensor(), fresh, new Expr.Access(apart, indices), einsum.span()));
  }

  /// A copy of what `access` reads, with the elements of a field side by side.
  private Expr fields(Expr.Access access, Places places) {
    Set<Rank> free = Exprs.freeRanks(access);
    List<Rank> ranks = new ArrayList<>(Stream.concat(einsum.ranks().stream(), reduced.stream()).filter(free::contains).toList());
    ranks.addAll(List.of(places.field, places.words));
    Map<Rank, Expr> values = new IdentityHashMap<>();
    List<Rank> own = ranks.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    for (int i = 0; i < own.size(); i++) {
      values.put(ranks.get(i), new Expr.Coordinate(own.get(i)));
    }
    Tensor tensor = new Tensor(einsum.tensor().name() + "_fields", access.type(), own.stream().map(Rank::size).toList(), einsum.span());
    before.add(new Einsum(tensor, own, Exprs.substitute(access, values), einsum.span()));
    return new Expr.Access(tensor, Exprs.coordinates(ranks));
  }

  /// `expr` with tables for functions of codes of few bits.
  private Expr tabled(Expr expr, Codes codes, int row) {
    List<Expr> inside = codes.of(expr);
    boolean isFunction = expr.type() == ElementType.F32 && inside.size() == 1 && Codes.isFunction(expr, inside.getFirst());
    if (isFunction && !(expr instanceof Expr.Access) && isShort(inside.getFirst(), row)) {
      return replaced.computeIfAbsent(expr, _ -> looked(expr, inside.getFirst()));
    }
    return expr instanceof Expr.Access ? expr : expr.mapChildren(child -> tabled(child, codes, row));
  }

  /// Whether an instruction chooses what stands for `code`, which is masked.
  private static boolean isShort(Expr code, int row) {
    int bits = Codes.bits(Codes.range(code));
    return bits <= MOST_TABLE_BITS && 1 << bits <= row && Codes.range(code).low() == 0
        && code instanceof Expr.Binary(BinaryOp op, Expr _, Expr.IntLiteral mask) && op == BinaryOp.AND && mask.value() == (1 << bits) - 1;
  }

  private Expr looked(Expr expr, Expr code) {
    Rank value = new Rank("value", Size.of(1 << Codes.bits(Codes.range(code))));
    Tensor tensor = new Tensor(einsum.tensor().name() + "_values", expr.type(), List.of(value.size()), einsum.span());
    Expr as = code.type() == ElementType.I32 ? new Expr.Coordinate(value) : new Expr.Cast(code.type(), new Expr.Coordinate(value));
    before.add(new Einsum(tensor, List.of(value), Exprs.rewrite(expr, node -> node.equals(code) ? as : node), einsum.span()));
    return new Expr.Access(tensor, List.of(code));
  }
}
