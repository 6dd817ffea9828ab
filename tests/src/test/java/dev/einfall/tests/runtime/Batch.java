package dev.einfall.tests.runtime;

import ai.djl.huggingface.tokenizers.Encoding;
import dev.einfall.runtime.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;

/// The inputs of all-MiniLM-L6-v2 for some texts of equal length, or padded to it: `[size, tokens]` each, row-major.
public record Batch(int size, int tokens, long[] ids, long[] mask, long[] kinds) {

  static Batch of(Encoding... encodings) {
    return new Batch(encodings.length, encodings[0].getIds().length, join(encodings, Encoding::getIds),
        join(encodings, Encoding::getAttentionMask), join(encodings, Encoding::getTypeIds));
  }

  private static long[] join(Encoding[] encodings, Function<Encoding, long[]> part) {
    return Arrays.stream(encodings).flatMapToLong(encoding -> Arrays.stream(part.apply(encoding))).toArray();
  }

  /// Random words, none of them padding.
  public static Batch random(int size, int tokens) {
    long[] mask = new long[size * tokens];
    Arrays.fill(mask, 1);
    long[] ids = new SplittableRandom(1).longs((long) size * tokens, 1000, 30_000).toArray();
    return new Batch(size, tokens, ids, mask, new long[size * tokens]);
  }

  /// The inputs as tensors, to be closed by the caller.
  public Map<String, Tensor> inputs() {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    inputs.put("input_ids", Tensor.of(ids, size, tokens));
    inputs.put("attention_mask", Tensor.of(mask, size, tokens));
    inputs.put("token_type_ids", Tensor.of(kinds, size, tokens));
    return inputs;
  }

  /// The mean of the states of the tokens that the mask keeps, scaled to length 1, of each text.
  double[] embedding(float[] hidden) {
    int width = hidden.length / (size * tokens);
    double[] embedding = new double[size * width];
    for (int text = 0; text < size; text++) {
      double squares = 0;
      for (int d = 0; d < width; d++) {
        double sum = 0;
        for (int t = 0; t < tokens; t++) {
          sum += mask[text * tokens + t] * (double) hidden[(text * tokens + t) * width + d];
        }
        embedding[text * width + d] = sum;
        squares += sum * sum;
      }
      for (int d = 0; d < width; d++) {
        embedding[text * width + d] /= Math.sqrt(squares);
      }
    }
    return embedding;
  }
}
