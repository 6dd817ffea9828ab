package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/// A table of `f32` cut into planes, of which each has one byte of every element: see [PermutePlanes].
///
/// @param planes for each byte the vectors of its plane
record TablePlanes(Buffer table, Buffer planes) {
  private static final int PLANES = Float.BYTES;
  /// The numbers of the first bytes of four elements, and how much further those of the next four are.
  private static final int FIRST_BYTES = 0x0c080400;
  private static final int NEXT_ELEMENTS = 0x10101010;
  private static final int ALL = 0x01010101;
  private static final int NEXT_LANE = 0x04040404;

  static TablePlanes of(Buffer table, int bytes) {
    List<Integer> extents = List.of(PLANES, table.extents().getFirst() / bytes, bytes / Integer.BYTES);
    return new TablePlanes(table, new Buffer(table.name().toLowerCase(Locale.ROOT) + "_planes", ElementType.I32, extents, Buffer.Space.LOCAL));
  }

  private int vectors() {
    return planes.extents().get(1);
  }

  private int lanes() {
    return planes.extents().get(2);
  }

  /// `body` after the planes are there.
  Stmt around(Stmt body) {
    Var part = new Var("part", Expr.index(0).type());
    Stmt all = Stmt.block(IntStream.range(0, PLANES).mapToObj(plane -> cut(plane, new Expr.Ref(part))).toList());
    Stmt loop = new Stmt.For(part, Expr.index(vectors()), Stmt.For.Kind.SERIAL, all, Span.NONE);
    return new Stmt.Alloc(planes, Stmt.block(loop, body));
  }

  /// Stores one byte of as many elements as a vector has bytes.
  private Stmt cut(int plane, Expr part) {
    List<Expr> elements = new ArrayList<>();
    for (int vector = 0; vector < PLANES; vector++) {
      Expr first = new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, part, Expr.index((long) PLANES * lanes())), Expr.index((long) vector * lanes()));
      Expr floats = new Expr.Load(table, List.of(new Expr.Ramp(vector == 0 ? ((Expr.Binary) first).left() : first, 1, lanes())));
      elements.add(new Expr.Bitcast(ElementType.I32, floats));
    }
    Expr bytes = new Expr.PermuteBytes(new Expr.Ramp(Expr.index(FIRST_BYTES + plane * ALL), NEXT_ELEMENTS, lanes()), elements);
    return new Stmt.Store(planes, List.of(Expr.index(plane), part, lane()), bytes);
  }

  private Expr lane() {
    return new Expr.Ramp(Expr.index(0), 1, lanes());
  }

  /// What the four fields of words stand for, of which each pair of bytes is in a variable.
  ///
  /// @param variables what is chosen and put together on the way, in order
  /// @param elements of each field
  record Fields(Map<Var, Expr> variables, List<Expr> elements) {

    Expr element(int field) {
      return elements.get(field);
    }

    /// `body` with the variables.
    Stmt around(Stmt body) {
      Stmt result = body;
      for (Map.Entry<Var, Expr> variable : List.copyOf(variables.entrySet()).reversed()) {
        result = new Stmt.Let(variable.getKey(), variable.getValue(), result);
      }
      return result;
    }
  }

  /// The elements whose numbers the bytes of `bits` are.
  Fields fields(Expr bits) {
    Map<Var, Expr> variables = new LinkedHashMap<>();
    Expr words = named("words", bits, variables);
    List<Expr> chosen = IntStream.range(0, PLANES).mapToObj(plane -> named("chosen", chosen(words, plane), variables)).toList();
    List<Expr> elements = new ArrayList<>();
    for (boolean isUpper : List.of(false, true)) {
      Expr low = named("low", bytes(isUpper, chosen.get(0), chosen.get(1)), variables);
      Expr high = named("high", bytes(isUpper, chosen.get(2), chosen.get(3)), variables);
      elements.add(new Expr.Bitcast(ElementType.F32, halves(false, low, high)));
      elements.add(new Expr.Bitcast(ElementType.F32, halves(true, low, high)));
    }
    return new Fields(variables, elements);
  }

  private static Expr named(String name, Expr value, Map<Var, Expr> variables) {
    Var var = new Var(name, value.type());
    variables.put(var, value);
    return new Expr.Ref(var);
  }

  /// For each byte of `words` the byte of the element in one plane.
  private Expr chosen(Expr words, int plane) {
    List<Expr> tables = IntStream.range(0, vectors()).<Expr>mapToObj(vector -> new Expr.Load(planes, List.of(Expr.index(plane), Expr.index(vector), lane()))).toList();
    return new Expr.PermuteBytes(words, tables);
  }

  /// The two lower (upper) bytes of each lane of `left` and `right` in turn.
  private Expr bytes(boolean upper, Expr left, Expr right) {
    int other = planes.extents().get(2) * Integer.BYTES;
    int first = upper ? 2 : 0;
    return zipped(first, other + first, first + 1, other + first + 1, left, right);
  }

  /// The lower (upper) half of each lane of `left` and then that of `right`.
  private Expr halves(boolean upper, Expr left, Expr right) {
    int other = planes.extents().get(2) * Integer.BYTES;
    int first = upper ? 2 : 0;
    return zipped(first, first + 1, other + first, other + first + 1, left, right);
  }

  private Expr zipped(int first, int second, int third, int fourth, Expr left, Expr right) {
    int numbers = first | second << Byte.SIZE | third << 2 * Byte.SIZE | fourth << 3 * Byte.SIZE;
    return new Expr.PermuteBytes(new Expr.Ramp(Expr.index(numbers), NEXT_LANE, lanes()), List.of(left, right));
  }
}
