package dev.einfall.backends.jvm;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.function.Predicate;

/// About how many nodes HotSpot's optimizing compiler makes of code: measured on JDK 25 for each operation of the Vector
/// API and of memory segments, whose inlined checks weigh far more than the instruction that is left of them.
final class Weight {
  /// From 18,000 nodes on C2 inlines only what is annotated with `@ForceInline`, and that later: vectors may then end up in
  /// objects.
  static final long COMFORTABLE = 17_000;
  private static final long VECTOR_OPERATION = 450;
  /// Of a vector into one of other elements with the same bits.
  private static final long REINTERPRETATION = 250;
  /// Half of the lanes are added to the others, until one is left.
  private static final long LANE_SUM = 2_000;
  private static final long BROADCAST = 130;
  private static final long SCALAR_ACCESS = 620;
  private static final long SCALAR_OPERATION = 5;
  private static final long CALL = 30;

  private Weight() {}

  static long of(Stmt stmt) {
    return of(stmt, _ -> false);
  }

  /// The weight of `stmt`, with statements inside it for which `outlined` holds as calls.
  static long of(Stmt stmt, Predicate<Stmt> outlined) {
    long own = stmt.exprs().mapToLong(Weight::of).sum();
    if (stmt instanceof Stmt.Store store && store.buffer().space() != Buffer.Space.REGISTER) {
      own += store.value().type().isVector() ? VECTOR_OPERATION : SCALAR_ACCESS;
    }
    return own + SCALAR_OPERATION
        + stmt.children().mapToLong(child -> outlined.test(child) ? CALL : of(child, outlined)).sum();
  }

  private static long of(Expr expr) {
    long own = switch (expr) {
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Ref _ -> 0;
      case Expr.Load load when load.buffer().space() == Buffer.Space.REGISTER -> 0;
      case Expr.Load load -> load.type().isVector() ? VECTOR_OPERATION : SCALAR_ACCESS;
      case Expr.Broadcast _ -> BROADCAST;
      case Expr.Ramp _ -> 0;
      case Expr.ReduceLanes(BinaryOp op, _) when op == BinaryOp.ADD || op == BinaryOp.MUL -> LANE_SUM;
      case Expr.ReduceLanes _ -> VECTOR_OPERATION;
      case Expr.Permute permute when permute.type().element().isFloat() -> VECTOR_OPERATION + (permute.tables().size() + 1) * REINTERPRETATION;
      case Expr.PermuteBytes permute when permute.tables().size() == 1 -> VECTOR_OPERATION + 3 * REINTERPRETATION;
      case Expr.PermuteBytes permute -> permute.tables().size() == 2 ? VECTOR_OPERATION : 4 * VECTOR_OPERATION;
      case Expr.AddHalves _ -> VECTOR_OPERATION + 3 * REINTERPRETATION;
      case Expr.Bitcast(_, Expr.Load _) -> 0;
      case Expr.Bitcast bitcast -> bitcast.type().isVector() ? REINTERPRETATION : SCALAR_OPERATION;
      case Expr.Unary _, Expr.Binary _, Expr.Fma _, Expr.Select _, Expr.Cast _, Expr.Zip _, Expr.Permute _, Expr.Dot _, Expr.TileProduct _ ->
          expr.type().isVector() ? VECTOR_OPERATION : SCALAR_OPERATION;
    };
    boolean indices = expr instanceof Expr.Load load && load.type().isVector();
    return own + (indices ? 0 : expr.children().mapToLong(Weight::of).sum());
  }
}
