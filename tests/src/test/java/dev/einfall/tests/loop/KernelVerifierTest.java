package dev.einfall.tests.loop;

import static dev.einfall.ir.loop.Expr.index;
import static dev.einfall.tests.loop.Loops.below;
import static dev.einfall.tests.loop.Loops.global;
import static dev.einfall.tests.loop.Loops.kernel;
import static dev.einfall.tests.loop.Loops.load;
import static dev.einfall.tests.loop.Loops.loop;
import static dev.einfall.tests.loop.Loops.number;
import static dev.einfall.tests.loop.Loops.plus;
import static dev.einfall.tests.loop.Loops.ref;
import static dev.einfall.tests.loop.Loops.store;
import static dev.einfall.tests.loop.Loops.times;
import static dev.einfall.tests.loop.Loops.within;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelVerifier;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelVerifierTest {
  private final Buffer x = global("X", ElementType.F32, 127);
  private final Buffer y = global("Y", ElementType.F32, 127);
  private final Buffer ids = global("ids", ElementType.I64, 127);
  private final Var i = Var.counter("i");
  private final Var j = Var.counter("j");
  private final Buffer shared = new Buffer("S", ElementType.F32, List.of(8), Buffer.Space.SHARED);
  private final Buffer register =
      new Buffer("acc", ElementType.F32, List.of(4, 16), Buffer.Space.REGISTER);

  @Test
  void acceptsAParallelCopyInTilesWithATail() {
    Expr m = plus(times(ref(i), 12), ref(j));
    Stmt copy = new Stmt.If(below(m, 127), store(y, load(x, m), m), Stmt.NOTHING);
    KernelVerifier.verify(kernel(loop(i, 11, Kind.PARALLEL, loop(j, 12, copy)), x, y));
  }

  @Test
  void acceptsAGatherBehindARequire() {
    Var id = Var.counter("id");
    Stmt body = Stmt.block(
        new Stmt.Require(within(ref(id), 127), "id must be below 127 but is", ref(id)),
        store(y, load(x, ref(id)), ref(i)));
    Stmt let = new Stmt.Let(id, new Expr.Cast(ElementType.I32, load(ids, ref(i))), body);
    KernelVerifier.verify(kernel(loop(i, 127, let), x, ids, y));
  }

  @Test
  void rejectsAGatherWithoutARequire() {
    Expr id = new Expr.Cast(ElementType.I32, load(ids, ref(i)));
    rejects("which is not within 0..126", kernel(loop(i, 127, store(y, load(x, id), ref(i))), x, ids, y));
  }

  @Test
  void rejectsAnIndexPastTheEnd() {
    rejects("index 0 of Y: f32[127] may be in 0..127", kernel(loop(i, 128, store(y, number(0), ref(i))), y));
    Expr ramp = new Expr.Ramp(times(ref(i), 16), 1, 16);
    rejects("may be in 0..127", kernel(loop(i, 8, store(y, new Expr.Broadcast(number(0), 16), ramp)), y));
  }

  @Test
  void rejectsAPermuteByWhatMayBeOutsideOfTheTable() {
    Expr vector = load(x, new Expr.Ramp(index(0), 1, 16));
    Expr indices = new Expr.Ramp(ref(i), 1, 16);
    Stmt two = store(y, new Expr.Permute(indices, List.of(vector, vector)), new Expr.Ramp(index(0), 1, 16));
    KernelVerifier.verify(kernel(loop(i, 17, two), x, y));
    rejects("the indices of a permute may be in 0..32, which is not within 0..31", kernel(loop(i, 18, two), x, y));
  }

  @Test
  void rejectsALoadInASelectBranchThatIsNotTaken() {
    Expr guarded = new Expr.Select(below(ref(i), 127), load(x, ref(i)), number(0));
    Stmt body = loop(i, 128, new Stmt.If(below(ref(i), 100), Stmt.NOTHING, store(y, guarded, index(0))));
    rejects("may be in 100..127", kernel(body, x, y));
  }

  @Test
  void rejectsAVariableOutsideItsScope() {
    rejects("variable i: i32 is not in scope",
        kernel(Stmt.block(loop(i, 4, Stmt.NOTHING), store(y, number(0), ref(i))), y));
  }

  @Test
  void rejectsABinderBoundTwice() {
    rejects("bound twice: i: i32", kernel(Stmt.block(loop(i, 4, Stmt.NOTHING), loop(i, 4, Stmt.NOTHING)), y));
    rejects("bound twice: Y", kernel(Stmt.NOTHING, y, y));
  }

  @Test
  void rejectsABufferThatIsNotAParameter() {
    rejects("buffer X: f32[127] is not in scope", kernel(loop(i, 4, store(y, load(x, ref(i)), ref(i))), y));
    Stmt outside = Stmt.block(new Stmt.Alloc(register, Stmt.NOTHING), store(register, number(0), index(0), index(0)));
    rejects("buffer acc: f32[4, 16] is not in scope", kernel(outside, y));
  }

  @Test
  void rejectsAParallelLoopInsideOfTasks() {
    Stmt two = Stmt.block(store(y, number(0), ref(i)), loop(j, 4, Kind.PARALLEL, Stmt.NOTHING));
    rejects("a parallel loop inside a kernel of several tasks", kernel(loop(i, 4, Kind.PARALLEL, two), y));
    KernelVerifier.verify(kernel(loop(i, 4, Kind.PARALLEL, loop(j, 4, Kind.PARALLEL, Stmt.NOTHING))));
  }

  @Test
  void rejectsAParallelLoopInAnother() {
    KernelVerifier.verify(kernel(loop(i, 4, loop(j, 4, Kind.PARALLEL, Stmt.NOTHING))));
    Stmt inner = Stmt.block(loop(i, 4, Kind.PARALLEL, loop(j, 4, Kind.PARALLEL, Stmt.NOTHING)), Stmt.NOTHING);
    rejects("a parallel loop in another", kernel(new Stmt.Alloc(register, inner)));
  }

  @Test
  void rejectsRegistersThatThreadsWouldShare() {
    Stmt shared = loop(i, 4, Kind.PARALLEL, store(register, number(0), index(0), index(0)));
    rejects("uses the registers acc", kernel(new Stmt.Alloc(register, Stmt.block(store(register, number(0), index(0), index(0)), shared))));
  }

  @Test
  void acceptsThreadsThatShareMemoryAndWaitForEachOther() {
    KernelVerifier.verify(kernel(block(new Stmt.Alloc(shared, Stmt.block(
        loop(i, 8, Kind.THREAD, store(shared, load(x, ref(i)), ref(i))), new Stmt.Barrier(), turned()))), x, y));
  }

  @Test
  void acceptsThreadsThatUseTheirOwnElements() {
    KernelVerifier.verify(kernel(block(new Stmt.Alloc(shared, Stmt.block(
        loop(i, 8, Kind.THREAD, store(shared, load(x, ref(i)), ref(i))),
        loop(j, 8, Kind.THREAD, store(y, load(shared, ref(j)), ref(j)))))), x, y));
  }

  @Test
  void rejectsThreadsThatDoNotWait() {
    Stmt fill = loop(i, 8, Kind.THREAD, store(shared, load(x, ref(i)), ref(i)));
    rejects("a barrier is missing", kernel(block(new Stmt.Alloc(shared, Stmt.block(fill, turned()))), x, y));
    Stmt step = loop(Var.counter("step"), 3, Stmt.block(fill, new Stmt.Barrier(), turned()));
    rejects("a barrier is missing", kernel(block(new Stmt.Alloc(shared, step)), x, y));
    Stmt decides = new Stmt.If(new Expr.Binary(BinaryOp.LT, load(shared, index(0)), number(0)), Stmt.NOTHING, Stmt.NOTHING);
    rejects("a barrier is missing", kernel(block(new Stmt.Alloc(shared, Stmt.block(fill, decides))), x, y));
  }

  @Test
  void rejectsThreadsThatLoadWhatOneOfThemStores() {
    Stmt third = loop(i, 8, Kind.THREAD, new Stmt.If(below(ref(i), 1), store(shared, number(0), index(3)), Stmt.NOTHING));
    Stmt all = loop(j, 8, Kind.THREAD, store(y, load(shared, index(3)), ref(j)));
    rejects("a barrier is missing", kernel(block(new Stmt.Alloc(shared, Stmt.block(third, all))), y));
  }

  @Test
  void knowsThreadsByTheDigitsOfTheirCounters() {
    Buffer square = new Buffer("Q", ElementType.F32, List.of(4, 4), Buffer.Space.SHARED);
    Stmt fill = loop(i, 16, Kind.THREAD, store(square, number(0), over(ref(i), 4), rest(ref(i), 4)));
    Stmt same = loop(j, 16, Kind.THREAD, store(y, load(square, over(ref(j), 4), rest(ref(j), 4)), ref(j)));
    KernelVerifier.verify(kernel(block(new Stmt.Alloc(square, Stmt.block(fill, same))), y));
    Stmt other = loop(j, 16, Kind.THREAD, store(y, load(square, rest(ref(j), 4), over(ref(j), 4)), ref(j)));
    rejects("a barrier is missing", kernel(block(new Stmt.Alloc(square, Stmt.block(fill, other))), y));
  }

  private static Expr over(Expr index, int divisor) {
    return new Expr.Binary(BinaryOp.DIV, index, index(divisor));
  }

  private static Expr rest(Expr index, int divisor) {
    return new Expr.Binary(BinaryOp.MOD, index, index(divisor));
  }

  @Test
  void rejectsABarrierInAThread() {
    rejects("a barrier that one thread comes to", kernel(block(loop(i, 8, Kind.THREAD, new Stmt.Barrier()))));
  }

  @Test
  void rejectsAStoreByAllThreads() {
    rejects("a store by all threads to Y", kernel(block(store(y, number(0), index(0))), y));
  }

  @Test
  void rejectsAThreadInAnother() {
    rejects("a loop of another kind in a thread",
        kernel(block(loop(i, 8, Kind.THREAD, loop(j, 8, Kind.THREAD, store(y, number(0), ref(j))))), y));
  }

  @Test
  void rejectsThreadsOutsideOfABlock() {
    rejects("outside of a block", kernel(loop(i, 8, Kind.THREAD, store(y, number(0), ref(i))), y));
    rejects("outside of a block", kernel(loop(i, 8, block(Stmt.NOTHING)), y));
    rejects("outside of a block", kernel(new Stmt.Barrier()));
  }

  @Test
  void rejectsRegistersOfAllThreadsThatOneStoresTo() {
    Stmt one = loop(i, 8, Kind.THREAD, store(register, number(0), index(0), index(0)));
    rejects("a thread stores to registers of the outside", kernel(block(new Stmt.Alloc(register, one))));
  }

  @Test
  void rejectsMemoryOfAnotherThread() {
    Buffer own = new Buffer("own", ElementType.F32, List.of(8, 2), Buffer.Space.LOCAL);
    KernelVerifier.verify(kernel(block(new Stmt.Alloc(own, loop(i, 8, Kind.THREAD, store(own, number(0), ref(i), index(1)))))));
    rejects("memory of another thread", kernel(block(new Stmt.Alloc(own, loop(i, 8, Kind.THREAD, store(own, number(0), index(0), index(1)))))));
    rejects("memory of another thread", kernel(block(new Stmt.Alloc(own, loop(i, 4, Kind.THREAD, store(own, number(0), ref(i), index(1)))))));
  }

  @Test
  void acceptsMemoryOfThreadsThatAllCombine() {
    Buffer own = new Buffer("own", ElementType.F32, List.of(8), Buffer.Space.LOCAL);
    Stmt fill = loop(i, 8, Kind.THREAD, store(own, load(x, ref(i)), ref(i)));
    Var all = new Var("all", ValueType.scalar(ElementType.F32));
    Stmt one = loop(j, 1, Kind.THREAD, store(y, ref(all), ref(j)));
    Expr lanes = load(own, new Expr.Ramp(index(0), 1, 8));
    KernelVerifier.verify(kernel(block(new Stmt.Alloc(own,
        Stmt.block(fill, new Stmt.Let(all, new Expr.ReduceLanes(BinaryOp.ADD, lanes), one)))), x, y));
    Var some = new Var("some", ValueType.scalar(ElementType.F32));
    Expr half = load(own, new Expr.Ramp(index(0), 1, 4));
    rejects("memory of a thread in all of them", kernel(block(new Stmt.Alloc(own,
        Stmt.block(fill, new Stmt.Let(some, new Expr.ReduceLanes(BinaryOp.ADD, half), Stmt.NOTHING)))), x, y));
  }

  @Test
  void acceptsWarpsThatShareVectors() {
    Stmt fill = loop(i, 2, Kind.THREAD, store(shared, load(x, ref(i)), ref(i)));
    Stmt all = loop(j, 2, Kind.WARP, store(y, load(shared, lanes()), lanes()));
    KernelVerifier.verify(kernel(block(new Stmt.Alloc(shared, Stmt.block(fill, new Stmt.Barrier(), all))), x, y));
    rejects("a barrier is missing", kernel(block(new Stmt.Alloc(shared, Stmt.block(fill, all))), x, y));
  }

  /// Thread 1 is none of warp 1.
  @Test
  void rejectsWarpsThatReadWhatThreadsOfTheirNumbersStored() {
    Stmt fill = loop(i, 8, Kind.THREAD, store(shared, load(x, ref(i)), ref(i)));
    Stmt own = loop(j, 8, Kind.WARP, store(y, new Expr.Broadcast(load(shared, ref(j)), 8), lanes()));
    rejects("a barrier is missing", kernel(block(new Stmt.Alloc(shared, Stmt.block(fill, own))), x, y));
  }

  @Test
  void acceptsGroupsOfWarpsThatShareVectors() {
    Stmt fill = loop(i, 2, Kind.THREAD, store(shared, load(x, ref(i)), ref(i)));
    Stmt all = loop(j, 2, Kind.WARPGROUP, store(y, load(shared, lanes()), lanes()));
    KernelVerifier.verify(kernel(block(new Stmt.Alloc(shared, Stmt.block(fill, new Stmt.Barrier(), all))), x, y));
    rejects("a barrier is missing", kernel(block(new Stmt.Alloc(shared, Stmt.block(fill, all))), x, y));
    rejects("a warp stores a scalar", kernel(block(loop(i, 8, Kind.WARPGROUP, store(y, number(0), ref(i)))), y));
  }

  @Test
  void rejectsMemoryOfWarpsAndGroupsOfThem() {
    Buffer own = new Buffer("own", ElementType.F32, List.of(8, 8), Buffer.Space.LOCAL);
    Stmt ofWarp = loop(j, 8, Kind.WARP, store(own, new Expr.Broadcast(number(0), 8), ref(j), lanes()));
    Stmt ofGroup = loop(i, 8, Kind.WARPGROUP, store(own, new Expr.Broadcast(number(0), 8), ref(i), lanes()));
    KernelVerifier.verify(kernel(block(new Stmt.Alloc(own, ofGroup))));
    rejects("memory of another thread", kernel(block(new Stmt.Alloc(own, Stmt.block(ofGroup, ofWarp)))));
  }

  @Test
  void rejectsAScalarOfAWarp() {
    rejects("a warp stores a scalar", kernel(block(loop(i, 8, Kind.WARP, store(y, number(0), ref(i)))), y));
  }

  @Test
  void rejectsMemoryOfThreadsAndWarps() {
    Buffer own = new Buffer("own", ElementType.F32, List.of(8, 8), Buffer.Space.LOCAL);
    Stmt ofWarp = loop(j, 8, Kind.WARP, store(own, new Expr.Broadcast(number(0), 8), ref(j), lanes()));
    KernelVerifier.verify(kernel(block(new Stmt.Alloc(own, ofWarp))));
    Stmt ofThread = loop(i, 8, Kind.THREAD, store(own, number(0), ref(i), index(1)));
    rejects("memory of another thread", kernel(block(new Stmt.Alloc(own, Stmt.block(ofThread, ofWarp)))));
  }

  private static Expr lanes() {
    return new Expr.Ramp(index(0), 1, 8);
  }

  private static Stmt block(Stmt body) {
    return loop(Var.counter("task"), 4, Kind.BLOCK, body);
  }

  /// What each thread loads is what another one stored.
  private Stmt turned() {
    Expr other = new Expr.Binary(BinaryOp.SUB, index(7), ref(j));
    return loop(j, 8, Kind.THREAD, store(y, load(shared, other), ref(j)));
  }

  @Test
  void rejectsAParameterThatIsNotGlobal() {
    rejects("parameter acc: f32[4, 16] is not global", kernel(Stmt.NOTHING, register));
  }

  @Test
  void rejectsRegistersAtAVariableIndex() {
    Stmt body = new Stmt.Alloc(register, loop(i, 4, store(register, number(0), ref(i), index(0))));
    rejects("at an index that is not constant", kernel(body));
  }

  @Test
  void rejectsRegistersThatOverlap() {
    Stmt vector = store(register, new Expr.Broadcast(number(0), 16), index(0), new Expr.Ramp(index(0), 1, 16));
    Stmt same = store(register, new Expr.Broadcast(number(1), 16), index(0), new Expr.Ramp(index(0), 1, 16));
    Stmt other = store(register, new Expr.Broadcast(number(1), 16), index(1), new Expr.Ramp(index(0), 1, 16));
    Stmt lane = store(register, number(0), index(0), index(3));
    KernelVerifier.verify(kernel(new Stmt.Alloc(register, Stmt.block(vector, same, other))));
    rejects("overlap", kernel(new Stmt.Alloc(register, Stmt.block(vector, lane))));
  }

  @Test
  void rejectsALaneReductionThatIsNone() {
    Expr vector = load(x, new Expr.Ramp(index(0), 1, 16));
    rejects("lane reduction by SUB", kernel(store(y, new Expr.ReduceLanes(BinaryOp.SUB, vector), index(0)), x, y));
  }

  @Test
  void rejectsARequireOfLanes() {
    Stmt require = new Stmt.Require(new Expr.IntLiteral(ElementType.BOOL, 1), "", new Expr.Ramp(index(0), 1, 4));
    rejects("the value of a require has lanes", kernel(require));
  }

  @Test
  void anIndexIsNotCheckedWhereItIsNeverReached() {
    Stmt dead = new Stmt.If(below(ref(i), 0), store(y, number(0), plus(ref(i), 1000)), Stmt.NOTHING);
    KernelVerifier.verify(kernel(loop(i, 4, dead), y));
  }

  @Test
  void theValueOfALetBoundsAnIndex() {
    Var index = new Var("at", ValueType.scalar(ElementType.I32));
    Stmt body = new Stmt.Let(index, times(ref(i), 42), store(y, number(0), ref(index)));
    KernelVerifier.verify(kernel(loop(i, 4, body), y));
    rejects("may be in 0..168", kernel(loop(i, 5, body), y));
  }

  private static void rejects(String message, Kernel kernel) {
    InternalException problem = assertThrows(InternalException.class, () -> KernelVerifier.verify(kernel));
    assertTrue(problem.getMessage().contains(message), problem::getMessage);
  }
}
