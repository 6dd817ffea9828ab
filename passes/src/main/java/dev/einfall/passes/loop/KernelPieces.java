package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The parts of a kernel that may be kernels of their own, one after the other: each nest of independent loops that is worth it, and what stands between
/// two such.
public final class KernelPieces {
  private final Kernel kernel;
  private final double work;
  /// The buffers that are allocated around what is divided, the outermost first.
  private final List<Buffer> allocated = new ArrayList<>();
  private final List<Stmt> pieces = new ArrayList<>();
  private final List<Stmt> between = new ArrayList<>();
  /// What was checked before.
  private final List<Stmt> checks = new ArrayList<>();

  private KernelPieces(Kernel kernel, double work) {
    this.kernel = kernel;
    this.work = work;
  }

  /// The kernels whose launches in order do what `kernel` does; itself alone if there is nothing to divide. Parameters that it does not have are for what
  /// one of them stores and another one loads.
  ///
  /// @param work about so many operations are worth a kernel
  public static List<Kernel> of(Kernel kernel, double work) {
    KernelPieces found = new KernelPieces(kernel, work);
    if (!found.checksStayTrue()) {
      return List.of(kernel);
    }
    found.divide(kernel.body(), Ranges.of(kernel));
    boolean isOne = found.pieces.isEmpty() || found.pieces.size() == 1 && found.checks.isEmpty() && found.between.isEmpty();
    if (isOne) {
      return List.of(kernel);
    }
    if (!found.between.isEmpty()) {
      found.endWithChecks();
    }
    return found.kernels();
  }

  /// Whether what is checked at the outside of all loops is nothing that the kernel stores: it may be checked again then.
  private boolean checksStayTrue() {
    Set<Buffer> stored = kernel.body().nodes().filter(Stmt.Store.class::isInstance).map(store -> ((Stmt.Store) store).buffer()).collect(Collectors.toSet());
    return outside(kernel.body()).filter(Stmt.Require.class::isInstance).flatMap(Stmt::exprs).flatMap(Expr::nodes)
        .noneMatch(node -> node instanceof Expr.Load load && stored.contains(load.buffer()));
  }

  private static Stream<Stmt> outside(Stmt statement) {
    return switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> statements.stream().flatMap(KernelPieces::outside);
      case Stmt.Alloc alloc -> outside(alloc.body());
      case Stmt.For _, Stmt.Store _, Stmt.Barrier _, Stmt.If _, Stmt.Let _, Stmt.Require _ -> Stream.of(statement);
    };
  }

  private Ranges divide(Stmt statement, Ranges ranges) {
    return switch (statement) {
      case Stmt.Block(List<Stmt> statements) -> {
        Ranges after = ranges;
        for (Stmt inner : statements) {
          after = divide(inner, after);
        }
        yield after;
      }
      case Stmt.Alloc(Buffer buffer, Stmt body) -> {
        allocated.add(buffer);
        yield divide(body, ranges);
      }
      case Stmt.Require check -> {
        between.add(check);
        yield ranges.assume(check.condition(), true);
      }
      case Stmt.For loop when isWorthIt(loop, ranges) -> {
        endBetween();
        pieces.add(checkedInside(IndependentNest.of(loop, ranges)));
        yield ranges;
      }
      case Stmt.For _, Stmt.Store _, Stmt.Barrier _, Stmt.If _, Stmt.Let _ -> {
        between.add(statement);
        yield ranges;
      }
    };
  }

  private boolean isWorthIt(Stmt.For loop, Ranges ranges) {
    return IndependentNest.of(loop, ranges).iterations() > 1 && Work.of(loop, ranges) >= work;
  }

  /// Checks alone need no kernel where something comes next: that makes them.
  private void endBetween() {
    List<Stmt> checked = between.stream().filter(Stmt.Require.class::isInstance).toList();
    if (checked.size() < between.size()) {
      endWithChecks();
    }
    checks.addAll(checked);
    between.clear();
  }

  private void endWithChecks() {
    pieces.add(Stmt.block(Stream.concat(checks.stream(), between.stream()).toList()));
  }

  private Stmt checkedInside(IndependentNest nest) {
    Stmt body = checks.isEmpty() ? nest.body() : Stmt.block(Stream.concat(checks.stream(), Stream.of(nest.body())).toList());
    for (Stmt.For loop : nest.loops().reversed()) {
      body = loop.withBody(body);
    }
    return body;
  }

  private List<Kernel> kernels() {
    Map<Buffer, Buffer> crossing = new IdentityHashMap<>();
    allocated.stream().filter(buffer -> users(buffer) > 1).forEach(buffer ->
        crossing.put(buffer, new Buffer(buffer.name(), buffer.type(), buffer.extents(), Buffer.Space.GLOBAL)));
    return pieces.stream().map(piece -> piece(piece, crossing)).toList();
  }

  private long users(Buffer buffer) {
    return pieces.stream().filter(piece -> Rewrites.accesses(piece, buffer)).count();
  }

  private Kernel piece(Stmt piece, Map<Buffer, Buffer> crossing) {
    Stmt body = piece;
    List<Buffer> parameters = new ArrayList<>(kernel.parameters().stream().filter(buffer -> Rewrites.accesses(piece, buffer)).toList());
    for (Buffer buffer : allocated.reversed()) {
      Buffer global = crossing.get(buffer);
      if (!Rewrites.accesses(piece, buffer)) {
        continue;
      }
      body = global == null ? new Stmt.Alloc(buffer, body) : Rewrites.redirect(body, buffer, global, indices -> indices);
      if (global != null) {
        parameters.addFirst(global);
      }
    }
    String name = piece.nodes().filter(Stmt.Store.class::isInstance).map(store -> ((Stmt.Store) store).buffer())
        .filter(buffer -> crossing.containsKey(buffer) || parameters.contains(buffer)).map(Buffer::name).findFirst().orElse(kernel.name());
    return new Kernel(name, parameters, body, kernel.span());
  }
}
