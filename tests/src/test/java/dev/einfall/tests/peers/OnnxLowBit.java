package dev.einfall.tests.peers;

import ai.onnxruntime.OrtException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/// The operators of ONNX Runtime for products with weights of few bits, given the same codes and scales.
///
/// `MatMulNBits` computes in `f32`, or makes bytes of the numbers of each block of the first matrix, as does `DynamicQuantizeMatMul` of all of them.
final class OnnxLowBit {
  static final String FLOATS = "ort f32";
  static final String BYTES = "ort bytes";
  private static final String MICROSOFT = "com.microsoft";
  private static final int GROUP = 64;
  /// What operators call the accuracy of `f32` and of bytes.
  private static final Map<String, Integer> LEVELS = Map.of(FLOATS, 1, BYTES, 4);
  private static final int NORMAL_FLOATS = 1;

  private final LowBitCase shape;
  private final byte[] code;
  private final float[] scale;
  private final int threads;

  private OnnxLowBit(LowBitCase shape, LowBitFormat.Encoded weights, int threads) {
    this.shape = shape;
    this.code = Stored.bytes(weights.code());
    this.scale = weights.scale().floats();
    this.threads = threads;
  }

  /// The operators that compute `shape`.
  static Map<String, Contestant> all(LowBitCase shape, LowBitFormat.Encoded weights, int threads) throws OrtException {
    return switch (shape.format()) {
      case INT8 -> of(shape, weights, threads).bits(8);
      case INT4 -> of(shape, weights, threads).bits(4);
      case INT2, TERNARY -> of(shape, weights, threads).bits(2);
      case NF4 -> Map.of(FLOATS, of(shape, weights, threads).normalFloats());
      case INT8_ROWS -> Map.of(BYTES, of(shape, weights, threads).dynamic());
      case MXFP4, INT3, BINARY, INT5, INT6, INT7, ASYMMETRIC4, ANY4, ANY3, DYNAMIC8, FP8_E4M3, FP8_E5M2, FP6_E2M3, FP6_E3M2, MXFP6, MXFP8, MXINT8, NVFP4, FIXED, BLOCK_FLOAT5, POWER4, SHIFT4,
          Q4_0, Q4_K, Q6_K, F16, BF16 -> Map.of();
    };
  }

  private static OnnxLowBit of(LowBitCase shape, LowBitFormat.Encoded weights, int threads) {
    return new OnnxLowBit(shape, weights, threads);
  }

  private Contestant given(byte[] model) throws OrtException {
    return new OnnxContestant(model, threads).with("A", shape.numbers(), shape.m(), shape.k());
  }

  private OnnxModel sizes(OnnxModel model) {
    return model.attribute("K", shape.k()).attribute("N", shape.n()).attribute("block_size", GROUP);
  }

  private Map<String, Contestant> bits(int bits) throws OrtException {
    Map<String, Contestant> both = new LinkedHashMap<>();
    for (String accuracy : new String[] {FLOATS, BYTES}) {
      int groups = shape.k() / GROUP;
      OnnxModel model = sizes(new OnnxModel("MatMulNBits", MICROSOFT, 1)).attribute("bits", bits).attribute("accuracy_level", LEVELS.get(accuracy))
          .floats("A").constant("B", false, bits == Byte.SIZE ? withoutSigns(code) : code, shape.n(), groups, GROUP * bits / Byte.SIZE)
          .constant("scales", scale, shape.n(), groups);
      both.put(accuracy, given((shape.format() == LowBitFormat.TERNARY ? zeros(model, groups) : model).gives("Y")));
    }
    return both;
  }

  private static byte[] withoutSigns(byte[] signed) {
    byte[] result = signed.clone();
    for (int i = 0; i < result.length; i++) {
      result[i] = (byte) (result[i] + LowBitCase.MIDDLE);
    }
    return result;
  }

  /// The code of 0 is 1 in each group, where it would be 2.
  private OnnxModel zeros(OnnxModel model, int groups) {
    byte[] ones = new byte[shape.n() * groups / 4];
    Arrays.fill(ones, (byte) 0x55);
    return model.constant("zero_points", false, ones, shape.n(), groups / 4);
  }

  /// The number of an even coordinate is in the upper half there.
  private Contestant normalFloats() throws OrtException {
    byte[] turned = code.clone();
    for (int i = 0; i < turned.length; i++) {
      turned[i] = (byte) (turned[i] << 4 | (turned[i] & 0xff) >> 4);
    }
    return given(sizes(new OnnxModel("MatMulBnb4", MICROSOFT, 1)).attribute("quant_type", NORMAL_FLOATS).floats("A")
        .constant("B", false, turned, turned.length).constant("absmax", scale, scale.length).gives("Y"));
  }

  private Contestant dynamic() throws OrtException {
    byte[] transposed = new byte[code.length];
    for (int row = 0; row < shape.n(); row++) {
      for (int i = 0; i < shape.k(); i++) {
        transposed[i * shape.n() + row] = code[row * shape.k() + i];
      }
    }
    return given(new OnnxModel("DynamicQuantizeMatMul", MICROSOFT, 1).floats("A").constant("B", true, transposed, shape.k(), shape.n())
        .constant("scale", scale, shape.n()).gives("Y"));
  }
}
