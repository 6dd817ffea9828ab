package dev.einfall.tests.loop;

import static dev.einfall.ir.loop.Expr.index;
import static dev.einfall.tests.loop.Loops.below;
import static dev.einfall.tests.loop.Loops.binary;
import static dev.einfall.tests.loop.Loops.divide;
import static dev.einfall.tests.loop.Loops.global;
import static dev.einfall.tests.loop.Loops.kernel;
import static dev.einfall.tests.loop.Loops.load;
import static dev.einfall.tests.loop.Loops.minus;
import static dev.einfall.tests.loop.Loops.modulo;
import static dev.einfall.tests.loop.Loops.plus;
import static dev.einfall.tests.loop.Loops.ref;
import static dev.einfall.tests.loop.Loops.store;
import static dev.einfall.tests.loop.Loops.times;
import static dev.einfall.tests.loop.Loops.within;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Interval;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Var;
import org.junit.jupiter.api.Test;

class RangesTest {
  private final Var m1 = Var.counter("m1");
  private final Var m0 = Var.counter("m0");
  private final Ranges tiles = Ranges.empty().loop(m1, index(11)).loop(m0, index(12));
  private final Expr m = plus(times(ref(m1), 12), ref(m0));

  @Test
  void aSumOfCountersAddsTheirRanges() {
    assertRange(0, 131, tiles.of(m));
  }

  @Test
  void aConditionOnATileNumberSeparatesWholeTilesFromTheTail() {
    Expr whole = below(ref(m1), 10);
    assertRange(0, 119, tiles.assume(whole, true).of(m));
    assertRange(120, 131, tiles.assume(whole, false).of(m));
  }

  @Test
  void aConditionOnASumHoldsForTheSumWrittenDifferently() {
    Ranges inside = tiles.assume(below(m, 127), true);
    assertRange(0, 126, inside.of(plus(ref(m0), times(ref(m1), 12))));
    assertRange(1, 127, inside.of(plus(m, 1)));
    assertEquals(252, inside.of(times(m, 2)).high());
  }

  @Test
  void aLoopBoundedByWhatIsLeftStaysInside() {
    Var tail = Var.counter("t");
    Expr left = binary(BinaryOp.MIN, index(12), minus(index(127), times(ref(m1), 12)));
    Ranges inside = tiles.loop(tail, left);
    assertRange(0, 126, inside.of(plus(times(ref(m1), 12), ref(tail))));
  }

  @Test
  void aChoiceByTheSameCounterAsAFactAboutItEnds() {
    Var other = Var.counter("i");
    Expr choice = new Expr.Select(below(plus(ref(m0), ref(other)), 3), index(1), index(0));
    Ranges ranges = tiles.loop(other, index(12)).assume(below(plus(ref(m0), choice), 5), true);
    assertRange(0, 1, ranges.of(choice));
    assertRange(0, 4, ranges.of(plus(ref(m0), choice)));
  }

  @Test
  void aShiftByMoreBitsThanThereAreIsByTheLowBits() {
    Expr shifted = binary(BinaryOp.SHR, new Expr.IntLiteral(ElementType.U8, 200), new Expr.IntLiteral(ElementType.U8, 9));
    assertRange(0, 255, Ranges.empty().of(shifted));
  }

  @Test
  void aLetStandsForItsValue() {
    Var bound = Var.counter("b");
    Ranges ranges = tiles.let(bound, m).assume(below(ref(bound), 100), true);
    assertRange(0, 99, ranges.of(m));
    assertEquals(96, ranges.of(minus(ref(bound), ref(m0))).high());
  }

  @Test
  void quotientsAndRemaindersByConstants() {
    assertRange(0, 10, tiles.of(divide(m, 12)));
    assertRange(0, 11, tiles.of(modulo(m, 12)));
    assertRange(0, 11, tiles.of(minus(m, times(divide(m, 12), 12))));
    assertRange(0, 131, tiles.of(plus(times(divide(m, 12), 12), modulo(m, 12))));
    assertRange(-1, -1, Ranges.empty().of(divide(index(-1), 4)));
  }

  @Test
  void clampsAndSelects() {
    Expr x = minus(m, index(5));
    assertRange(0, 99, tiles.of(binary(BinaryOp.MIN, binary(BinaryOp.MAX, x, index(0)), index(99))));
    assertRange(0, 126, tiles.of(new Expr.Select(within(x, 100), x, index(126))));
  }

  @Test
  void rampsSpanTheirLanes() {
    assertRange(0, 191, tiles.of(new Expr.Ramp(times(ref(m0), 16), 1, 16)));
    assertRange(0, 30, tiles.of(new Expr.Ramp(index(0), 2, 16)));
    assertRange(-15, 0, tiles.of(new Expr.Ramp(index(0), -1, 16)));
  }

  @Test
  void anIdentifierThatWasCheckedIsKnownToBeInside() {
    Buffer ids = global("ids", ElementType.I64, 8);
    Expr id = new Expr.Cast(ElementType.I32, load(ids, ref(m0)));
    Var bound = Var.counter("i");
    Ranges ranges = Ranges.of(kernel(dev.einfall.ir.loop.Stmt.NOTHING, ids));
    assertRange(0, 99, ranges.let(bound, id).assume(within(ref(bound), 100), true).of(ref(bound)));
    Expr wide = load(ids, ref(m0));
    Expr inside = binary(BinaryOp.AND, binary(BinaryOp.GE, wide, new Expr.IntLiteral(ElementType.I64, 0)),
        binary(BinaryOp.LT, wide, new Expr.IntLiteral(ElementType.I64, 100)));
    assertRange(0, 99, ranges.assume(inside, true).of(id));
  }

  @Test
  void whatIsMaskedIsWithinTheMask() {
    Buffer codes = global("codes", ElementType.I32, 8);
    Ranges ranges = Ranges.of(kernel(dev.einfall.ir.loop.Stmt.NOTHING, codes));
    Expr code = load(codes, ref(m0));
    assertRange(0, 15, ranges.of(binary(BinaryOp.AND, code, index(15))));
    assertRange(0, 15, ranges.of(binary(BinaryOp.AND, index(15), binary(BinaryOp.SHR, code, index(4)))));
    assertRange(0, 3, ranges.of(binary(BinaryOp.AND, index(7), binary(BinaryOp.AND, code, index(3)))));
    assertRange(Integer.MIN_VALUE, Integer.MAX_VALUE, ranges.of(binary(BinaryOp.AND, code, index(-16))));
  }

  @Test
  void aLoadFromAChangingBufferTeachesNothing() {
    Buffer ids = global("ids", ElementType.I32, 8);
    Ranges ranges = Ranges.of(kernel(store(ids, index(0), index(0)), ids));
    Ranges assumed = ranges.assume(within(load(ids, index(0)), 4), true);
    assertRange(Integer.MIN_VALUE, Integer.MAX_VALUE, assumed.of(load(ids, index(0))));
    Var bound = Var.counter("i");
    assertRange(0, 3, ranges.let(bound, load(ids, index(0))).assume(within(ref(bound), 4), true).of(ref(bound)));
  }

  @Test
  void arithmeticThatMayWrapAroundHasAnyValue() {
    Expr big = times(ref(m1), 1 << 30);
    assertRange(Integer.MIN_VALUE, Integer.MAX_VALUE, tiles.of(big));
    assertRange(0, 10, tiles.of(minus(plus(big, ref(m1)), big)));
    Expr wrapped = below(big, 0);
    assertRange(0, 10, tiles.assume(wrapped, true).of(ref(m1)));
  }

  @Test
  void contradictionsMakeAPlaceImpossible() {
    assertTrue(tiles.assume(below(ref(m1), 0), true).impossible());
    assertTrue(tiles.assume(below(ref(m1), 11), false).impossible());
    assertEquals(Interval.of(1), tiles.of(below(ref(m1), 11)));
    assertEquals(Interval.of(0), tiles.of(below(m, 0)));
    assertEquals(Interval.of(ElementType.BOOL), tiles.of(below(m, 5)));
  }

  private static void assertRange(long low, long high, Interval actual) {
    assertEquals(new Interval(low, high), actual);
  }
}
