package dev.einfall.ir.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// The element sets that a kernel accesses in one `REGISTER` buffer, or in one that is to become it. Each becomes a register, so any two must be the same
/// elements in the same order, or have none in common.
public final class RegisterAccesses {
  private final Buffer buffer;
  /// The access that an element belongs to.
  private final Map<Long, List<Long>> accesses = new HashMap<>();

  public RegisterAccesses(Buffer buffer) {
    this.buffer = buffer;
  }

  /// Adds an access; gives what is wrong with it, if anything.
  public Optional<String> add(List<Expr> indices) {
    Optional<List<Long>> elements = elements(indices);
    if (elements.isEmpty()) {
      return Optional.of("access to register buffer " + buffer + " at an index that is not constant");
    }
    return elements.get().equals(accesses.get(elements.get().getFirst())) ? Optional.empty() : addNew(elements.get());
  }

  private Optional<String> addNew(List<Long> elements) {
    Optional<List<Long>> other = elements.stream().map(accesses::get).filter(Objects::nonNull).findFirst();
    elements.forEach(element -> accesses.putIfAbsent(element, elements));
    return other.map(overlapping -> "accesses to the elements " + elements + " and " + overlapping + " of register buffer "
        + buffer + " overlap");
  }

  private Optional<List<Long>> elements(List<Expr> indices) {
    int lanes = Expr.lanes(indices);
    List<Long> elements = new ArrayList<>();
    for (int lane = 0; lane < lanes; lane++) {
      long offset = 0;
      for (int i = 0; i < indices.size(); i++) {
        Optional<Long> index = constant(indices.get(i), lane);
        if (index.isEmpty()) {
          return Optional.empty();
        }
        offset += index.get() * buffer.stride(i);
      }
      elements.add(offset);
    }
    return Optional.of(elements);
  }

  private static Optional<Long> constant(Expr index, int lane) {
    return switch (index) {
      case Expr.IntLiteral(ElementType _, long value) -> Optional.of(value);
      case Expr.Broadcast(Expr operand, int _) -> constant(operand, 0);
      case Expr.Ramp(Expr base, int stride, int _) -> constant(base, 0).map(start -> start + (long) stride * lane);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.ADD ->
          constant(left, lane).flatMap(a -> constant(right, lane).map(b -> a + b));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.MUL ->
          constant(left, lane).flatMap(a -> constant(right, lane).map(b -> a * b));
      default -> Optional.empty();
    };
  }
}
