package dev.einfall.tests.cascade;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.cascade.IndexForm;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Simplified indices have the values of what they were made of, at every point.
class IndexFormTest {
  private static final List<BinaryOp> OPERATIONS = List.of(BinaryOp.ADD, BinaryOp.SUB, BinaryOp.MUL, BinaryOp.DIV, BinaryOp.MOD);

  @Test
  void randomIndicesKeepTheirValues() {
    Random random = new Random(7);
    int shorter = 0;
    for (int i = 0; i < 5_000; i++) {
      List<Rank> ranks = List.of(rank("a", random), rank("b", random), rank("c", random));
      Expr index = index(ranks, 5, random);
      Expr simple = IndexForm.simplified(index);
      shorter += simple == index ? 0 : 1;
      forEachPoint(ranks, point ->
          assertEquals(value(index, ranks, point), value(simple, ranks, point),
              () -> CascadePrinter.print(index) + " => " + CascadePrinter.print(simple) + " of " + ranks));
    }
    assertEquals(true, shorter > 1_000, "simplified " + shorter);
  }

  private static Rank rank(String name, Random random) {
    return new Rank(name, Size.of(1 + random.nextInt(7)));
  }

  private static Expr index(List<Rank> ranks, int depth, Random random) {
    if (depth == 0 || random.nextInt(8) == 0) {
      return new Expr.Coordinate(ranks.get(random.nextInt(ranks.size())));
    }
    BinaryOp op = OPERATIONS.get(random.nextInt(OPERATIONS.size()));
    Expr left = index(ranks, depth - 1, random);
    boolean byNumber = op != BinaryOp.ADD && op != BinaryOp.SUB || random.nextInt(4) == 0;
    return new Expr.Binary(op, left, byNumber ? Expr.index(1 + random.nextInt(12)) : index(ranks, depth - 1, random));
  }

  private interface Check {
    void at(int[] point);
  }

  private static void forEachPoint(List<Rank> ranks, Check check) {
    for (int a = 0; a < ranks.get(0).size().value(); a++) {
      for (int b = 0; b < ranks.get(1).size().value(); b++) {
        for (int c = 0; c < ranks.get(2).size().value(); c++) {
          check.at(new int[] {a, b, c});
        }
      }
    }
  }

  private static long value(Expr expr, List<Rank> ranks, int[] point) {
    return switch (expr) {
      case Expr.IntLiteral literal -> literal.value();
      case Expr.Coordinate(Rank rank) -> point[ranks.indexOf(rank)];
      case Expr.Binary(BinaryOp op, Expr left, Expr right) -> {
        long a = value(left, ranks, point);
        long b = value(right, ranks, point);
        yield op == BinaryOp.ADD ? a + b : op == BinaryOp.SUB ? a - b : op == BinaryOp.MUL ? a * b
            : op == BinaryOp.DIV ? Math.floorDiv(a, b) : Math.floorMod(a, b);
      }
      case Expr _ -> throw new IllegalArgumentException("no index: " + expr);
    };
  }
}
