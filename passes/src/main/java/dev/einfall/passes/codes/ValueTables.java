package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.passes.loop.PermutePlanes;
import dev.einfall.passes.loop.PermuteRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// In how few operations what codes stand for is looked up: in one table; in half of it, where the highest bit is a sign; or in two short ones, where the lowest bits of codes say
/// how far along a line numbers are, as those of a mantissa do. Where codes are floats of few bits, these are moved to their places in an `f32` ([MovedBits]).
///
/// ```
/// V[c]      where(c && 128 != 0, -V[c && 127], V[c && 127])      where(t && 239 == 239, nan, V[t && 31] + D[t && 31] * f32(shr(t, 5)))      t: shr(c, 3) || shl(c && 7, 5)
/// ```
///
/// That a form gives all numbers bit for bit is found by trying each code.
sealed interface ValueTables permits ValueTables.Whole, ValueTables.Signed, ValueTables.Lines, MovedBits {
  /// How many operations it takes.
  int cost();

  /// The number of the code that is `place` above the least one.
  ///
  /// @param table makes the tables
  Expr at(Expr place, Tables table);

  /// What defines tables and reads them.
  interface Tables {
    /// The bits of the code in two's complement: the highest is its sign.
    Expr signed();

    /// The code with its lowest bits, as many as `low` says, above the others, if `place` is all of it: no mask is needed for these then.
    Optional<Expr> turned(Expr place, int low);

    /// @param length of the table
    /// @param step how many codes are from one number to the next
    /// @param isDistance whether it has how far it is from each number to that of the next code
    Expr element(int length, int step, boolean isDistance, Expr index);
  }

  /// Whether codes that stand for no number may become one: something else has to say so.
  default boolean hasNone() {
    return false;
  }

  /// The cheapest form for `values`, one for each code.
  ///
  /// @param areApart whether codes that stand for no number may become one
  static ValueTables of(double[] values, DecodeInProducts options, boolean areApart) {
    int row = options.row();
    List<ValueTables> all = new ArrayList<>(List.of(new Whole(values.length, lookUp(values.length, options))));
    if (options.maySubnormals()) {
      MovedBits.of(values, areApart).ifPresent(all::add);
    }
    lines(values, row, areApart).ifPresent(all::add);
    int half = values.length / 2;
    if (half > 1 && isSign(values)) {
      double[] upper = Arrays.copyOf(values, half);
      all.add(new Signed(half, new Whole(half, lookUp(half, row))));
      lines(upper, row, areApart).ifPresent(inner -> all.add(new Signed(half, inner)));
    }
    return all.stream().min(Comparator.comparingInt(ValueTables::cost)).orElseThrow();
  }

  /// How many operations a choice among so many elements takes, where fields of words choose.
  static int lookUp(int length, DecodeInProducts options) {
    return PermutePlanes.canChoose(length, options.bytes()) ? PermutePlanes.operations(length, options.bytes()) : lookUp(length, options.row());
  }

  /// How many operations a choice among so many elements takes; a lot if it is none of lanes.
  static int lookUp(int length, int row) {
    if (length <= row || row <= PermuteRows.MOST) {
      return 1;
    }
    int vectors = length / row;
    return PermuteRows.canChoose(length, row / PermuteRows.MOST) ? 2 * vectors - 1 + 2 * Integer.numberOfTrailingZeros(vectors) : length;
  }

  private static boolean isSign(double[] values) {
    int half = values.length / 2;
    for (int i = 0; i < half; i++) {
      if (!isSame(values[half + i], -values[i])) {
        return false;
      }
    }
    return true;
  }

  static boolean isSame(double a, double b) {
    return Double.doubleToLongBits(a) == Double.doubleToLongBits(b);
  }

  /// The cheapest form by lines.
  private static Optional<ValueTables> lines(double[] values, int row, boolean areApart) {
    List<ValueTables> all = new ArrayList<>();
    for (int low = 1; 1 << low + 1 < values.length && row > PermuteRows.MOST; low++) {
      line(values, low, row, areApart).ifPresent(all::add);
    }
    return all.stream().min(Comparator.comparingInt(ValueTables::cost));
  }

  private static Optional<ValueTables> line(double[] values, int low, int row, boolean areApart) {
    List<Integer> others = new ArrayList<>();
    for (int place = 0; place < values.length; place++) {
      int first = place >> low << low;
      double distance = (float) (values[first + 1] - values[first]);
      double product = distance * (place - first);
      boolean isLeft = areApart && Double.isNaN(values[place]);
      if (!isLeft && (!isSame(values[place], (float) (values[first] + product)) || product != (float) product && !Double.isNaN(product))) {
        others.add(place);
      }
    }
    int tables = 2 * lookUp(values.length >> low, row);
    if (others.isEmpty()) {
      return Optional.of(new Lines(values.length, low, Optional.empty(), areApart && Arrays.stream(values).anyMatch(Double::isNaN), tables + 3));
    }
    int half = values.length / 2;
    boolean areOne = others.size() == 1;
    boolean areSigned = others.size() == 2 && others.get(1) == others.get(0) + half && isSame(values[others.get(0)], values[others.get(1)]);
    return areOne || areSigned ? Optional.of(new Lines(values.length, low, Optional.of(new Other(areOne ? values.length - 1 : half - 1, others.getFirst(), values[others.getFirst()])), false, tables + 6))
        : Optional.empty();
  }

  /// One table.
  record Whole(int length, int cost) implements ValueTables {

    @Override
    public Expr at(Expr place, Tables table) {
      return table.element(length, 1, false, place);
    }
  }

  /// That of the bits below the highest, which says whether it is negated.
  record Signed(int half, ValueTables inner) implements ValueTables {

    @Override
    public int cost() {
      return inner.cost() + 4;
    }

    @Override
    public boolean hasNone() {
      return inner.hasNone();
    }

    @Override
    public Expr at(Expr place, Tables table) {
      Expr size = inner.at(masked(place, half - 1), table);
      return new Expr.Select(new Expr.Binary(BinaryOp.NE, masked(place, half), Expr.index(0)), new Expr.Unary(UnaryOp.NEG, size), size);
    }
  }

  /// The number of codes that are `place` in the bits of `mask`.
  record Other(int mask, int place, double value) {

    /// Whether `code` is one of these, of which as many of the lowest bits as `low` says are above the `high` others.
    private Expr isAt(Expr code, int low, int high) {
      return new Expr.Binary(BinaryOp.EQ, masked(code, turned(mask, low, high)), Expr.index(turned(place, low, high)));
    }

    private static int turned(int bits, int low, int high) {
      return bits >> low | (bits & (1 << low) - 1) << high;
    }
  }

  /// Lines of as many steps as `low` bits count.
  record Lines(int length, int low, Optional<Other> other, boolean hasNone, int cost) implements ValueTables {

    @Override
    public Expr at(Expr place, Tables table) {
      Optional<Expr> turned = table.turned(place, low);
      int steps = Integer.numberOfTrailingZeros(length) - low;
      Expr line = masked(turned.orElseGet(() -> new Expr.Binary(BinaryOp.SHR, place, Expr.index(low))), (length >> low) - 1);
      Expr step = new Expr.Cast(ElementType.F32, turned.<Expr>map(code -> new Expr.Binary(BinaryOp.SHR, code, Expr.index(steps))).orElseGet(() -> masked(place, (1 << low) - 1)));
      Expr first = table.element(length >> low, 1 << low, false, line);
      Expr number = new Expr.Binary(BinaryOp.ADD, first, new Expr.Binary(BinaryOp.MUL, table.element(length >> low, 1 << low, true, line), step));
      return other.map(one -> (Expr) new Expr.Select(turned.map(code -> one.isAt(code, low, steps)).orElseGet(() -> one.isAt(place, 0, 0)), Expr.literal(ElementType.F32, one.value), number)).orElse(number);
    }
  }

  static Expr masked(Expr place, long mask) {
    return place instanceof Expr.Binary(BinaryOp op, Expr inner, Expr.IntLiteral old) && op == BinaryOp.AND ? new Expr.Binary(op, inner, Expr.index(old.value() & mask))
        : new Expr.Binary(BinaryOp.AND, place, Expr.index(mask));
  }
}
