package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.analysis.ValueRanges;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.cascade.Factors;
import dev.einfall.passes.cascade.IndexForm;
import dev.einfall.passes.cascade.Uses;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A factor of a product as a multiple of a byte, or a number of 16 bits, which is an element of a tensor, or of a field of one, less what means 0.
///
/// ```
/// (f32(C[k, n]) - Z[n]) * T[n]        code C[k, n], zero Z[n], scales T[n]
/// ```
///
/// @param code where the byte is: an access, or a field as [ByteFields] makes them
/// @param definition what computes that tensor, if it is not there yet
/// @param zero what is subtracted from the byte, if anything is
/// @param scales the other factors
record IntegerFactor(Expr code, Optional<Einsum> definition, Optional<Expr> zero, List<Expr> scales) {
  /// What is added to a factor that an instruction takes without a sign.
  static final int OFFSET = 128;

  /// Of what instructions multiply: fields are bytes without a sign.
  ElementType type() {
    return code.type() == ElementType.I32 ? ElementType.U8 : code.type();
  }

  /// The code as an `i32`.
  Expr integer() {
    return code.type() == ElementType.I32 ? code : new Expr.Cast(ElementType.I32, code);
  }

  /// Whether the code is one of `constants`.
  boolean isConstant(Set<Tensor> constants) {
    return Factors.isConstant(code, constants);
  }

  /// `factor` as a multiple of a byte that is stored, or that can be where the tensor is made.
  static Optional<IntegerFactor> of(Uses uses, Expr factor) {
    if (factor instanceof Expr.Binary(BinaryOp op, Expr left, Expr zero) && op == BinaryOp.SUB && !Exprs.hasReduction(zero)) {
      return stored(left).map(code -> new IntegerFactor(code, Optional.empty(), Optional.of(zero), List.of()));
    }
    Optional<IntegerFactor> stored = stored(factor).map(code -> new IntegerFactor(code, Optional.empty(), Optional.empty(), List.of()));
    Einsum producer = factor instanceof Expr.Access access && access.outside().isEmpty() ? uses.einsums().get(access.tensor()) : null;
    return producer == null || uses.constants().contains(producer.tensor()) ? stored : made((Expr.Access) factor, producer);
  }

  private static Optional<Expr> stored(Expr factor) {
    boolean isFloat = factor instanceof Expr.Cast(ElementType to, Expr _) && to == ElementType.F32;
    return isFloat ? factor.children().findFirst().filter(code -> code instanceof Expr.Access access && isShort(access.type()) && access.outside().isEmpty()
        || ByteFields.byteOf(code).isPresent()) : Optional.empty();
  }

  private static Optional<IntegerFactor> made(Expr.Access access, Einsum producer) {
    List<Expr> factors = Factors.of(producer.value()).toList();
    List<Expr> codes = factors.stream().filter(factor -> factor instanceof Expr.Cast(ElementType to, Expr code) && to == ElementType.F32 && isShort(code.type())).toList();
    boolean hasPlace = access.indices().stream().flatMap(Exprs::accesses).findAny().isEmpty();
    if (codes.size() != 1 || !hasPlace || Exprs.hasReduction(producer.value())) {
      return Optional.empty();
    }
    Map<Rank, Expr> places = new IdentityHashMap<>();
    for (int i = 0; i < access.indices().size(); i++) {
      places.put(producer.ranks().get(i), access.indices().get(i));
    }
    Expr code = ((Expr.Cast) codes.getFirst()).operand();
    Tensor tensor = new Tensor(producer.tensor().name() + "_code", code.type(), producer.tensor().shape(), producer.span());
    List<Expr> scales = factors.stream().filter(factor -> factor != codes.getFirst())
        .map(factor -> IndexForm.withSimpleIndices(Exprs.substitute(factor, places))).toList();
    return Optional.of(new IntegerFactor(new Expr.Access(tensor, access.indices()), Optional.of(defined(tensor, producer, code)), Optional.empty(), scales));
  }

  /// `code`, a part of the value of `producer`, for ranks of its own: others may read the producer still.
  private static Einsum defined(Tensor tensor, Einsum producer, Expr code) {
    List<Rank> ranks = producer.ranks().stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    Map<Rank, Expr> places = new IdentityHashMap<>();
    for (int i = 0; i < ranks.size(); i++) {
      places.put(producer.ranks().get(i), new Expr.Coordinate(ranks.get(i)));
    }
    return new Einsum(tensor, ranks, Exprs.substitute(code, places), producer.span());
  }

  private static boolean isShort(ElementType type) {
    return type == ElementType.I8 || type == ElementType.U8 || type == ElementType.I16;
  }

  /// What the code is in.
  Interval range() {
    return definition.map(made -> new ValueRanges().of(made.value())).orElseGet(() -> Interval.of(type()));
  }

  /// This with [#OFFSET] added to a code that is made.
  IntegerFactor offset() {
    return made(ElementType.U8, new Expr.Binary(BinaryOp.ADD, whole(definition.orElseThrow().value()), Expr.index(OFFSET)));
  }

  /// This with 16 bits for a code that is made: nothing has to widen it in the product.
  IntegerFactor widened() {
    return definition.filter(made -> made.tensor().type() != ElementType.I16).map(made -> made(ElementType.I16, whole(made.value()))).orElse(this);
  }

  /// This with another code of `type` in the place of that which is made.
  private IntegerFactor made(ElementType type, Expr value) {
    Einsum old = definition.orElseThrow();
    Tensor tensor = new Tensor(old.tensor().name(), type, old.tensor().shape(), old.span());
    Einsum made = new Einsum(tensor, old.ranks(), new Expr.Cast(type, value), old.span());
    return new IntegerFactor(new Expr.Access(tensor, ((Expr.Access) code).indices()), Optional.of(made), zero, scales);
  }

  /// The byte `code` as an `i32`; what is in the range of its type already is not cut to it.
  private static Expr whole(Expr code) {
    boolean fits = code instanceof Expr.Cast(ElementType type, Expr operand) && Interval.of(type).contains(new ValueRanges().of(operand));
    return new Expr.Cast(ElementType.I32, fits ? ((Expr.Cast) code).operand() : code);
  }

  /// What the steps of a group may not differ in: the scales, and what means 0.
  List<Expr> shared() {
    List<Expr> shared = new ArrayList<>(scales);
    zero.ifPresent(shared::add);
    return shared;
  }
}
