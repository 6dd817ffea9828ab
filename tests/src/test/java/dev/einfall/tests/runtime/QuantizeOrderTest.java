package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.ElementType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The order of channels is in the weights around them, wherever that gives the same results, so that programs do not gather.
class QuantizeOrderTest {
  private static final String GELU = """
        P[b, n] = sum[k](X[b, k] * W[n, k]) + bias[n]
        H = gelu(P)
        Y[b, n] = H[b, k] * V[n, k]
      """;

  @TempDir
  private Path directory;

  /// A network of these statements between `X` and `Y`, of whose first weight every eighth row is large.
  private QuantizedNet net(String statements) throws IOException {
    String program = QuantizedNet.text(statements);
    List<StoredTensor> weights = new ArrayList<>(List.of(vector("gamma", QuantizedNet.ones(8, 20)), vector("beta", QuantizedNet.normal(96, 7)),
        vector("bias", QuantizedNet.normal(96, 8))));
    for (String key : List.of("first", "gate", "second")) {
      float[] values = QuantizedNet.normal(96 * 96, key.length());
      for (int i = 0; i < values.length; i++) {
        boolean isLarge = key.equals("first") ? i / 96 % 8 == 4 : key.equals("second") && i % 8 == 4;
        values[i] *= !isLarge ? 1 : key.equals("first") ? 1 / 16f : 16;
      }
      weights.add(QuantizedNet.stored(key + ".weight", values, 96, 96));
    }
    return QuantizedNet.of(directory, program, weights, QuantizedNet.normal(QuantizedNet.SAMPLES * 96, 4));
  }

  private static StoredTensor vector(String key, float[] values) {
    return new StoredTensor(key, ElementType.F32, List.of((long) values.length), MemorySegment.ofArray(values));
  }

  private static double difference(QuantizedNet net, String policy, String out) {
    CommandLineRun run = net.calibrated(policy, out);
    assertEquals(0, run.exitCode(), run.err());
    return net.difference(out);
  }

  /// With scales of whole rows the order makes no difference: it may not change what the program computes.
  private String text(String statements) throws IOException {
    QuantizedNet net = net(statements);
    double before = difference(net, "symmetric(bits = 8, group = channel)", "plain");
    double after = difference(net, "order,symmetric(bits = 8, group = channel)", "ordered");
    assertEquals(before, after, 1e-5);
    return Files.readString(net.written("ordered"));
  }

  private static void assertFolded(String text, String where) {
    assertTrue(text.contains("# The channels of " + where + " are.\n"), text);
    String tensor = where.substring(0, where.indexOf(' '));
    assertFalse(text.contains("  " + tensor + "_ordered["), text);
  }

  private static void assertNotFolded(String text, String tensor) {
    assertFalse(text.contains("# The channels of " + tensor + " "), text);
    assertTrue(text.contains("  " + tensor + "_ordered["), text);
  }

  @Test
  void rowsOfTheProductBeforeAreInOrder() throws IOException {
    String text = text(GELU);
    assertFolded(text, "H are in another order, as bias, first.weight, second.weight");
    assertNotFolded(text, "X");
  }

  @Test
  void twoProductsBehindAGateAreInOneOrder() throws IOException {
    assertFolded(text("""
          G[b, n] = X[b, k] * W[n, k]
          H[b, n] = X[b, k] * U[n, k]
          Z = silu(G) * H
          Y[b, n] = Z[b, k] * V[n, k]
        """), "Z are in another order, as first.weight, gate.weight, second.weight");
  }

  /// A residual path: all that reads it, norms too, has its order.
  @Test
  void theOrderGoesThroughNormsAndResidualPaths() throws IOException {
    String text = text("""
          R[b, n] = sum[k](X[b, k] * W[n, k])
          N = layer_norm(R, gamma, beta, 1e-5)
          S[b, n] = R[b, n] + sum[k](N[b, k] * U[n, k])
          Y[b, n] = S[b, k] * V[n, k]
        """);
    assertFolded(text, "N are in another order, as beta, first.weight, gamma, gate.weight, second.weight");
    assertFalse(text.contains("S_ordered["), text);
  }

  @Test
  void viewsThatKeepChannelsApartAreInOrder() throws IOException {
    assertFolded(text("""
          P[b, n] = sum[k](X[b, k] * W[n, k]) + bias[n]
          Q = transpose(reshape(P, [B, 8, 12]), [1, 0, 2])
          M = reshape(transpose(Q, [1, 0, 2]), [B, 96])
          Y[b, n] = M[b, k] * V[n, k]
        """), "M are in another order, as bias, first.weight, second.weight");
  }

  @Test
  void whatOthersSeeStays() throws IOException {
    assertNotFolded(text("""
          P[b, n] = sum[k](X[b, k] * W[n, k]) + bias[n]
          heads = transpose(reshape(P, [B, 8, 12]), [1, 0, 2])
          A[h in 0..8, b, c] = exp(-abs(X[b, h] - X[c, h]))
          Z[h, b, e] = sum[c](A[h, b, c] * heads[h, c, e])
          M = reshape(transpose(Z, [1, 0, 2]), [B, 96])
          Y[b, n] = M[b, k] * V[n, k]
        """), "M");
    assertNotFolded(text("""
          H[b, n] = sum[k](X[b, k] * W[n, k]) + bias[n]
          Y[b, n] = sum[k](H[b, k] * V[n, k]) + H[b, n]
        """), "H");
    assertNotFolded(text("""
          H[b, n] = sum[k](X[b, k] * W[n, k]) + f32(n)
          Y[b, n] = H[b, k] * V[n, k]
        """), "H");
  }

  /// Large columns share blocks of block floating point, so that small ones keep their bits.
  @Test
  void outliersShareBlocks() throws IOException {
    QuantizedNet net = net(GELU);
    for (String format : List.of("block_float(bits = 4, block = 16)", "mxfp4")) {
      double plain = difference(net, format, "plain");
      double ordered = difference(net, "order," + format, "ordered");
      assertTrue(ordered < 0.75 * plain, format + ": " + ordered + ", and without the order " + plain);
      String text = Files.readString(net.written("ordered"));
      assertFalse(text.contains("H_ordered["), text);
    }
    double smooth = difference(net, "smooth,order,mxfp4", "smooth");
    assertTrue(smooth < 1.1 * difference(net, "order,mxfp4", "ordered"), "difference " + smooth);
  }
}
