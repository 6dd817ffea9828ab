package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

class TensorTest {

  @Test
  void holdsACopyOfAnArray() {
    float[] values = {1, 2, 3, 4, 5, 6};
    try (Tensor tensor = Tensor.of(values, 2, 3)) {
      values[0] = 9;
      assertEquals(List.of(2L, 3L), tensor.shape());
      assertEquals(ElementType.F32, tensor.type());
      assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, tensor.floats());
      assertEquals("f32[2, 3]", tensor.toString());
    }
  }

  @Test
  void beginsAtACacheLine() {
    for (int i = 0; i < 20; i++) {
      try (Tensor tensor = Tensor.zeros(ElementType.U8, i)) {
        assertEquals(0, tensor.data().address() % 64);
        assertEquals(i, tensor.elements());
      }
    }
  }

  @Test
  void isZerosWhereverItLies() {
    for (int bytes : new int[] {(1 << 20) - 1, 1 << 20, (2 << 20) + 1, (3 << 20) + 4, 5 << 20}) {
      try (Tensor tensor = Tensor.zeros(ElementType.U8, bytes)) {
        assertEquals(0, tensor.data().address() % 64);
        assertEquals(bytes, tensor.data().byteSize());
        assertEquals(-1, tensor.data().mismatch(MemorySegment.ofArray(new byte[bytes])));
        tensor.data().fill((byte) 1);
      }
    }
  }

  @Test
  void hasOneElementWithoutRanks() {
    try (Tensor scalar = Tensor.of(new long[] {7})) {
      assertEquals(List.of(), scalar.shape());
      assertArrayEquals(new long[] {7}, scalar.longs());
    }
  }

  @Test
  void refusesValuesThatDoNotFillIt() {
    var e = assertThrows(IllegalArgumentException.class, () -> Tensor.of(new float[5], 2, 3));
    assertEquals("a tensor of type f32[2, 3] has 24 bytes, not 20", e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Tensor.zeros(ElementType.F32, -1));
    assertThrows(IllegalArgumentException.class, () -> Tensor.zeros(ElementType.F64, 1L << 40, 1L << 40));
  }

  @Test
  void saysThatItHasAnotherType() {
    try (Tensor tensor = Tensor.of(new float[] {1}, 1)) {
      assertEquals("the elements are f32, not i64", assertThrows(IllegalStateException.class, tensor::longs).getMessage());
    }
  }

  @Test
  void isAnErrorToUseAfterClose() {
    Tensor tensor = Tensor.of(new float[] {1}, 1);
    tensor.close();
    tensor.close();
    var e = assertThrows(IllegalStateException.class, tensor::floats);
    assertEquals("the tensor f32[1] is closed", e.getMessage());
  }

  @Test
  void liesOverTheCallersMemory() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(8, 8);
      Tensor tensor = Tensor.over(ElementType.F32, memory, 2);
      memory.set(ValueLayout.JAVA_FLOAT, 4, 3);
      assertArrayEquals(new float[] {0, 3}, tensor.floats());
      assertTrue(assertThrows(IllegalArgumentException.class,
          () -> Tensor.over(ElementType.F32, MemorySegment.ofArray(new float[2]), 2)).getMessage().contains("copy it"));
    }
  }
}
