package dev.einfall.passes.analysis;

import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.analysis.Operand.Read;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// The value of an Einsum, or the body of a reduction, as what it reads and not as how it computes: `operands` are evaluated
/// together at each point of the ranks around and of `reduced`.
record Scope(List<Rank> reduced, List<Operand> operands) implements Operand {

  static Scope of(Stream<Expr> exprs) {
    Map<Expr, Operand> operands = new LinkedHashMap<>();
    exprs.forEach(expr -> collect(expr, operands));
    return new Scope(List.of(), new ArrayList<>(operands.values()));
  }

  /// Adds the operands of `expr`, equal ones once.
  private static void collect(Expr expr, Map<Expr, Operand> operands) {
    if (!expr.bound().isEmpty()) {
      operands.computeIfAbsent(expr.computation(), _ -> new Scope(expr.bound(), of(expr.children()).operands));
      return;
    }
    if (expr instanceof Expr.Access access) {
      operands.computeIfAbsent(access, _ -> new Read(access.tensor(), access.indices().stream().map(Index::of).toList()));
    }
    expr.children().forEach(child -> collect(child, operands));
  }

  Stream<Tensor> reads() {
    return operands.stream().flatMap(operand -> switch (operand) {
      case Read read -> Stream.of(read.tensor());
      case Scope scope -> scope.reads();
    });
  }
}
