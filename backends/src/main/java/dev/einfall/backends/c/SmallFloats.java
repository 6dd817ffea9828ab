package dev.einfall.backends.c;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;

/// The bodies of the functions between `float` and the floats of 16 bits, on bits alone, so that every compiler and machine gives the same.
final class SmallFloats {
  private SmallFloats() {}

  /// From the bits `a` to a `float`, which is exact.
  static String fromBits(ElementType type) {
    return switch (type) {
      case BF16 -> """
          const uint32_t b = (uint32_t) a << 16;
            float r;
            memcpy(&r, &b, sizeof r);
            return r;""";
      case F16 -> """
          const uint32_t sign = (uint32_t) (a & 0x8000) << 16;
            const uint32_t exponent = a >> 10 & 31;
            const uint32_t fraction = a & 1023;
            uint32_t b = exponent == 31 ? 0x7f800000 | fraction << 13 : (exponent + 112) << 23 | fraction << 13;
            float r;
            if (exponent == 0) {
              r = (float) fraction * 0x1p-24f;
              memcpy(&b, &r, sizeof b);
            }
            b |= sign;
            memcpy(&r, &b, sizeof r);
            return r;""";
      case F64, F32, I64, I32, I16, I8, U8, BOOL -> throw new InternalException(type + " is no float of 16 bits");
    };
  }

  /// From the `float` `a` to the bits of the nearest number, ties to even.
  static String bits(ElementType type) {
    return switch (type) {
      case BF16 -> """
          uint32_t b;
            memcpy(&b, &a, sizeof b);
            return (uint16_t) ((b & 0x7fffffff) > 0x7f800000 ? b >> 16 | 0x40 : (b + 0x7fff + (b >> 16 & 1)) >> 16);""";
      case F16 -> """
          uint32_t b;
            memcpy(&b, &a, sizeof b);
            const uint32_t sign = b >> 16 & 0x8000;
            b &= 0x7fffffff;
            if (b > 0x7f800000) {
              return (uint16_t) (sign | 0x7e00 | (b >> 13 & 0x3ff));
            }
            if (b >= 0x477ff000) {
              return (uint16_t) (sign | 0x7c00);
            }
            if (b < 0x38800000) {
              float magnitude;
              memcpy(&magnitude, &b, sizeof magnitude);
              magnitude += 0.5f;
              memcpy(&b, &magnitude, sizeof b);
              return (uint16_t) (sign | (b - 0x3f000000));
            }
            return (uint16_t) (sign | (b - 0x38000000 + 0xfff + (b >> 13 & 1)) >> 13);""";
      case F64, F32, I64, I32, I16, I8, U8, BOOL -> throw new InternalException(type + " is no float of 16 bits");
    };
  }

  /// The `bf16` nearest to `value`.
  static float roundToBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.isNaN(value) ? value : Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
  }

  /// The same for vectors of `bf16`.
  static String vectorFromBits(String floats, String words) {
    return "return (" + floats + ") (__builtin_convertvector(a, " + words + ") << 16);";
  }

  /// The same for vectors of `bf16`.
  static String vectorBits(String bits, String words) {
    return """
        const %2$s b = (%2$s) a;
          const %2$s nan = (%2$s) ((b & 0x7fffffff) > 0x7f800000);
          return __builtin_convertvector((nan & (b >> 16 | 0x40)) | (~nan & ((b + 0x7fff + (b >> 16 & 1)) >> 16)), %1$s);""".formatted(bits, words);
  }
}
