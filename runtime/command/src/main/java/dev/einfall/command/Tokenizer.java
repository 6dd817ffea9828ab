package dev.einfall.command;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Port;
import dev.einfall.runtime.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Makes the inputs of a language model from texts.
final class Tokenizer implements AutoCloseable {
  private static final Map<String, Function<Encoding, long[]>> PARTS = parts();

  private final HuggingFaceTokenizer tokenizer;

  private Tokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  private static Map<String, Function<Encoding, long[]>> parts() {
    Map<String, Function<Encoding, long[]>> parts = new LinkedHashMap<>();
    parts.put("input_ids", Encoding::getIds);
    parts.put("attention_mask", Encoding::getAttentionMask);
    parts.put("token_type_ids", Encoding::getTypeIds);
    return parts;
  }

  /// The tokenizer that the `tokenizer.json` file `file` describes. Texts of a batch are padded to the longest, none is
  /// cut off.
  static Tokenizer open(Path file) {
    // The library would call home and log to nowhere.
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");
    System.setProperty("slf4j.internal.verbosity", "ERROR");
    if (!file.toFile().isFile()) {
      throw new UserError("cannot read the tokenizer " + file + ": there is no such file");
    }
    try {
      return new Tokenizer(
          HuggingFaceTokenizer.builder().optTokenizerPath(file).optTruncation(false).optPadding(true).build());
    } catch (IOException | RuntimeException e) {
      throw new UserError("cannot read the tokenizer " + file + ": " + e.getMessage());
    }
  }

  /// The inputs among `ports` that are known by name, each `[texts, tokens]`.
  Map<String, Tensor> inputs(List<String> texts, List<Port> ports) {
    Encoding[] encodings = tokenizer.batchEncode(texts);
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    for (Port port : ports) {
      Optional.ofNullable(PARTS.get(port.name())).ifPresent(part -> inputs.put(port.name(), tensor(port, part, encodings)));
    }
    if (inputs.isEmpty()) {
      throw new UserError("--text needs a program with an input of " + PARTS.keySet() + "; the inputs are " + ports);
    }
    return inputs;
  }

  private static Tensor tensor(Port port, Function<Encoding, long[]> part, Encoding[] encodings) {
    long[] values = Arrays.stream(encodings).flatMapToLong(encoding -> Arrays.stream(part.apply(encoding))).toArray();
    long[] shape = {encodings.length, values.length / encodings.length};
    return switch (port.type()) {
      case I64 -> Tensor.of(values, shape);
      case I32 -> Tensor.of(Arrays.stream(values).mapToInt(Math::toIntExact).toArray(), shape);
      case F64, F32, F16, BF16, I16, I8, U8, BOOL -> throw new UserError(
          "--text makes integers, " + ElementType.I64 + " or " + ElementType.I32 + ", but an input is " + port);
    };
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
