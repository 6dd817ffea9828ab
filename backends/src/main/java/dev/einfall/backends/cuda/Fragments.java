package dev.einfall.backends.cuda;

import dev.einfall.backends.c.AccessText;
import dev.einfall.backends.c.CNames;
import dev.einfall.backends.c.ExprText;
import dev.einfall.backends.kernel.TileAccess;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.Var;
import java.util.List;
import java.util.Map;

/// Writes what warps do with tiles: each is a fragment, of which every thread of the warp has a part.
///
/// ```
/// let a0: bf16x256 = left[k0, i * 16 + lane / 16, lane % 16]
///     =>   nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, 16, 16, 16, __nv_bfloat16, nvcuda::wmma::row_major> a0;
///          nvcuda::wmma::load_matrix_sync(a0, (const __nv_bfloat16 *) &left[k0 * 768 + i * 384], 24);
/// sum[i, j, lane] = tile_product(sum[i, j, lane], a0, b0, 16, 1)
///     =>   wmma_bf16(sum[i * 2 + j], a0, b0);
/// ```
final class Fragments {
  private static final String WMMA = "nvcuda::wmma::";

  private final Lines lines;
  private final CNames names;
  private final ExprText exprs;
  private final TileInstructions instructions;
  /// The buffers that hold sums, and the variables that hold operands on the left and on the right.
  private final Map<Buffer, TileShape> sums;
  private final Map<Var, TileShape> lefts;
  private final Map<Var, TileShape> rights;

  /// @param body what the threads of a block do
  Fragments(Stmt body, Lines lines, CNames names, ExprText exprs, TileInstructions instructions) {
    this.lines = lines;
    this.names = names;
    this.exprs = exprs;
    this.instructions = instructions;
    TileRoles roles = TileRoles.of(body, Kind.WARP);
    this.sums = roles.sums();
    this.lefts = roles.lefts();
    this.rights = roles.rights();
  }

  /// Whether `buffer` holds tiles.
  boolean holds(Buffer buffer) {
    return sums.containsKey(buffer);
  }

  /// Declares the tiles of a buffer, whose last extent is that of a tile.
  void declare(Buffer buffer) {
    TileShape shape = sums.get(buffer);
    lines.add(WMMA + "fragment<" + WMMA + "accumulator, " + size(shape) + ", " + type(shape.sum()) + "> " + names.of(buffer) + "["
        + buffer.elements() / shape.sums().lanes() + "];");
  }

  /// `let var = a tile in memory`.
  void let(Var var, Expr value) {
    boolean isLeft = lefts.containsKey(var);
    TileShape shape = isLeft ? lefts.get(var) : rights.get(var);
    if (shape == null || !(value instanceof Expr.Load(Buffer buffer, List<Expr> indices))) {
      throw new InternalException("a warp has a vector that is no operand of a product: " + var);
    }
    TileAccess access = access(buffer, indices, isLeft ? shape.steps() : shape.columns());
    boolean isInRows = access.columnStride() == 1;
    ElementType element = isLeft ? shape.left() : shape.right();
    lines.add(WMMA + "fragment<" + WMMA + (isLeft ? "matrix_a" : "matrix_b") + ", " + size(shape) + ", " + type(element) + ", " + WMMA
        + (isInRows ? "row_major" : "col_major") + "> " + names.of(var) + ";");
    lines.add(WMMA + "load_matrix_sync(" + names.of(var) + ", (const " + type(element) + " *) " + exprs.accesses().address(buffer, access.indices()) + ", "
        + (isInRows ? access.rowStride() : access.columnStride()) + ");");
  }

  /// A store of a tile: a product or a number to registers, or registers to memory.
  void store(Buffer buffer, List<Expr> indices, Expr value) {
    switch (value) {
      case Expr.TileProduct(Expr.Load(Buffer from, List<Expr> before), Expr.Ref(Var left), Expr.Ref(Var right), TileShape shape)
          when from == buffer && before.equals(indices) ->
          lines.add(instructions.function(shape) + "(" + tile(buffer, indices) + ", " + names.of(left) + ", " + names.of(right) + ");");
      case Expr.Broadcast(Expr number, _) when holds(buffer) ->
          lines.add(WMMA + "fill_fragment(" + tile(buffer, indices) + ", " + exprs.text(number) + ");");
      case Expr.Load(Buffer from, List<Expr> tile) when holds(from) && !holds(buffer) -> {
        TileAccess access = access(buffer, indices, sums.get(from).columns());
        boolean isInRows = access.columnStride() == 1;
        lines.add(WMMA + "store_matrix_sync(" + exprs.accesses().address(buffer, access.indices()) + ", " + tile(from, tile) + ", "
            + (isInRows ? access.rowStride() : access.columnStride()) + ", " + WMMA + (isInRows ? "mem_row_major" : "mem_col_major") + ");");
        lines.add("__syncwarp();");
      }
      default -> throw new InternalException("a warp stores " + value.type() + " to " + buffer);
    }
  }

  /// The fragment whose lanes are at `indices`, of which the last one goes through all of them.
  private String tile(Buffer buffer, List<Expr> indices) {
    int lanes = buffer.extents().getLast();
    if (!indices.getLast().equals(new Expr.Ramp(Expr.index(0), 1, lanes))) {
      throw new InternalException("a part of a tile of " + buffer);
    }
    Buffer tiles = new Buffer(buffer.name(), buffer.type(), buffer.extents().subList(0, buffer.extents().size() - 1), buffer.space());
    AccessText accesses = exprs.accesses();
    return names.of(buffer) + "[" + accesses.offset(tiles, indices.subList(0, indices.size() - 1)) + "]";
  }

  private static TileAccess access(Buffer buffer, List<Expr> indices, int columns) {
    return TileAccess.of(buffer, indices, columns).filter(access -> access.columnStride() == 1 || access.rowStride() == 1)
        .orElseThrow(() -> new InternalException("the elements of a tile of " + buffer + " are not rows or columns"));
  }

  private static String size(TileShape shape) {
    return shape.rows() + ", " + shape.columns() + ", " + shape.steps();
  }

  private static String type(ElementType element) {
    return switch (element) {
      case F64 -> "double";
      case F32 -> "float";
      case F16 -> "__half";
      case BF16 -> "__nv_bfloat16";
      case I32 -> "int";
      case I8 -> "signed char";
      case U8 -> "unsigned char";
      case I64, I16, BOOL -> throw new InternalException("no tiles are of " + element);
    };
  }
}
