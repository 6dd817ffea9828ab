package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Cuts loops into loops over tiles and loops inside a tile; what is left over after the last whole tile becomes loops
/// of its own. `split i 4` makes `i1` and `i0` of `i`.
///
/// ```
///                             for i1 in 0..2 {
/// for i in 0..10 {              for i0 in 0..4 {
///   A[i] = 0.0          =>        A[i1 * 4 + i0] = 0.0
/// }                             }
///                             }
///                             for i0 in 0..2 {
///                               A[8 + i0] = 0.0
///                             }
/// ```
///
/// A loop in `guarded` keeps the rest inside the outer loop, behind an `if`, so that it stays one loop and can become
/// parallel: `for i1 in 0..3 { if i1 < 2 { .. } else { .. } }`. A loop whose extent is not constant stays.
public record SplitLoops(List<Mapping.Split> splits, List<String> guarded) implements Pass.OnKernel {

  @Override
  public String name() {
    return "split-loops";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(Rewrites.statements(kernel.body(), statement -> statement instanceof Stmt.For loop ? split(loop) : statement));
  }

  private Stmt split(Stmt.For loop) {
    Optional<Mapping.Split> split = splits.stream().filter(s -> s.rank().equals(loop.var().name())).findFirst();
    Optional<Long> extent = Rewrites.constant(loop.extent());
    if (split.isEmpty() || extent.isEmpty()) {
      return loop;
    }
    Tiles tiles = new Tiles(loop);
    boolean guard = guarded.contains(loop.var().name() + split.get().factors().size());
    return Stmt.block(tiles.cut(extent.get(), split.get().factors(), Expr.index(0), guard));
  }

  /// The pieces of one loop.
  private record Tiles(Stmt.For loop) {

    /// The loops for `extent` coordinates from `base` on.
    List<Stmt> cut(long extent, List<Integer> factors, Expr base, boolean guard) {
      if (factors.isEmpty()) {
        Var counter = counter(0);
        return List.of(loop(counter, extent, List.of(body(add(base, new Expr.Ref(counter))))));
      }
      int width = factors.getFirst();
      List<Integer> inner = factors.subList(1, factors.size());
      long whole = extent / width;
      long rest = extent % width;
      Var counter = counter(factors.size());
      Expr tile = add(base, new Expr.Binary(BinaryOp.MUL, new Expr.Ref(counter), Expr.index(width)));
      Expr last = add(base, Expr.index(whole * width));
      if (guard && whole > 0 && rest > 0) {
        Expr isWhole = new Expr.Binary(BinaryOp.LT, new Expr.Ref(counter), Expr.index(whole));
        Stmt choice = new Stmt.If(isWhole, Stmt.block(cut(width, inner, tile, false)), Stmt.block(cut(rest, inner, last, false)));
        return List.of(loop(counter, whole + 1, List.of(choice)));
      }
      List<Stmt> pieces = new ArrayList<>();
      if (whole > 0) {
        pieces.add(loop(counter, whole, cut(width, inner, tile, false)));
      }
      if (rest > 0) {
        pieces.addAll(cut(rest, inner, last, false));
      }
      return pieces;
    }

    private Var counter(int level) {
      return Var.counter(loop.var().name() + level);
    }

    private Stmt loop(Var counter, long extent, List<Stmt> body) {
      return new Stmt.For(counter, Expr.index(extent), loop.kind(), Stmt.block(body), loop.span());
    }

    private Stmt body(Expr coordinate) {
      return Rewrites.substitute(Rewrites.copy(loop.body()), loop.var(), coordinate);
    }

    private static Expr add(Expr left, Expr right) {
      return left.equals(Expr.index(0)) ? right : new Expr.Binary(BinaryOp.ADD, left, right);
    }
  }
}
