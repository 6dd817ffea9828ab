package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/// Elements of a buffer as a tile.
///
/// @param indices those of an element, by counters
/// @param row the counter of the rows, if there are several
/// @param digits the counters of the columns
record MemoryTile(Buffer buffer, List<Expr> indices, Optional<Var> row, List<Digit> digits, int rows, int columns) {

  /// A counter of which each is `factor` columns.
  record Digit(Var var, int factor) {}

  /// The same where other counters have these values.
  MemoryTile at(Map<Var, Expr> values) {
    return new MemoryTile(buffer, indices.stream().map(index -> Rewrites.expr(index,
        node -> node instanceof Expr.Ref(Var var) ? values.getOrDefault(var, node) : node)).toList(), row, digits, rows, columns);
  }

  /// Whether indices are sums in which the digits are those of a column.
  boolean isPlain() {
    return indices.stream().map(IndexSum::of).allMatch(index -> {
      boolean isColumn = digits.stream().allMatch(digit -> factor(index, digit.var) == digit.factor * column(index));
      return isColumn && index.terms().keySet().stream().noneMatch(term -> !(term instanceof Expr.Ref) && counters().anyMatch(var -> Rewrites.uses(term, var)));
    });
  }

  private Stream<Var> counters() {
    return Stream.concat(row.stream(), digits.stream().map(Digit::var));
  }

  private static long factor(IndexSum index, Var var) {
    return index.terms().getOrDefault(new Expr.Ref(var), 0L);
  }

  private long column(IndexSum index) {
    return digits.stream().filter(digit -> digit.factor == 1).mapToLong(digit -> factor(index, digit.var)).findFirst().orElse(0);
  }

  /// How many elements apart neighbours in a row are; 1 where there is but one.
  long columnStride() {
    return digits.isEmpty() ? 1 : strides(this::column);
  }

  private long strides(ToLongFunction<IndexSum> factor) {
    long stride = 0;
    for (int dimension = 0; dimension < indices.size(); dimension++) {
      stride += factor.applyAsLong(IndexSum.of(indices.get(dimension))) * buffer.stride(dimension);
    }
    return stride;
  }

  Expr load() {
    return new Expr.Load(buffer, lanes());
  }

  /// The indices of all elements, row by row.
  List<Expr> lanes() {
    return indices.stream().map(this::lanes).toList();
  }

  private Expr lanes(Expr index) {
    IndexSum sum = IndexSum.of(index);
    long down = row.map(var -> factor(sum, var)).orElse(0L);
    long across = column(sum);
    Map<Expr, Long> terms = new LinkedHashMap<>(sum.terms());
    counters().forEach(var -> terms.remove(new Expr.Ref(var)));
    Expr base = new IndexSum(terms, sum.constant()).expr();
    int lanes = rows * columns;
    if (rows == 1 && across == 1) {
      return new Expr.Ramp(base, 1, lanes);
    }
    Expr number = new Expr.Ramp(Expr.index(0), 1, lanes);
    Expr width = new Expr.Broadcast(Expr.index(columns), lanes);
    List<Expr> parts = new ArrayList<>();
    if (!base.equals(Expr.index(0))) {
      parts.add(new Expr.Broadcast(base, lanes));
    }
    if (down != 0) {
      parts.add(times(new Expr.Binary(BinaryOp.DIV, number, width), down));
    }
    if (across != 0) {
      parts.add(times(new Expr.Binary(BinaryOp.MOD, number, width), across));
    }
    return down == 0 && across == 0 ? base : parts.stream().reduce((one, other) -> new Expr.Binary(BinaryOp.ADD, one, other)).orElseThrow();
  }

  private static Expr times(Expr lanes, long factor) {
    return factor == 1 ? lanes : new Expr.Binary(BinaryOp.MUL, lanes, new Expr.Broadcast(Expr.index(factor), lanes.type().lanes()));
  }
}
