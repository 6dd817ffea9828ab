package dev.einfall.backends.cuda;

import dev.einfall.backends.c.ExprText;
import dev.einfall.backends.kernel.LinearIndex;
import dev.einfall.backends.kernel.Multiples;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.List;

/// Writes what a thread does with vectors: it copies neighbours in memory, as one where they lie as the hardware needs it, or fills them with a number.
final class LaneCopies {
  private final Lines lines;
  private final ExprText exprs;
  private final Multiples multiples;

  LaneCopies(Lines lines, ExprText exprs, Multiples multiples) {
    this.lines = lines;
    this.exprs = exprs;
    this.multiples = multiples;
  }

  /// Whether one copy of the hardware copies all lanes: they are 4, 8 or 16 bytes at a multiple of as many. Arrays begin at such places.
  boolean isOne(Buffer buffer, List<Expr> indices, Expr.Load load) {
    int lanes = load.type().lanes();
    int bytes = lanes * buffer.type().bytes();
    return (bytes == 4 || bytes == 8 || bytes == 16) && areNeighbours(buffer, indices) && areNeighbours(load.buffer(), load.indices())
        && multiples.of(buffer, indices) % lanes == 0 && multiples.of(load.buffer(), load.indices()) % lanes == 0;
  }

  private static boolean areNeighbours(Buffer buffer, List<Expr> indices) {
    return Expr.lanes(indices) == 1 || LinearIndex.flat(buffer, indices).filter(index -> index.lane() == 1).isPresent();
  }

  /// A store of more than one lane.
  void store(Stmt.Store store) {
    String to = exprs.accesses().address(store.buffer(), first(store.indices()));
    int lanes = store.value().type().lanes();
    switch (store.value()) {
      case Expr.Load load when areNeighbours(store.buffer(), store.indices()) && areNeighbours(load.buffer(), load.indices()) ->
          each(lanes, "(" + to + ")[lane] = (" + exprs.accesses().address(load.buffer(), first(load.indices())) + ")[lane];");
      case Expr.Broadcast(Expr number, _) when areNeighbours(store.buffer(), store.indices()) ->
          each(lanes, "(" + to + ")[lane] = " + exprs.accesses().stored(number) + ";");
      default -> throw new InternalException("a thread stores " + store.value().type() + " to " + store.buffer());
    }
  }

  private void each(int lanes, String statement) {
    lines.add("#pragma unroll");
    lines.block("for (int32_t lane = 0; lane < " + lanes + "; lane++)", () -> lines.add(statement));
  }

  /// The indices of the first lane.
  static List<Expr> first(List<Expr> indices) {
    List<Expr> result = new ArrayList<>();
    for (Expr index : indices) {
      result.add(switch (index) {
        case Expr.Ramp(Expr base, _, _) -> base;
        case Expr.Broadcast(Expr operand, _) -> operand;
        case Expr scalar when !scalar.type().isVector() -> scalar;
        default -> throw new InternalException("an index of lanes that are no neighbours");
      });
    }
    return result;
  }
}
