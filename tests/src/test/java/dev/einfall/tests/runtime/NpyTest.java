package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.reference.Array;
import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Npy;
import dev.einfall.runtime.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpyTest {
  @TempDir
  private Path directory;

  @Test
  void readsWhatItWrites() throws IOException {
    for (ElementType type : EnumSet.complementOf(EnumSet.of(ElementType.BF16))) {
      for (int[] shape : List.of(new int[] {}, new int[] {1}, new int[] {3}, new int[] {2, 3, 5}, new int[] {0, 4})) {
        try (Tensor tensor = random(type, shape)) {
          Path file = directory.resolve("x.npy");
          Npy.write(file, tensor);
          try (Tensor back = Npy.read(file)) {
            assertEquals(tensor.toString(), back.toString());
            assertArrayEquals(tensor.data().toArray(ValueLayout.JAVA_BYTE), back.data().toArray(ValueLayout.JAVA_BYTE));
          }
        }
      }
    }
  }

  private static Tensor random(ElementType type, int[] shape) {
    Tensor tensor = Tensor.zeros(type, Arrays.stream(shape).asLongStream().toArray());
    Array.random(type, 1, shape).write(tensor.data());
    return tensor;
  }

  @Test
  void readsAFileThatNumPyWrote() throws IOException {
    try (Tensor tensor = Npy.read(written("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2), }", 1, 2, 3, 4))) {
      assertEquals("i32[2, 2]", tensor.toString());
      assertArrayEquals(new int[] {1, 2, 3, 4}, tensor.ints());
    }
  }

  @Test
  void writesBf16AsF32() throws IOException {
    try (Tensor tensor = random(ElementType.BF16, new int[] {4})) {
      Path file = directory.resolve("b.npy");
      Npy.write(file, tensor);
      try (Tensor back = Npy.read(file)) {
        assertArrayEquals(Array.read(ElementType.BF16, tensor.data(), 4).floats(), back.floats());
      }
    }
  }

  @Test
  void refusesFortranOrder() throws IOException {
    refused(written("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 2), }", 1, 2, 3, 4), "ascontiguousarray");
  }

  @Test
  void refusesOtherTypes() throws IOException {
    refused(written("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 1, 2), "'<c8'");
    refused(written("{'descr': '>i4', 'fortran_order': False, 'shape': (1,), }", 1), "'>i4'");
  }

  @Test
  void refusesATruncatedFile() throws IOException {
    Path file = written("{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2), }", 1, 2, 3, 4);
    byte[] bytes = Files.readAllBytes(file);
    for (int length = 0; length < bytes.length; length++) {
      Files.write(file, Arrays.copyOf(bytes, length));
      refused(file, "is not a .npy file");
    }
  }

  @Test
  void refusesAMissingFile() {
    refused(directory.resolve("none.npy"), "there is no such file");
  }

  @Test
  void refusesASizeThatOverflows() throws IOException {
    refused(written("{'descr': '<i4', 'fortran_order': False, 'shape': (9223372036854775807, 9), }", 1), "not a .npy file");
    refused(written("{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 1), "its shape is");
  }

  private static void refused(Path file, String message) {
    var e = assertThrows(IllegalArgumentException.class, () -> Npy.read(file));
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
  }

  private Path written(String header, int... values) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(10 + header.length() + 1 + 4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0}).putShort((short) (header.length() + 1));
    bytes.put((header + "\n").getBytes(StandardCharsets.US_ASCII));
    Arrays.stream(values).forEach(bytes::putInt);
    return Files.write(directory.resolve("written.npy"), bytes.array());
  }
}
