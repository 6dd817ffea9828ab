package dev.einfall.backends.c;

import dev.einfall.backends.kernel.Cell;
import dev.einfall.backends.kernel.FreeNames;
import dev.einfall.backends.kernel.ScratchLayout;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Writes the statements of one function.
final class StmtText {
  /// The variable that says what the machine was told last about its registers for tiles.
  private static final String TILES = "tiles";

  /// What statements need of the kernel around them.
  interface Kernel {

    /// Writes that the team shares the iterations of `loop`.
    void share(Stmt.For loop, StmtText within);

    /// The number, from 1 on, of a requirement that may fail.
    int requirement(Stmt.Require check);
  }

  private final Lines lines;
  private final Vocabulary vocabulary;
  private final CNames names;
  private final ExprText exprs;
  private final ScratchLayout layout;
  private final Kernel kernel;
  private final SourceLines source;
  private final Set<Cell> unread = new HashSet<>();
  private Optional<TileText> tiles = Optional.empty();

  StmtText(Lines lines, Vocabulary vocabulary, CNames names, ScratchLayout layout, SourceLines source, Kernel kernel) {
    this.lines = lines;
    this.vocabulary = vocabulary;
    this.names = names;
    this.exprs = new ExprText(vocabulary, names);
    this.layout = layout;
    this.source = source;
    this.kernel = kernel;
  }

  Lines lines() {
    return lines;
  }

  ExprText exprs() {
    return exprs;
  }

  void write(Stmt stmt) {
    switch (stmt) {
      case Stmt.Block(List<Stmt> statements) -> statements.forEach(this::write);
      case Stmt.For loop when loop.kind() == Stmt.For.Kind.PARALLEL -> kernel.share(loop, this);
      case Stmt.For loop -> {
        source.at(loop.span(), lines);
        counting(loop.var(), "0", exprs.text(loop.extent()), loop.body());
      }
      case Stmt.Store store when tiles.filter(text -> text.write(store)).isPresent() -> { }
      case Stmt.Store(Buffer buffer, List<Expr> indices, Expr value) -> {
        if (buffer.space() != Buffer.Space.REGISTER || !unread.contains(Cell.of(buffer, indices))) {
          lines.add(exprs.accesses().store(buffer, indices, value));
        }
      }
      case Stmt.Alloc alloc -> alloc(alloc);
      case Stmt.If branch -> branch(branch);
      case Stmt.Let let when tiles.filter(text -> text.write(let)).isPresent() -> write(let.body());
      case Stmt.Let(Var var, Expr value, Stmt body) -> {
        if (FreeNames.of(body).variables().contains(var)) {
          String text = exprs.bind(var, value);
          lines.add("const " + exprs.type(value) + " " + names.of(var) + " = " + text + ";");
        }
        write(body);
      }
      case Stmt.Require check -> require(check);
      case Stmt.Barrier _ -> throw new InternalException("a kernel for a GPU in C");
    }
  }

  /// A loop from `first` to `limit` (exclusive).
  void counting(Var counter, String first, String limit, Stmt body) {
    exprs.bindCounter(counter);
    String name = names.of(counter);
    lines.block("for (int64_t " + name + " = " + first + "; " + name + " < " + limit + "; " + name + "++)", () -> write(body));
  }

  /// In a block of its own, so that the pointers of buffers that share memory are never in scope together.
  private void alloc(Stmt.Alloc alloc) {
    Buffer buffer = alloc.buffer();
    if (buffer.space() == Buffer.Space.LOCAL) {
      lines.add("{");
      lines.inside(() -> {
        String type = CTypes.memory(buffer.type());
        lines.add(type + " *" + vocabulary.dialect().restricted() + " const " + names.of(buffer) + " = (" + type + " *) (scratch + "
            + layout.offsets().get(buffer) + ");");
        write(alloc.body());
      });
      lines.add("}");
      return;
    }
    Optional<TileRegisters> registers = TileRegisters.of(alloc, vocabulary.target());
    if (registers.isPresent()) {
      inTiles(alloc, registers.get());
      return;
    }
    Set<Cell> read = read(alloc.body(), buffer);
    for (Cell cell : Cell.in(alloc.body(), buffer)) {
      if (read.contains(cell)) {
        lines.add(vocabulary.type(cell.type()) + " " + names.of(cell) + " = " + (cell.type().isVector() ? "{0}" : "0") + ";");
      } else {
        unread.add(cell);
      }
    }
    write(alloc.body());
  }

  /// What is done in registers for tiles. What these hold is told to the machine where it was told something else before, or nothing.
  private void inTiles(Stmt.Alloc alloc, TileRegisters registers) {
    String configuration = vocabulary.tileConfiguration(registers.configuration());
    lines.block("if (" + TILES + " != " + configuration + ")", () -> {
      lines.add(TILES + " = " + configuration + ";");
      lines.add(vocabulary.target().body("tile_configure").orElseThrow().replaceFirst("\\bp\\b", TILES));
    });
    // Intrinsics of gcc do not say that they read memory: what was stored before must be there.
    lines.add("__atomic_signal_fence(__ATOMIC_SEQ_CST);");
    Optional<TileText> outside = tiles;
    tiles = Optional.of(new TileText(lines, vocabulary.target(), exprs.accesses(), registers));
    write(alloc.body());
    tiles = outside;
  }

  /// Whether functions with `body` use registers for tiles.
  static boolean usesTiles(Stmt body, CTarget target) {
    return body.nodes().anyMatch(statement -> statement instanceof Stmt.Alloc alloc && alloc.buffer().space() == Buffer.Space.REGISTER
        && TileRegisters.of(alloc, target).isPresent());
  }

  /// Writes what `body`, all of a function, needs around it.
  void function(Stmt body, Runnable statements) {
    boolean usesTiles = usesTiles(body, vocabulary.target());
    if (usesTiles) {
      lines.add("const uint8_t *" + TILES + " = NULL;");
    }
    statements.run();
    if (usesTiles) {
      lines.block("if (" + TILES + " != NULL)", () -> lines.add(vocabulary.target().body("tile_release").orElseThrow()));
    }
  }

  /// The registers of `buffer` that are loaded: compilers warn about others.
  private static Set<Cell> read(Stmt body, Buffer buffer) {
    return body.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes)
        .filter(expr -> expr instanceof Expr.Load load && load.buffer() == buffer)
        .map(expr -> Cell.of(buffer, ((Expr.Load) expr).indices())).collect(Collectors.toSet());
  }

  private void branch(Stmt.If branch) {
    lines.add("if (" + exprs.text(branch.condition()) + ") {");
    lines.inside(() -> write(branch.whenTrue()));
    if (!branch.whenFalse().equals(Stmt.NOTHING)) {
      lines.add("} else {");
      lines.inside(() -> write(branch.whenFalse()));
    }
    lines.add("}");
  }

  private void require(Stmt.Require check) {
    lines.block("if (!(" + exprs.text(check.condition()) + "))", () -> {
      String member = check.value().type().element().isFloat() ? "number" : "integer";
      lines.add("fault->" + member + " = " + exprs.text(check.value()) + ";");
      lines.add("return " + kernel.requirement(check) + ";");
    });
  }
}
