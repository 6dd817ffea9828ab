package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Computes the sums of a product by instructions that multiply tiles, in registers that hold whole tiles; what is done with the sums finds them in
/// the memory where they would be.
///
/// ```
/// alloc sum: f32[2, 16, 16] in local {                       alloc sum: f32[2, 16, 16] in local {
///   for m1 { for m0 { for n0 {                                 alloc tile: f32[2, 256] in registers {
///     sum[m1, m0, n0] = 0.0 } } }                                tile[0, ramp(0, 1, 256)] = broadcast(0.0, 256)
///   for k2 in 0..8 {                                             tile[1, ramp(0, 1, 256)] = broadcast(0.0, 256)
///     for m1 { for m0 { for n0 { for k1 { for k0 {      =>       for k2 in 0..8 {
///       sum[m1, m0, n0] = sum[m1, m0, n0]                          tile[0, ..] = tile_product(tile[0, ..], X[..], W[..], 16, 2)
///           + f32(X[m1 * 16 + m0, k2 * 32 + k1 * 2 + k0])          tile[1, ..] = tile_product(tile[1, ..], X[..], W[..], 16, 2) }
///           * f32(W[k2 * 16 + k1, n0 * 2 + k0])                  sum[0, ..] = tile[0, ..]
///     } } } } } }                                                sum[1, ..] = tile[1, ..] }
///   ..                                                         ..
/// ```
///
/// The innermost loops are over steps, as many as an instruction takes, those that lie side by side in its right tile last. Rows and columns are the
/// last loops before them that only one factor depends on; a tile may have fewer than the instruction takes, as the last ones of a product do. The
/// other loops over places of the sums are unrolled. A product of another form stays as it is, and so does one that needs more registers than there are.
///
/// @param tiles what the machine has instructions for
public record SelectTiles(List<TileShape> tiles) implements Pass.OnKernel {
  /// The tiles that AMX holds.
  private static final int REGISTERS = 8;

  public SelectTiles {
    tiles = List.copyOf(tiles);
  }

  @Override
  public String name() {
    return "select-tiles";
  }

  @Override
  public Numerics needs() {
    return Numerics.REASSOCIATE;
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return tiles.isEmpty() ? kernel : kernel.withBody(Rewrites.statements(kernel.body(), statement ->
        statement instanceof Stmt.Alloc(Buffer sum, Stmt.Block(List<Stmt> statements)) && sum.space() == Buffer.Space.LOCAL
            ? selected((Stmt.Alloc) statement, sum, statements) : statement));
  }

  private Stmt selected(Stmt.Alloc alloc, Buffer sum, List<Stmt> statements) {
    for (int i = 0; i < statements.size(); i++) {
      Optional<TileNest> nest = TileNest.of(statements.get(i), sum, tiles).filter(tiled -> tiled.registers() <= REGISTERS);
      if (nest.isPresent()) {
        boolean startsWithZeros = i == 1 && isZeros(statements.getFirst(), sum);
        List<Stmt> result = new ArrayList<>(statements.subList(startsWithZeros ? 1 : 0, i));
        result.add(nest.get().inTiles(startsWithZeros));
        result.addAll(statements.subList(i + 1, statements.size()));
        return new Stmt.Alloc(sum, Stmt.block(result));
      }
    }
    return alloc;
  }

  /// Whether `statement` stores zeros to `sum`, and does nothing else.
  private static boolean isZeros(Stmt statement, Buffer sum) {
    return switch (statement) {
      case Stmt.For loop -> isZeros(loop.body(), sum);
      case Stmt.Store(Buffer buffer, _, Expr.FloatLiteral(_, double value)) -> buffer == sum && Double.compare(value, 0) == 0;
      case Stmt.Store(Buffer buffer, _, Expr.IntLiteral(_, long value)) -> buffer == sum && value == 0;
      case Stmt.Store _, Stmt.Block _, Stmt.Alloc _, Stmt.If _, Stmt.Let _, Stmt.Require _, Stmt.Barrier _ -> false;
    };
  }
}
