package dev.einfall.backends.cuda;

import dev.einfall.backends.c.CTypes;
import dev.einfall.backends.c.Vocabulary;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.ValueType;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// The functions by which all threads of a block combine a value of each: those of a warp by exchanging registers, and the warps through a few bytes that
/// they share. Every thread gets the result, which does not depend on who comes first.
final class BlockReductions {
  /// What the warps of a block share for it.
  static final int SHARED_BYTES = 32 * 8;

  private final Vocabulary vocabulary;
  private final Map<String, String> definitions = new LinkedHashMap<>();

  BlockReductions(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
  }

  /// The function that combines values of `type` by `op`.
  String function(BinaryOp op, ElementType type) {
    String name = "all_" + type.text() + "_" + op.name().toLowerCase(Locale.ROOT);
    if (!definitions.containsKey(name)) {
      definitions.put(name, definition(name, op, type));
    }
    return name;
  }

  /// The definitions, in order.
  String definitions() {
    return String.join("\n", definitions.values());
  }

  private String definition(String name, BinaryOp op, ElementType type) {
    String value = CTypes.value(type);
    // Narrower integers are exchanged as `int`.
    String exchanged = type.isFloat() || type.bytes() == 8 ? "a" : "(int) a";
    String combined = vocabulary.combined(op, ValueType.scalar(type), "a", "b");
    return """
        static __device__ %1$s %2$s(%1$s a, unsigned char *shared) {
          %1$s *const parts = (%1$s *) shared;
          for (int32_t lanes = 16; lanes > 0; lanes /= 2) {
            const %1$s b = (%1$s) __shfl_xor_sync(0xffffffff, %3$s, lanes);
            a = %4$s;
          }
          // Whoever still reads the last result has come here before it is overwritten.
          __syncthreads();
          if (threadIdx.x %% 32 == 0) {
            parts[threadIdx.x / 32] = a;
          }
          __syncthreads();
          a = parts[0];
          for (uint32_t warp = 1; warp < blockDim.x / 32; warp++) {
            const %1$s b = parts[warp];
            a = %4$s;
          }
          return a;
        }
        """.formatted(value, name, exchanged, combined);
  }
}
