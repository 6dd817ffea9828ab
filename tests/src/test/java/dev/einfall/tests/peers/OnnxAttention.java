package dev.einfall.tests.peers;

import static dev.einfall.tests.peers.AttentionCase.DEPTH;

import ai.onnxruntime.OrtException;
import java.util.LinkedHashMap;
import java.util.Map;

/// The fused attention operators of ONNX Runtime, each fed with the layout that suits it best.
///
/// On CPUs, `MultiHeadAttention` is the flash form where nothing is masked and all inputs are `[batch, position, heads * depth]`;
/// it and the others store all scores otherwise.
final class OnnxAttention {
  private static final String MICROSOFT = "com.microsoft";

  private final AttentionCase shape;
  private final int threads;
  private final AttentionCase.Inputs in;

  private OnnxAttention(AttentionCase shape, AttentionCase.Inputs in, int threads) {
    this.shape = shape;
    this.threads = threads;
    this.in = in;
  }

  /// The operators that can compute `shape`, by name.
  static Map<String, Contestant> all(AttentionCase shape, AttentionCase.Inputs inputs, int threads) throws OrtException {
    OnnxAttention operators = new OnnxAttention(shape, inputs, threads);
    Map<String, Contestant> all = new LinkedHashMap<>();
    all.put("ort Attention", operators.attention());
    if (shape.groups() == shape.heads()) {
      all.put("ort MultiHead", shape.decode() ? operators.multiHeadOverCache() : operators.multiHead());
    }
    if (shape.causal()) {
      all.put("ort GroupQuery", operators.groupQuery());
    }
    if (shape.decode()) {
      all.put("ort GroupQuery", operators.groupQueryOverCache());
    }
    return all;
  }

  /// ONNX's own operator.
  private Contestant attention() throws OrtException {
    byte[] model = new OnnxModel("Attention", "", 23).floats("Q", "K", "V").attribute("is_causal", shape.causal() ? 1 : 0).gives("Y");
    return new OnnxContestant(model, threads)
        .with("Q", in.q(), 1, shape.heads(), shape.queries(), DEPTH)
        .with("K", in.k(), 1, shape.groups(), shape.keys(), DEPTH)
        .with("V", in.v(), 1, shape.groups(), shape.keys(), DEPTH);
  }

  private Contestant multiHead() throws OrtException {
    byte[] model = new OnnxModel("MultiHeadAttention", MICROSOFT, 1).floats("Q", "K", "V")
        .attribute("num_heads", shape.heads()).attribute("unidirectional", shape.causal() ? 1 : 0).gives("Y");
    return positionsFirst(new OnnxContestant(model, threads)
        .with("Q", byPosition(in.q(), shape.heads()), 1, shape.queries(), (long) shape.heads() * DEPTH)
        .with("K", byPosition(in.k(), shape.groups()), 1, shape.keys(), (long) shape.groups() * DEPTH)
        .with("V", byPosition(in.v(), shape.groups()), 1, shape.keys(), (long) shape.groups() * DEPTH));
  }

  /// Keys and values by heads, as a cache holds them: they need not be copied.
  private Contestant multiHeadOverCache() throws OrtException {
    byte[] model = new OnnxModel("MultiHeadAttention", MICROSOFT, 1).floats("Q", "K", "V")
        .attribute("num_heads", shape.heads()).gives("Y");
    return new OnnxContestant(model, threads)
        .with("Q", in.q(), 1, 1, (long) shape.heads() * DEPTH)
        .with("K", in.k(), 1, shape.groups(), shape.keys(), DEPTH)
        .with("V", in.v(), 1, shape.groups(), shape.keys(), DEPTH);
  }

  private OnnxModel groupQueryModel() {
    return new OnnxModel("GroupQueryAttention", MICROSOFT, 1)
        .attribute("num_heads", shape.heads()).attribute("kv_num_heads", shape.groups());
  }

  private Contestant groupQuery() throws OrtException {
    byte[] model = groupQueryModel().floats("Q", "K", "V", "", "").integers("last", "total").gives("Y", "keys", "values");
    return positionsFirst(new OnnxContestant(model, threads)
        .with("Q", byPosition(in.q(), shape.heads()), 1, shape.queries(), (long) shape.heads() * DEPTH)
        .with("K", byPosition(in.k(), shape.groups()), 1, shape.keys(), (long) shape.groups() * DEPTH)
        .with("V", byPosition(in.v(), shape.groups()), 1, shape.keys(), (long) shape.groups() * DEPTH)
        .with("last", shape.keys() - 1, 1).with("total", shape.keys(), 1));
  }

  /// The last key and value are new, and are written into a cache that holds the others.
  private Contestant groupQueryOverCache() throws OrtException {
    byte[] model = groupQueryModel().floats("Q", "K", "V", "old_keys", "old_values").integers("last", "total")
        .gives("Y", "keys", "values");
    return new OnnxContestant(model, threads)
        .with("Q", in.q(), 1, 1, (long) shape.heads() * DEPTH)
        .with("K", last(in.k()), 1, 1, (long) shape.groups() * DEPTH)
        .with("V", last(in.v()), 1, 1, (long) shape.groups() * DEPTH)
        .with("old_keys", in.k(), 1, shape.groups(), shape.keys(), DEPTH)
        .with("old_values", in.v(), 1, shape.groups(), shape.keys(), DEPTH)
        .with("last", shape.keys() - 1, 1).with("total", shape.keys(), 1)
        .inPlace("keys", "old_keys").inPlace("values", "old_values");
  }

  /// The rows of the last position, of all heads.
  private float[] last(float[] values) {
    float[] rows = new float[shape.groups() * DEPTH];
    for (int g = 0; g < shape.groups(); g++) {
      System.arraycopy(values, ((g + 1) * shape.keys() - 1) * DEPTH, rows, g * DEPTH, DEPTH);
    }
    return rows;
  }

  /// `[heads, positions, DEPTH]` as `[positions, heads, DEPTH]`.
  private static float[] byPosition(float[] values, int heads) {
    return Exchanged.of(values, heads, values.length / heads / DEPTH, DEPTH);
  }

  private Contestant positionsFirst(Contestant contestant) {
    return Exchanged.positionsFirst(contestant, shape.queries(), shape.heads(), DEPTH);
  }
}
