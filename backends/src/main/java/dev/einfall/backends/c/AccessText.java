package dev.einfall.backends.c;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I32;
import static dev.einfall.ir.ElementType.I64;

import dev.einfall.backends.kernel.Cell;
import dev.einfall.backends.kernel.LinearIndex;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Repetition;
import dev.einfall.ir.loop.ValueType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Writes accesses to buffers: an element is `X[m * 64 + k]`, lanes are a call.
public final class AccessText {
  private final ExprText exprs;
  private final Vocabulary vocabulary;
  private final CNames names;

  AccessText(ExprText exprs, Vocabulary vocabulary, CNames names) {
    this.exprs = exprs;
    this.vocabulary = vocabulary;
    this.names = names;
  }

  /// The value of the elements at `indices`; for `bool` with lanes a mask of bytes.
  String load(Buffer buffer, List<Expr> indices) {
    if (buffer.space() == Buffer.Space.REGISTER) {
      return names.of(Cell.of(buffer, indices));
    }
    ValueType type = new ValueType(buffer.type(), Expr.lanes(indices));
    String bits = bits(buffer, indices);
    if (CTypes.isRounded(buffer.type())) {
      return vocabulary.fromBits(type) + "(" + bits + ")";
    }
    return type.isVector() && buffer.type() == BOOL ? "(" + vocabulary.type(type) + ") (" + bits + " != 0)" : bits;
  }

  /// The elements at `indices` as they lie in memory.
  String bits(Buffer buffer, List<Expr> indices) {
    ValueType type = new ValueType(buffer.type(), Expr.lanes(indices));
    return type.isVector() ? loadLanes(type, buffer, indices) : element(buffer, indices);
  }

  private String loadLanes(ValueType type, Buffer buffer, List<Expr> indices) {
    Optional<LinearIndex> linear = LinearIndex.flat(buffer, indices);
    if (linear.isEmpty()) {
      Optional<Repetition> repeated = repeated(indices);
      if (repeated.isPresent()) {
        List<Expr> first = Stream.concat(indices.subList(0, indices.size() - 1).stream(), Stream.of(repeated.get().base())).toList();
        return vocabulary.loadRepeated(type, repeated.get().count()) + "(" + pointer(buffer, LinearIndex.flat(buffer, first).orElseThrow()) + ")";
      }
      Expr places = places(buffer, indices);
      return vocabulary.gather(type, places.type().element()) + "(" + names.of(buffer) + ", " + exprs.text(places) + ")";
    }
    String first = pointer(buffer, linear.get());
    return linear.get().lane() == 1 ? vocabulary.load(type) + "(" + first + ")"
        : vocabulary.loadStrided(type) + "(" + first + ", " + linear.get().lane() + ")";
  }

  /// What the last of `indices` repeats, if the others are scalars.
  private static Optional<Repetition> repeated(List<Expr> indices) {
    boolean isRow = indices.subList(0, indices.size() - 1).stream().noneMatch(index -> index.type().isVector());
    return isRow ? Repetition.of(indices.getLast()) : Optional.empty();
  }

  /// A statement that stores `value`, as it is computed with, to the elements at `indices`.
  public String store(Buffer buffer, List<Expr> indices, Expr value) {
    ValueType type = value.type();
    if (buffer.space() == Buffer.Space.REGISTER) {
      String register = type.isVector() && type.element() == BOOL ? exprs.mask(value, 1) : exprs.text(value);
      return names.of(Cell.of(buffer, indices)) + " = " + register + ";";
    }
    if (!type.isVector()) {
      return element(buffer, indices) + " = " + inMemory(type, value) + ";";
    }
    Optional<LinearIndex> linear = LinearIndex.flat(buffer, indices);
    if (linear.isEmpty()) {
      Expr places = places(buffer, indices);
      return vocabulary.scatter(type, places.type().element()) + "(" + names.of(buffer) + ", " + exprs.text(places) + ", " + inMemory(type, value) + ");";
    }
    String first = pointer(buffer, linear.get());
    return linear.get().lane() == 1 ? vocabulary.store(type) + "(" + first + ", " + inMemory(type, value) + ");"
        : vocabulary.storeStrided(type) + "(" + first + ", " + linear.get().lane() + ", " + inMemory(type, value) + ");";
  }

  private String inMemory(ValueType type, Expr value) {
    if (CTypes.isRounded(type.element())) {
      return exprs.bits(value);
    }
    return type.isVector() && type.element() == BOOL ? "(" + vocabulary.storedMask(type) + ") (" + exprs.mask(value, 1) + " & 1)" : exprs.text(value);
  }

  /// The address of the element at `indices`.
  public String address(Buffer buffer, List<Expr> indices) {
    return "&" + element(buffer, indices);
  }

  /// The number of the element at `indices`.
  public String offset(Buffer buffer, List<Expr> indices) {
    return sum(LinearIndex.flat(buffer, indices).orElseThrow());
  }

  /// A scalar as it lies in memory.
  public String stored(Expr value) {
    return inMemory(value.type(), value);
  }

  /// One element as it lies in memory.
  private String element(Buffer buffer, List<Expr> indices) {
    return names.of(buffer) + "[" + offset(buffer, indices) + "]";
  }

  private String pointer(Buffer buffer, LinearIndex first) {
    String sum = sum(first);
    return sum.equals("0") ? names.of(buffer) : "&" + names.of(buffer) + "[" + sum + "]";
  }

  /// The offset of the first lane.
  private String sum(LinearIndex index) {
    List<String> terms = new ArrayList<>();
    for (Map.Entry<Expr, Long> term : index.terms().entrySet()) {
      terms.add(exprs.wide(term.getKey()) + (term.getValue() == 1 ? "" : " * " + term.getValue()));
    }
    if (index.constant() != 0 || terms.isEmpty()) {
      terms.add(Long.toString(index.constant()));
    }
    return String.join(" + ", terms).replace("+ -", "- ");
  }

  /// The flat offsets of all lanes.
  private static Expr places(Buffer buffer, List<Expr> indices) {
    int lanes = Expr.lanes(indices);
    ElementType type = buffer.elements() <= Integer.MAX_VALUE ? I32 : I64;
    Expr sum = null;
    for (int dimension = 0; dimension < indices.size(); dimension++) {
      Expr index = indices.get(dimension);
      Expr cast = type == I32 ? index : new Expr.Cast(type, index);
      Expr lanesOfIndex = index.type().isVector() ? cast : new Expr.Broadcast(cast, lanes);
      long stride = buffer.stride(dimension);
      Expr term = stride == 1 ? lanesOfIndex
          : new Expr.Binary(BinaryOp.MUL, lanesOfIndex, new Expr.Broadcast(new Expr.IntLiteral(type, stride), lanes));
      sum = sum == null ? term : new Expr.Binary(BinaryOp.ADD, sum, term);
    }
    return sum;
  }
}
