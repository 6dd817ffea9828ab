package dev.einfall.backends.kernel;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// An access whose lanes lie at distances that are known: where the first one is, and how many elements after it the others are.
///
/// ```
/// X[broadcast(k, 4) + ramp(0, 1, 4) / broadcast(2, 4), ramp(0, 1, 4) % broadcast(2, 4)], with rows of 9   =>   X[k, 0], and 0, 1, 9, 10
/// ```
///
/// @param indices scalars, of the first lane
/// @param offsets one a lane
public record LaneOffsets(List<Expr> indices, List<Long> offsets) {

  public LaneOffsets {
    indices = List.copyOf(indices);
    offsets = List.copyOf(offsets);
  }

  /// What an access to `buffer` is; empty if the distances are not known.
  public static Optional<LaneOffsets> of(Buffer buffer, List<Expr> indices) {
    List<Expr> first = new ArrayList<>();
    long[] offsets = new long[Expr.lanes(indices)];
    for (int dimension = 0; dimension < indices.size(); dimension++) {
      Optional<Part> part = part(indices.get(dimension), offsets.length);
      if (part.isEmpty()) {
        return Optional.empty();
      }
      first.add(part.get().first);
      for (int lane = 0; lane < offsets.length; lane++) {
        offsets[lane] += part.get().after[lane] * buffer.stride(dimension);
      }
    }
    return Optional.of(new LaneOffsets(first, Arrays.stream(offsets).boxed().toList()));
  }

  /// A number for each lane: `first`, which is a scalar, and so much more.
  private record Part(Expr first, long[] after) {

    boolean isKnown() {
      return first.equals(Expr.index(0));
    }
  }

  private static Optional<Part> part(Expr index, int lanes) {
    return switch (index) {
      case Expr scalar when !scalar.type().isVector() -> Optional.of(new Part(scalar, new long[lanes]));
      case Expr.Broadcast(Expr scalar, _) -> Optional.of(new Part(scalar, new long[lanes]));
      case Expr.Ramp(Expr base, int stride, _) -> Optional.of(new Part(base, IntStream.range(0, lanes).mapToLong(lane -> (long) lane * stride).toArray()));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.ADD -> part(left, lanes).flatMap(one -> part(right, lanes).map(other ->
          new Part(sum(one.first, other.first), IntStream.range(0, lanes).mapToLong(lane -> one.after[lane] + other.after[lane]).toArray())));
      case Expr.Binary(BinaryOp op, Expr left, Expr.Broadcast(Expr.IntLiteral(_, long number), _)) -> part(left, lanes).flatMap(part -> of(op, part, number));
      default -> Optional.empty();
    };
  }

  private static Optional<Part> of(BinaryOp op, Part part, long number) {
    return switch (op) {
      case MUL -> Optional.of(new Part(product(part.first, number), Arrays.stream(part.after).map(lane -> lane * number).toArray()));
      case DIV -> lanes(part, number).map(known -> new Part(part.first, Arrays.stream(known).map(lane -> lane / number).toArray()));
      case MOD -> lanes(part, number).map(known -> new Part(part.first, Arrays.stream(known).map(lane -> lane % number).toArray()));
      default -> Optional.empty();
    };
  }

  /// The numbers, if they are known and can be divided.
  private static Optional<long[]> lanes(Part part, long divisor) {
    return Optional.of(part.after).filter(lanes -> part.isKnown() && divisor > 0 && Arrays.stream(lanes).allMatch(lane -> lane >= 0));
  }

  private static Expr sum(Expr left, Expr right) {
    return left.equals(Expr.index(0)) ? right : right.equals(Expr.index(0)) ? left : new Expr.Binary(BinaryOp.ADD, left, right);
  }

  private static Expr product(Expr expr, long factor) {
    return expr instanceof Expr.IntLiteral(_, long value) ? Expr.index(value * factor) : new Expr.Binary(BinaryOp.MUL, expr, Expr.index(factor));
  }
}
