package dev.einfall.tests.programs;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.tests.MadeWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;

/// Weights of random codes in any format of the library: of all codes but those that stand for no finite number. Scales are neither very large nor very small.
final class RandomCodes {
  private final String format;
  private final SplittableRandom random = new SplittableRandom(11);

  private RandomCodes(String format) {
    this.format = format;
  }

  /// What a program reads of weights in a format.
  ///
  /// @param format its name, whatever sizes follow it
  static MadeWeights of(String format, Cascade cascade) {
    RandomCodes codes = new RandomCodes(format.replaceAll("\\(.*", ""));
    MadeWeights weights = new MadeWeights();
    cascade.weights().forEach(weight -> {
      long[] shape = weight.tensor().shape().stream().mapToLong(Size::value).toArray();
      weights.with(weight.key(), weight.tensor().type(), codes.made(weight.key(), weight.tensor().type(), shape), shape);
    });
    return weights;
  }

  private MemorySegment made(String key, ElementType type, long[] shape) {
    int count = Math.toIntExact(Arrays.stream(shape).reduce(1L, (a, b) -> a * b));
    MemorySegment memory = Arena.ofAuto().allocate((long) count * type.bytes(), Long.BYTES);
    for (int i = 0; i < count; i++) {
      switch (type) {
        case F32 -> memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(key.endsWith(".table") ? -1 : 0.5, 1.5));
        case F16 -> memory.setAtIndex(ValueLayout.JAVA_SHORT, i, half());
        case I16 -> memory.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) random.nextInt(1 << Short.SIZE));
        case U8, I8 -> memory.set(ValueLayout.JAVA_BYTE, i, (byte) (isScale(key) ? random.nextInt(110, 126) : finite(random.nextInt(256))));
        case F64, BF16, I64, I32, BOOL -> throw new IllegalArgumentException("no codes of " + type);
      }
    }
    if (key.endsWith(".blocks")) {
      setHalves(memory, shape[shape.length - 1]);
    }
    return memory;
  }

  private short half() {
    return Float.floatToFloat16((float) random.nextDouble(0.5, 1.5));
  }

  private static boolean isScale(String key) {
    return key.endsWith(".scale") || key.endsWith(".exponent");
  }

  /// A byte, or a near one where all of its bits stand for an infinity or what is no number.
  private int finite(int code) {
    return switch (format) {
      case "fp8_e4m3", "mxfp8_e4m3" -> (code & 0x7F) == 0x7F ? code ^ 1 : code;
      case "fp8_e5m2", "mxfp8_e5m2" -> (code & 0x7C) == 0x7C ? code ^ 4 : code;
      case "ue5m3" -> Math.min(code, 254);
      default -> code;
    };
  }

  /// Scales of 16 bits within blocks of bytes.
  private void setHalves(MemorySegment memory, long size) {
    int[] places = switch (format) {
      case "gguf_q4_0", "gguf_q8_0" -> new int[] {0};
      case "gguf_q4_k" -> new int[] {0, 2};
      case "gguf_q6_k" -> new int[] {208};
      default -> throw new IllegalArgumentException("no blocks of " + format);
    };
    for (long block = 0; block < memory.byteSize(); block += size) {
      for (int place : places) {
        memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, block + place, half());
      }
    }
  }
}
