package dev.einfall.backends.jvm;

import dev.einfall.backends.kernel.FreeNames;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Which statements of a kernel become methods of their own: micro-kernels, because the JIT allocates registers for a
/// method at a time, and parts of what is too large for one method.
final class Outlining {
  /// No method of its own for less.
  private static final long SMALLEST = 2_000;
  /// So many are little for a method.
  private static final long FEW_STORES = 48;

  private final Set<Stmt> outlined = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Shape shape;

  Outlining(Shape shape) {
    this.shape = shape;
  }

  boolean contains(Stmt stmt) {
    return outlined.contains(stmt);
  }

  /// Marks the outermost statements inside `root` that allocate registers, and what the iterations of parallel loops inside do.
  /// Where little is done with registers in an iteration of a loop, the loop is one method: a call would take as long as what it does.
  void markMicroKernels(Stmt root) {
    root.children().forEach(child -> {
      if (child instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.PARALLEL) {
        outlined.add(loop.body());
      }
      if ((allocatesRegisters(child) || isLoopOfTiles(child)) && FreeNames.of(child).canBeMethod()) {
        outlined.add(child);
      } else {
        markMicroKernels(child);
      }
    });
  }

  private static boolean allocatesRegisters(Stmt stmt) {
    return stmt instanceof Stmt.Alloc(Buffer buffer, _) && buffer.space() == Buffer.Space.REGISTER;
  }

  /// Whether `stmt` is a loop that allocates registers, with little to do in an iteration, and not too much for one method.
  private boolean isLoopOfTiles(Stmt stmt) {
    return stmt instanceof Stmt.For loop && loop.kind() != Stmt.For.Kind.PARALLEL
        && loop.body().nodes().anyMatch(Outlining::allocatesRegisters)
        && stores(loop.body()) <= FEW_STORES && Weight.of(loop) <= shape.weight();
  }

  /// How many values `stmt` stores, with loops of unknown length as long ones.
  private static long stores(Stmt stmt) {
    long inside = (stmt instanceof Stmt.Store ? 1 : 0) + stmt.children().mapToLong(Outlining::stores).sum();
    return !(stmt instanceof Stmt.For loop) ? inside
        : loop.extent() instanceof Expr.IntLiteral extent && extent.value() <= FEW_STORES ? extent.value() * inside : FEW_STORES + 1;
  }

  /// Marks one more statement inside `root`, the larger the better but not nearly all of it.
  ///
  /// @return whether there was one
  boolean split(Stmt root) {
    long weight = weight(root);
    Optional<Stmt> part = parts(root).stream()
        .filter(stmt -> weight(stmt) <= 0.8 * weight && FreeNames.of(stmt).canBeMethod())
        .max(java.util.Comparator.comparingLong(this::weight))
        .filter(stmt -> weight(stmt) >= SMALLEST);
    part.ifPresent(outlined::add);
    return part.isPresent();
  }

  /// The weight of the method for `stmt`.
  long weight(Stmt stmt) {
    return Weight.of(stmt, this::contains);
  }

  private List<Stmt> parts(Stmt stmt) {
    List<Stmt> parts = new ArrayList<>();
    stmt.children().filter(child -> !outlined.contains(child)).forEach(child -> {
      parts.add(child);
      parts.addAll(parts(child));
    });
    return parts;
  }

  /// `stmt` with long blocks cut into blocks of blocks: neighbours that are too heavy together, so that there is something to outline.
  Stmt group(Stmt stmt) {
    Stmt inner = stmt instanceof Stmt.Block(List<Stmt> statements)
        ? new Stmt.Block(statements.stream().map(this::group).toList())
        : stmt.mapChildren(this::group, expr -> expr);
    return inner instanceof Stmt.Block block && Weight.of(block) > shape.weight() ? cut(block) : inner;
  }

  private Stmt cut(Stmt.Block block) {
    List<Stmt> groups = new ArrayList<>();
    List<Stmt> group = new ArrayList<>();
    long filled = 0;
    for (Stmt stmt : block.statements()) {
      group.add(stmt);
      filled += Weight.of(stmt);
      if (filled > shape.weight() / 2) {
        groups.add(group.size() == 1 ? group.getFirst() : new Stmt.Block(group));
        group = new ArrayList<>();
        filled = 0;
      }
    }
    groups.addAll(group);
    return new Stmt.Block(groups);
  }
}
