package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.NearKeys;
import dev.einfall.ir.CompileException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What is stored how.
///
/// @param weights the format of weights that products sum over
/// @param activations the format that what is multiplied with them is rounded to, in the program, before the product
/// @param method how the elements of the weights are rounded
/// @param tables the format of weights of which rows are looked up
/// @param scaled whether the elements of the weights are scaled along the rank that is summed, and what is multiplied with them the other way round, so that
///     those count which are multiplied with most (AWQ, Lin et al., 2023)
/// @param rank that of a product of two thin matrices which is added to each weight for what its format cannot say, 0 for none
/// @param kept the keys of weights that stay as they are
public record Policy(Encoding weights, Optional<Encoding> activations, Method method, Optional<Encoding> tables, boolean scaled, int rank,
    List<Pattern> kept) {

  /// How elements are rounded.
  public enum Method {
    /// As the format's `encode` does.
    NEAREST,
    /// As the format does with the scales, of several smaller ones, for which the squared error is least; that of an element counts as much as the squares
    /// of what it is multiplied with in the calibration data, if there are some.
    CLIP,
    /// With the scales of `CLIP`, one element of a row after the other, each time adding to the next ones what makes up best for its error on the
    /// calibration data (GPTQ, Frantar et al., 2022).
    GPTQ
  }

  public Policy {
    kept = List.copyOf(kept);
  }

  private static Map<String, Policy> named() {
    Map<String, Policy> named = new LinkedHashMap<>();
    named.put("w8", of("int8(group = channel)", Method.NEAREST));
    named.put("w8a8", of("int8(group = channel)", Method.NEAREST).withActivations(Optional.of(Encoding.parse("int8(group = channel)"))));
    named.put("w4", of("int4(group = 64)", Method.NEAREST));
    named.put("w4-clip", of("int4(group = 64)", Method.CLIP));
    named.put("w4-awq", of("int4(group = 64)", Method.CLIP).withScaled(true));
    named.put("w4-gptq", of("int4(group = 64)", Method.GPTQ));
    named.put("w3-gptq", of("asymmetric(bits = 3, group = 64)", Method.GPTQ));
    named.put("ternary-low-rank", of("ternary(group = 64)", Method.GPTQ).withRank(32));
    return named;
  }

  private static Policy of(String weights, Method method) {
    return new Policy(Encoding.parse(weights), Optional.empty(), method, Optional.empty(), false, 0, List.of());
  }

  /// The policy of this name, or else that which stores weights in the format `text`, such as `nf4(group = 64)`.
  ///
  /// @throws CompileException when there is neither
  public static Policy parse(String text) {
    Map<String, Policy> named = named();
    if (named.containsKey(text)) {
      return named.get(text);
    }
    try {
      return of(text, Method.NEAREST);
    } catch (CompileException e) {
      String policies = named.keySet().stream().collect(Collectors.joining(", "));
      throw CompileException.of("there is no policy '" + text + "'" + NearKeys.suggestion(text, named.keySet()) + "; the policies are " + policies
          + ", and all formats: " + e.diagnostics().getFirst().message());
    }
  }

  public Policy withActivations(Optional<Encoding> newActivations) {
    return new Policy(weights, newActivations, method, tables, scaled, rank, kept);
  }

  public Policy withMethod(Method newMethod) {
    return new Policy(weights, activations, newMethod, tables, scaled, rank, kept);
  }

  public Policy withTables(Optional<Encoding> newTables) {
    return new Policy(weights, activations, method, newTables, scaled, rank, kept);
  }

  public Policy withScaled(boolean newScaled) {
    return new Policy(weights, activations, method, tables, newScaled, rank, kept);
  }

  public Policy withRank(int newRank) {
    return new Policy(weights, activations, method, tables, scaled, newRank, kept);
  }

  /// With weights that stay as they are, by patterns in which `*` stands for any characters.
  public Policy withKept(List<String> patterns) {
    return new Policy(weights, activations, method, tables, scaled, rank, patterns.stream().map(pattern -> Pattern.compile(
        List.of(pattern.split("\\*", -1)).stream().map(Pattern::quote).collect(Collectors.joining(".*")))).toList());
  }

  /// Whether it says nothing without what the program computes on some data.
  boolean needsCalibration() {
    return method == Method.GPTQ || scaled;
  }

  boolean keeps(String key) {
    return kept.stream().anyMatch(pattern -> pattern.matcher(key).matches());
  }

  /// All of it, in a line.
  @Override
  public String toString() {
    return "weights " + weights + activations.map(encoding -> ", activations " + encoding).orElse("")
        + tables.map(encoding -> ", tables " + encoding).orElse("") + (scaled ? ", scaled" : "") + (rank == 0 ? "" : ", low rank " + rank)
        + ", method " + method.name().toLowerCase(java.util.Locale.ROOT);
  }
}
