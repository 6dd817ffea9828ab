package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One loop, what is allocated around it, and what else is done there.
///
/// ```
/// alloc s: f32[] in local {
///   s[] = 0.0                            before
///   for j in 0..9 { s[] = s[] + E[j] }   loop
///   Y[] = s[]                            after
/// }
/// ```
record LoopPiece(List<Buffer> allocated, List<Stmt> before, Stmt.For loop, List<Stmt> after) {

  /// `statement` as a piece, if it is one.
  static Optional<LoopPiece> of(Stmt statement) {
    List<Buffer> allocated = new ArrayList<>();
    Stmt inner = statement;
    while (inner instanceof Stmt.Alloc(Buffer buffer, Stmt body)) {
      allocated.add(buffer);
      inner = body;
    }
    List<Stmt> steps = inner instanceof Stmt.Block(List<Stmt> statements) ? statements : List.of(inner);
    List<Stmt> loops = steps.stream().filter(LoopPiece::hasLoops).toList();
    if (loops.size() != 1 || !(loops.getFirst() instanceof Stmt.For loop)) {
      return Optional.empty();
    }
    int place = steps.indexOf(loop);
    return Optional.of(new LoopPiece(allocated, steps.subList(0, place), loop, steps.subList(place + 1, steps.size())));
  }

  static boolean hasLoops(Stmt statement) {
    return statement.nodes().anyMatch(Stmt.For.class::isInstance);
  }

  /// The loops, from this one to that in the middle of all.
  List<Stmt.For> nest() {
    List<Stmt.For> loops = new ArrayList<>();
    Optional<LoopPiece> piece = Optional.of(this);
    while (piece.isPresent()) {
      loops.add(piece.get().loop);
      piece = of(piece.get().loop.body());
    }
    return loops;
  }

  Stmt statement() {
    List<Stmt> steps = new ArrayList<>(before);
    steps.add(loop);
    steps.addAll(after);
    Stmt result = Stmt.block(steps);
    for (Buffer buffer : allocated.reversed()) {
      result = new Stmt.Alloc(buffer, result);
    }
    return result;
  }
}
