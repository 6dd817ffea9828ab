package dev.einfall.tests.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.ValueType;
import org.junit.jupiter.api.Test;

/// Questions about an expression take time by its size, not by the number of paths through it.
class DeepExprTest {

  @Test
  void theTypeOfALongChain() {
    Expr chain = Expr.literal(ElementType.F32, 1);
    for (int i = 0; i < 500; i++) {
      chain = new Expr.Binary(BinaryOp.SUB, chain, Expr.literal(ElementType.F32, i));
    }
    assertEquals(ValueType.scalar(ElementType.F32), chain.type());
  }
}
