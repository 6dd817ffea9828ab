package dev.einfall.backends.cuda;

import dev.einfall.backends.c.CNames;
import dev.einfall.backends.c.ExprText;
import dev.einfall.backends.kernel.LaneOffsets;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.Var;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Writes what groups of four warps do with tiles: every thread has some sums in variables, and operands stay in the memory of the block.
///
/// ```
/// let a0: bf16x1024 = left[k0 * 2 + .., .., ..]
///     =>   const uint64_t a0 = matrix_descriptor(&left[k0 * 1040], 1040, 128);
/// sum[0, 0, lane] = tile_product(sum[0, 0, lane], a0, b0, 64, 1)
///     =>   wgmma_bf16_n64<0, 1>(sum[0], a0, b0);
/// ```
///
/// Products run while the threads go on: [#begin] and [#finish] stand around those of a loop over groups.
final class WarpgroupTiles {
  /// The threads of a group.
  static final int THREADS = 4 * CudaKernel.WARP;

  private final Lines lines;
  private final CNames names;
  private final ExprText exprs;
  private final TileInstructions instructions;
  /// The buffers that hold sums, and the variables that hold operands on the left and on the right.
  private final Map<Buffer, TileShape> sums;
  private final Map<Var, TileShape> lefts;
  private final Map<Var, TileShape> rights;
  private final Map<Var, Boolean> turned = new IdentityHashMap<>();
  private final Set<Buffer> operands;

  /// @param body what the threads of a block do
  WarpgroupTiles(Stmt body, Lines lines, CNames names, ExprText exprs, TileInstructions instructions) {
    this.lines = lines;
    this.names = names;
    this.exprs = exprs;
    this.instructions = instructions;
    TileRoles roles = TileRoles.of(body, Kind.WARPGROUP);
    this.sums = roles.sums();
    this.lefts = roles.lefts();
    this.rights = roles.rights();
    this.operands = body.nodes().filter(node -> node instanceof Stmt.Let(Var var, Expr.Load _, _) && isOperand(var))
        .map(node -> ((Expr.Load) ((Stmt.Let) node).value()).buffer()).collect(Collectors.toSet());
  }

  /// Whether `buffer` holds sums.
  boolean holds(Buffer buffer) {
    return sums.containsKey(buffer);
  }

  /// Whether `var` is an operand.
  boolean isOperand(Var var) {
    return lefts.containsKey(var) || rights.containsKey(var);
  }

  /// Whether products read `buffer`: what threads store there, these see after a fence only.
  boolean read(Buffer buffer) {
    return operands.contains(buffer);
  }

  /// Declares the sums of a thread.
  void declare(Buffer buffer) {
    TileShape shape = sums.get(buffer);
    lines.add(TileInstructions.sumType(shape) + " " + names.of(buffer) + "[" + buffer.elements() / shape.sums().lanes() + "]["
        + TileInstructions.registers(shape) + "];");
  }

  /// Comes before what a group does in `loop`.
  void begin(Stmt.For loop) {
    Set<Buffer> multiplied = multiplied(loop);
    if (!multiplied.isEmpty()) {
      keep(multiplied);
      lines.add("wgmma_fence();");
    }
  }

  /// Comes after what a group does in `loop`: waits for its products.
  void finish(Stmt.For loop) {
    Set<Buffer> multiplied = multiplied(loop);
    if (!multiplied.isEmpty()) {
      lines.add("wgmma_wait();");
      keep(multiplied);
    }
  }

  /// What threads do with their sums stays before this, or after it.
  private void keep(Set<Buffer> multiplied) {
    multiplied.forEach(buffer -> lines.add("wgmma_keep(" + names.of(buffer) + ");"));
  }

  private static Set<Buffer> multiplied(Stmt.For loop) {
    return loop.nodes().filter(node -> node instanceof Stmt.Store store && store.value() instanceof Expr.TileProduct).map(node -> ((Stmt.Store) node).buffer())
        .collect(Collectors.toSet());
  }

  /// `let var = a tile in memory`.
  void let(Var var, Expr value) {
    boolean isLeft = lefts.containsKey(var);
    TileShape shape = isLeft ? lefts.get(var) : rights.get(var);
    if (!(value instanceof Expr.Load(Buffer buffer, List<Expr> indices)) || buffer.space() != Buffer.Space.SHARED) {
      throw new InternalException("an operand of a group of warps that is not in the memory of its block: " + var);
    }
    MatrixOperand operand = MatrixOperand.of(buffer, indices, shape, isLeft)
        .orElseThrow(() -> new InternalException("the elements of a tile of " + buffer + " are no core matrices"));
    turned.put(var, operand.isTurned());
    lines.add("const uint64_t " + names.of(var) + " = matrix_descriptor(" + exprs.accesses().address(buffer, operand.indices()) + ", " + operand.leadingBytes()
        + ", " + operand.strideBytes() + ");");
  }

  /// A store of sums: a product or a number to registers, or registers to memory.
  void store(Buffer buffer, List<Expr> indices, Expr value) {
    switch (value) {
      case Expr.TileProduct(Expr.Load(Buffer from, List<Expr> before), Expr.Ref(Var left), Expr.Ref(Var right), TileShape shape)
          when from == buffer && before.equals(indices) -> lines.add(instructions.function(shape, turned.get(left), turned.get(right)) + "("
              + whole(buffer, indices) + ", " + names.of(left) + ", " + names.of(right) + ");");
      case Expr.Broadcast(Expr number, _) when holds(buffer) -> {
        lines.add("#pragma unroll");
        lines.block("for (int32_t lane = 0; lane < " + TileInstructions.registers(sums.get(buffer)) + "; lane++)",
            () -> lines.add(whole(buffer, indices) + "[lane] = " + exprs.text(number) + ";"));
      }
      case Expr.Load(Buffer from, List<Expr> tile) when holds(from) && !holds(buffer) -> handOn(buffer, indices, from, tile);
      default -> throw new InternalException("a group of warps stores " + value.type() + " to " + buffer);
    }
  }

  /// Some columns of a tile, to memory.
  private void handOn(Buffer buffer, List<Expr> indices, Buffer from, List<Expr> tile) {
    TileShape shape = sums.get(from);
    int columns = Expr.lanes(indices) / shape.rows();
    LaneOffsets place = offsets(buffer, indices);
    LaneOffsets sum = offsets(from, tile);
    long stride = place.offsets().get(columns);
    boolean fits = columns % 8 == 0 && isMatrix(place, columns, stride) && isMatrix(sum, columns, shape.columns());
    if (!fits) {
      throw new InternalException("a group of warps stores a part of a tile to " + buffer);
    }
    // A thread has two columns of two rows of each eight columns.
    lines.add("store_sums<" + columns + ">(" + exprs.accesses().address(buffer, place.indices()) + ", " + stride + ", &" + tile(from, tile) + "[("
        + exprs.text(sum.indices().getLast()) + ") / 2]);");
  }

  private static boolean isMatrix(LaneOffsets offsets, int columns, long stride) {
    return IntStream.range(0, offsets.offsets().size()).allMatch(lane -> offsets.offsets().get(lane) == lane / columns * stride + lane % columns);
  }

  private static LaneOffsets offsets(Buffer buffer, List<Expr> indices) {
    return LaneOffsets.of(buffer, indices).orElseThrow(() -> new InternalException("lanes of " + buffer + " that lie anywhere"));
  }

  /// The sums whose lanes are at `indices`, of which the last one goes through all of them.
  private String whole(Buffer buffer, List<Expr> indices) {
    if (!indices.getLast().equals(new Expr.Ramp(Expr.index(0), 1, buffer.extents().getLast()))) {
      throw new InternalException("a part of a tile of " + buffer);
    }
    return tile(buffer, indices);
  }

  private String tile(Buffer buffer, List<Expr> indices) {
    Buffer tiles = new Buffer(buffer.name(), buffer.type(), buffer.extents().subList(0, buffer.extents().size() - 1), buffer.space());
    return names.of(buffer) + "[" + exprs.accesses().offset(tiles, indices.subList(0, indices.size() - 1)) + "]";
  }
}
