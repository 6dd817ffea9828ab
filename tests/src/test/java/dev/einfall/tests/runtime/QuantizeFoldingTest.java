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
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Scales of activations are in the weights that these are computed of, wherever that gives the same results, and in the program elsewhere.
class QuantizeFoldingTest {
  @TempDir
  private Path directory;

  /// The text of the program that `policy` makes of one with these statements, between an `X` with a few large columns and `Y`.
  private String quantized(String policy, String statements) throws IOException {
    String program = QuantizedNet.text(statements);
    List<StoredTensor> weights = new ArrayList<>(List.of(vector("gamma", QuantizedNet.ones(24, 30)), vector("beta", QuantizedNet.normal(96, 7)),
        vector("bias", QuantizedNet.normal(96, 8))));
    for (String key : List.of("first", "gate", "second")) {
      weights.add(QuantizedNet.stored(key + ".weight", QuantizedNet.normal(96 * 96, key.length()), 96, 96));
    }
    QuantizedNet net = QuantizedNet.of(directory, program, weights, QuantizedNet.normal(QuantizedNet.SAMPLES * 96, 4));
    CommandLineRun run = net.calibrated(policy, "out");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(net.difference("out") < 0.02, "difference " + net.difference("out"));
    return Files.readString(net.written("out"));
  }

  private static StoredTensor vector(String key, float[] values) {
    return new StoredTensor(key, ElementType.F32, List.of((long) values.length), MemorySegment.ofArray(values));
  }

  private static void assertFolded(String text, String where) {
    assertSaid(text, where);
    assertFalse(text.contains("_scaled["), text);
    assertFalse(text.contains(".smooth\""), text);
  }

  /// @param where the tensor, and which weights have its scales; which weights it meets is said between these
  private static void assertSaid(String text, String where) {
    String[] parts = where.split(" ", 2);
    assertTrue(Pattern.compile("# The scales of " + parts[0] + " for \\w+\\.weight(, \\w+\\.weight)* " + Pattern.quote(parts[1] + ".\n")).matcher(text).find(), text);
  }

  private static void assertNotFolded(String text, String tensor) {
    assertFalse(text.contains("# The scales of " + tensor + " "), text);
    assertTrue(text.contains("  " + tensor + "_scaled["), text);
  }

  @Test
  void productsOfANormShareItsWeights() throws IOException {
    String text = quantized("smooth,w8a8", """
          N = layer_norm(X, gamma, beta, 1e-5)
          Y[b, n] = sum[k](N[b, k] * W[n, k]) + sum[k](N[b, k] * U[n, k])
        """);
    assertFolded(text, "N are in gamma, beta");
    assertTrue(text.contains("encode_int8(N, 96)"), text);
    assertFolded(quantized("smooth,static,w8a8", """
          N = rms_norm(X, gamma, 1e-5)
          Y[b, n] = N[b, k] * W[n, k]
        """), "N are in gamma");
  }

  /// Weights that find scales for themselves share them where these can be in what comes before.
  @Test
  void scalesOfWeightsAreThoseOfAllProductsOfATensor() throws IOException {
    String policy = "symmetric(bits = 8, group = 32),awq";
    assertFolded(quantized(policy, """
          N = layer_norm(X, gamma, beta, 1e-5)
          Y[b, n] = sum[k](N[b, k] * W[n, k]) + sum[k](N[b, k] * U[n, k])
        """), "N are in gamma, beta");
    assertFolded(quantized("smooth," + policy, """
          N = rms_norm(X, gamma, 1e-5)
          Y[b, n] = N[b, k] * W[n, k]
        """), "N are in gamma");
    assertNotFolded(quantized(policy, """
          N = layer_norm(X, gamma, beta, 1e-5)
          Y[b, n] = sum[k](N[b, k] * W[n, k]) + N[b, n]
        """), "N");
  }

  @Test
  void aNormThatIsReadByWhatIsNotScaledStays() throws IOException {
    assertNotFolded(quantized("smooth,w8a8", """
          N = layer_norm(X, gamma, beta, 1e-5)
          Y[b, n] = sum[k](N[b, k] * W[n, k]) + N[b, n]
        """), "N");
    assertNotFolded(quantized("smooth,w8a8", """
          N = layer_norm(X, gamma, beta, 1e-5)
          Y[b, n] = sum[k](N[b, k] * W[n, k]) * gamma[n]
        """), "N");
  }

  @Test
  void rowsOfTheProductBeforeTakeScales() throws IOException {
    assertFolded(quantized("smooth,w8", """
          N = layer_norm(X, gamma, beta, 1e-5)
          H[b, n] = max(sum[k](N[b, k] * W[n, k]) + bias[n], 0)
          Y[b, n] = H[b, k] * V[n, k]
        """), "H are in first.weight, bias");
    String gated = quantized("smooth,w8a8", """
          N = layer_norm(X, gamma, beta, 1e-5)
          G[b, n] = N[b, k] * W[n, k]
          H[b, n] = N[b, k] * U[k, n]
          Z = silu(G) * H
          Y[b, n] = Z[b, k] * V[n, k]
        """);
    assertFolded(gated, "Z are in gate.weight");
    assertTrue(gated.contains("# The scales of N for first.weight, gate.weight are in gamma, beta.\n"), gated);
  }

  @Test
  void scalesGoThroughViewsAndSumsOverOtherRanks() throws IOException {
    assertFolded(quantized("smooth,w8", """
          N = layer_norm(X, gamma, beta, 1e-5)
          P[b, n] = sum[k](N[b, k] * W[n, k]) + bias[n]
          heads = transpose(reshape(P, [B, 8, 12]), [1, 0, 2])
          A[h in 0..8, b, c] = exp(-abs(X[b, h] - X[c, h]))
          Z[h, b, e] = sum[c](A[h, b, c] * heads[h, c, e])
          M = reshape(transpose(Z, [1, 0, 2]), [B, 96])
          Y[b, n] = M[b, k] * V[n, k]
        """), "M are in first.weight, bias");
  }

  @Test
  void headsThatSeveralReadCannotHaveTheScalesOfEach() throws IOException {
    String text = quantized("smooth,w8", """
          N = layer_norm(X, gamma, beta, 1e-5)
          P[b, n] = N[b, k] * W[n, k]
          M[b, n in 0..96] = P[b, n % 48] + 0 * P[b, n / 2 + 48]
          Y[b, n] = M[b, k] * V[n, k]
        """);
    assertNotFolded(text, "M");
  }

  @Test
  void whatIsNotLinearBetweenStays() throws IOException {
    assertNotFolded(quantized("smooth,w8", """
          N = layer_norm(X, gamma, beta, 1e-5)
          P[b, n] = sum[k](N[b, k] * W[n, k]) + bias[n]
          H = gelu(P)
          Y[b, n] = H[b, k] * V[n, k]
        """), "H");
    assertNotFolded(quantized("smooth,w8", """
          P[b, n] = X[b, k] * W[n, k]
          H[b, n] = P[b, n] + 1
          Y[b, n] = H[b, k] * V[n, k]
        """), "H");
  }
}
