package dev.einfall.backends.c;

import dev.einfall.backends.kernel.Cell;
import dev.einfall.backends.kernel.TileAccess;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Writes the statements whose values are tiles in registers for these. The intrinsics of compilers take the numbers of registers as they stand, so that
/// there are no functions of tiles in the [Vocabulary].
///
/// ```
/// sum[0, ramp(0, 1, 256)] = broadcast(0.0, 256)           =>   _tile_zero(0);
/// let x: bf16x512 = X[.., ..]                             =>   _tile_loadd(4, &X[k * 32], 128);
/// sum[0, ..] = tile_product(sum[0, ..], x, w, 16, 2)      =>   _tile_dpbf16ps(0, 4, 5);
/// Y[.., ..] = sum[0, ramp(0, 1, 256)]                     =>   _tile_stored(0, Y, 256);
/// ```
final class TileText {
  private final Lines lines;
  private final CTarget target;
  private final AccessText accesses;
  private final TileRegisters registers;

  TileText(Lines lines, CTarget target, AccessText accesses, TileRegisters registers) {
    this.lines = lines;
    this.target = target;
    this.accesses = accesses;
    this.registers = registers;
  }

  /// Writes `store`, if it stores a tile to a register or from one.
  boolean write(Stmt.Store store) {
    Integer register = sum(store.buffer(), store.indices());
    if (register != null) {
      toRegister(register, store.value());
      return true;
    }
    if (store.value() instanceof Expr.Load load && sum(load.buffer(), load.indices()) != null) {
      int from = sum(load.buffer(), load.indices());
      move("tile_store", from, store.buffer(), store.indices());
      return true;
    }
    return false;
  }

  /// Writes what `let` binds, if that is a tile.
  boolean write(Stmt.Let let) {
    Integer register = registers.factors().get(let.var());
    if (register == null) {
      return false;
    }
    if (!(let.value() instanceof Expr.Load load)) {
      throw new InternalException("a factor of a product of tiles that is not loaded");
    }
    move("tile_load", register, load.buffer(), load.indices());
    return true;
  }

  private Integer sum(Buffer buffer, List<Expr> indices) {
    return buffer.space() == Buffer.Space.REGISTER ? registers.sums().get(Cell.of(buffer, indices)) : null;
  }

  private void toRegister(int register, Expr value) {
    switch (value) {
      case Expr.TileProduct product -> {
        Instruction instruction = target.tileFor(product.shape()).orElseThrow();
        add(instruction.body(), Map.of(instruction.sum(), register(register), instruction.left(), register(factor(product.left())),
            instruction.right(), register(factor(product.right()))));
      }
      case Expr.Load load -> move("tile_load", register, load.buffer(), load.indices());
      case Expr.Broadcast(Expr operand, _) when isZero(operand) -> add(body("tile_zero"), Map.of("d", register(register)));
      default -> throw new InternalException("a tile that is neither zero, nor loaded, nor a product");
    }
  }

  private static boolean isZero(Expr value) {
    return switch (value) {
      case Expr.FloatLiteral(_, double number) -> Double.compare(number, 0) == 0;
      case Expr.IntLiteral(_, long number) -> number == 0;
      default -> false;
    };
  }

  private int factor(Expr factor) {
    return registers.factors().get(((Expr.Ref) factor).var());
  }

  private static String register(int number) {
    return Integer.toString(number);
  }

  private void move(String function, int register, Buffer buffer, List<Expr> indices) {
    TileRegisters.Size size = registers.sizes().get(register);
    int columns = size.bytes() / buffer.type().bytes();
    TileAccess access = TileAccess.of(buffer, indices, columns).filter(rows -> columns == 1 || rows.columnStride() == 1)
        .orElseThrow(() -> new InternalException("elements of a tile that are no neighbours in memory"));
    add(body(function), Map.of("d", register(register), "p", accesses.address(buffer, access.indices()),
        "s", Long.toString(access.rowStride() * buffer.type().bytes())));
  }

  private String body(String function) {
    return target.body(function).orElseThrow(() -> new InternalException("the description of target " + target.name() + " says nothing of " + function));
  }

  /// Adds a statement with values in the places of its operands.
  private void add(String statement, Map<String, String> operands) {
    StringBuilder text = new StringBuilder();
    for (String part : statement.split("\\b")) {
      text.append(Optional.ofNullable(operands.get(part)).orElse(part));
    }
    lines.add(text.toString());
  }
}
