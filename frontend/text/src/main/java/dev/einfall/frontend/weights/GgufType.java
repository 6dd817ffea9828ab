package dev.einfall.frontend.weights;

import dev.einfall.ir.ElementType;
import java.util.Optional;

/// How the elements of a tensor of a GGUF file lie there: by themselves, or in blocks of neighbours of the last rank (`ggml_type` of ggml.h).
///
/// @param element the type of the elements, or of the bytes of blocks
/// @param elements how many of them are in a block
/// @param bytes of a block
record GgufType(String name, ElementType element, int elements, int bytes) {

  /// The type of the number `number`, if its tensors can be read.
  static Optional<GgufType> of(int number) {
    return Optional.ofNullable(switch (number) {
      case 0 -> plain("F32", ElementType.F32);
      case 1 -> plain("F16", ElementType.F16);
      case 2 -> blocks("Q4_0", 32, 18);
      case 8 -> blocks("Q8_0", 32, 34);
      case 12 -> blocks("Q4_K", 256, 144);
      case 14 -> blocks("Q6_K", 256, 210);
      case 24 -> plain("I8", ElementType.I8);
      case 25 -> plain("I16", ElementType.I16);
      case 26 -> plain("I32", ElementType.I32);
      case 27 -> plain("I64", ElementType.I64);
      case 28 -> plain("F64", ElementType.F64);
      case 30 -> plain("BF16", ElementType.BF16);
      default -> null;
    });
  }

  private static GgufType plain(String name, ElementType element) {
    return new GgufType(name, element, 1, element.bytes());
  }

  private static GgufType blocks(String name, int elements, int bytes) {
    return new GgufType(name, ElementType.U8, elements, bytes);
  }

  boolean isInBlocks() {
    return elements > 1;
  }
}
