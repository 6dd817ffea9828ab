package dev.einfall.backends.c;

import dev.einfall.backends.kernel.Cell;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Which registers for tiles hold the sums of an allocation and the variables that are multiplied in it, and the rows and bytes of each: a machine is
/// told these before it uses them.
///
/// @param sums the registers of the sums
/// @param factors those of variables
/// @param sizes for each register what it holds
record TileRegisters(Map<Cell, Integer> sums, Map<Var, Integer> factors, List<Size> sizes) {
  /// Those of AMX.
  private static final int COUNT = 8;

  /// @param rows at most 16
  /// @param bytes of a row, at most 64
  record Size(int rows, int bytes) {}

  /// Those of `alloc`; empty if it holds no sums of tiles, or the target has no instruction for them.
  static Optional<TileRegisters> of(Stmt.Alloc alloc, CTarget target) {
    Map<Var, Size> factors = new IdentityHashMap<>();
    Map<Cell, Size> sums = new LinkedHashMap<>();
    alloc.body().nodes().forEach(statement -> {
      if (statement instanceof Stmt.Store(Buffer buffer, List<Expr> indices, Expr.TileProduct product) && buffer == alloc.buffer()
          && product.left() instanceof Expr.Ref(Var left) && product.right() instanceof Expr.Ref(Var right) && target.tileFor(product.shape()).isPresent()) {
        TileShape shape = product.shape();
        sums.put(Cell.of(buffer, indices), new Size(shape.rows(), shape.columns() * shape.sum().bytes()));
        factors.put(left, new Size(shape.rows(), shape.steps() * shape.left().bytes()));
        factors.put(right, new Size(shape.steps() / shape.packed(), shape.columns() * shape.packed() * shape.right().bytes()));
      }
    });
    return sums.isEmpty() ? Optional.empty() : Optional.of(new Assignment(sums, factors).of(alloc.body()));
  }

  /// What the machine is told: 64 bytes, the first of which says that they are of this form.
  String configuration() {
    int[] bytes = new int[64];
    bytes[0] = 1;
    for (int i = 0; i < sizes.size(); i++) {
      bytes[16 + 2 * i] = sizes.get(i).bytes;
      bytes[48 + i] = sizes.get(i).rows;
    }
    List<String> words = new ArrayList<>();
    for (int one : bytes) {
      words.add(Integer.toString(one));
    }
    return String.join(", ", words);
  }

  /// Gives sums registers for all of an allocation, and factors for as long as their variables live.
  private static final class Assignment {
    private final Map<Cell, Size> sums;
    private final Map<Var, Size> factors;
    private final List<Size> sizes = new ArrayList<>();
    private final Map<Var, Integer> variables = new IdentityHashMap<>();

    Assignment(Map<Cell, Size> sums, Map<Var, Size> factors) {
      this.sums = sums;
      this.factors = factors;
    }

    TileRegisters of(Stmt body) {
      Map<Cell, Integer> cells = new LinkedHashMap<>();
      sums.forEach((cell, size) -> {
        cells.put(cell, sizes.size());
        sizes.add(size);
      });
      List<Integer> live = new ArrayList<>(cells.values());
      assign(body, live);
      return new TileRegisters(cells, variables, sizes);
    }

    private void assign(Stmt statement, List<Integer> live) {
      if (statement instanceof Stmt.Let(Var var, _, Stmt body) && factors.containsKey(var)) {
        int register = free(factors.get(var), live);
        variables.put(var, register);
        List<Integer> inside = new ArrayList<>(live);
        inside.add(register);
        assign(body, inside);
      } else {
        statement.children().forEach(child -> assign(child, live));
      }
    }

    /// A register that holds nothing else, and has this size or none yet.
    private int free(Size size, List<Integer> live) {
      for (int i = 0; i < COUNT; i++) {
        if (i == sizes.size()) {
          sizes.add(size);
        }
        if (!live.contains(i) && sizes.get(i).equals(size)) {
          return i;
        }
      }
      throw new InternalException("more than " + COUNT + " tiles at a time");
    }
  }
}
