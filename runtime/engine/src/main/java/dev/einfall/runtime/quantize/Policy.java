package dev.einfall.runtime.quantize;

import dev.einfall.ir.CompileException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What is stored how.
///
/// @param isInteger whether the program computes with whole numbers alone; then nothing else is asked for
/// @param weights the format of weights that products sum over; without one they stay as they are
/// @param activations the format that what is multiplied with them is rounded to, in the program, before the product
/// @param isStatic whether the scales of activations are found on the calibration data, and not for each row when the program runs
/// @param method how the elements of the weights are rounded
/// @param tables the format of weights of which rows are looked up
/// @param caches the format of the caches of the program
/// @param rematerialised whether caches hold what keys and values are computed of, in their format, in the place of these
/// @param steps what is done before that, in order
/// @param scaled whether the elements of the weights are scaled along the rank that is summed, and what is multiplied with them the other way round, so that
///     those count which are multiplied with most (AWQ, Lin et al., 2023)
/// @param rank that of a product of two thin matrices which is added to each weight for what its format cannot say, 0 for none
/// @param rankFirst whether these are what is largest of the weight, and its format has what they leave (SVDQuant, Li et al., 2024), and not what is largest of the error
/// @param budget what the weights of products may take together, by which the `bits` of their format are chosen for each
/// @param kept the keys of weights, and the names of caches, that stay as they are
public record Policy(boolean isInteger, Optional<Encoding> weights, Optional<Encoding> activations, boolean isStatic, Method method, Optional<Encoding> tables, Optional<Encoding> caches,
    boolean rematerialised, List<Step> steps, boolean scaled, int rank, boolean rankFirst, Optional<Budget> budget, List<Pattern> kept) {

  /// How elements are rounded.
  public enum Method {
    /// As the format's `encode` does.
    NEAREST,
    /// As the format does with the scales, of several smaller ones, for which the squared error is least; that of an element counts as much as the squares
    /// of what it is multiplied with in the calibration data, if there are some.
    CLIP,
    /// With the scales of `CLIP`, one element of a row after the other, each time adding to the next ones what makes up best for its error on the
    /// calibration data (GPTQ, Frantar et al., 2022).
    GPTQ,
    /// As `GPTQ`, and then one element after the other anew, until none is better beside the others as they are (QuantEase, Behdin et al., 2023).
    LEARNED;

    /// Whether what elements become depends on what others have become.
    boolean feedsBack() {
      return switch (this) {
        case NEAREST, CLIP -> false;
        case GPTQ, LEARNED -> true;
      };
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Policy {
    steps = List.copyOf(steps);
    kept = List.copyOf(kept);
    requireOrder(steps);
  }

  /// @throws CompileException when its parts do not go together
  void require() {
    if (isInteger && !equals(ofIntegers())) {
      throw CompileException.of("the policy integer has weights and activations of its own: expected it alone");
    }
    if (budget.isPresent() && !weights.map(Encoding::sizes).orElse(new TreeMap<>()).containsKey(Encoding.BITS)) {
      throw CompileException.of("the policy has a " + budget.get() + ", and the format " + weights.map(Encoding::toString).orElse("of weights")
          + " no bits to choose: expected such as asymmetric(bits = 4, group = 64)");
    }
    if (rematerialised && caches.isEmpty()) {
      throw CompileException.of("the policy has rematerialise, and says no format of the caches: expected cache=FORMAT beside it, such as cache=int4(group = 32)");
    }
    Stream.of(activations, caches).flatMap(Optional::stream).filter(encoding -> !encoding.unknown().isEmpty()).findFirst().ifPresent(encoding -> {
      throw CompileException.of("the format " + encoding + " has sizes that depend on the elements: only weights have such");
    });
    if ((scaled || rank > 0) && weights.filter(encoding -> !encoding.unknown().isEmpty()).isPresent()) {
      throw CompileException.of("the format " + weights.get() + " has sizes that depend on the elements: expected neither awq nor low-rank beside it, which change them");
    }
    if (isStatic && activations.isEmpty()) {
      throw CompileException.of("the policy has static scales of activations, which are not rounded: expected static beside such as w8a8");
    }
    if (isStatic && scaled) {
      throw CompileException.of("the policy has static scales of activations, and scales that each weight finds for itself: expected smooth in the place of awq");
    }
    if (isStatic && !activations.get().format().hasCode()) {
      throw CompileException.of("the format " + activations.get() + " has no `code`, for scales that are given: expected activations without static, or another format");
    }
  }

  private static void requireOrder(List<Step> steps) {
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      if (steps.subList(0, i).stream().anyMatch(before -> before.getClass() == step.getClass())) {
        throw CompileException.of("the policy has '" + step + "' and another step of the same kind: expected one");
      }
      if (steps.subList(0, i).stream().anyMatch(Step.Rotate.class::isInstance)) {
        throw CompileException.of("the policy has '" + step
            + "' behind the rotation, after which no column is its own: expected hadamard last of the steps");
      }
    }
  }

  /// All weights of products in `format`, rounded to the nearest.
  public static Policy of(Encoding format) {
    return new Policy(false, Optional.of(format), Optional.empty(), false, Method.NEAREST, Optional.empty(), Optional.empty(), false, List.of(), false, 0, false, Optional.empty(), List.of());
  }

  /// All weights as they are.
  static Policy none() {
    return new Policy(false, Optional.empty(), Optional.empty(), false, Method.NEAREST, Optional.empty(), Optional.empty(), false, List.of(), false, 0, false, Optional.empty(), List.of());
  }

  /// A program of whole numbers.
  static Policy ofIntegers() {
    Policy none = none();
    return new Policy(true, none.weights, none.activations, none.isStatic, none.method, none.tables, none.caches, none.rematerialised, none.steps, none.scaled, none.rank,
        none.rankFirst, none.budget, none.kept);
  }

  /// The policy that `text` says, words with commas between them, such as `smooth,w8a8`.
  ///
  /// @throws CompileException when a word means nothing
  public static Policy parse(String text) {
    return PolicyText.read(text);
  }

  public Policy withActivations(Optional<Encoding> newActivations) {
    return new Policy(isInteger, weights, newActivations, isStatic, method, tables, caches, rematerialised, steps, scaled, rank, rankFirst, budget, kept);
  }

  public Policy withStatic(boolean newStatic) {
    return new Policy(isInteger, weights, activations, newStatic, method, tables, caches, rematerialised, steps, scaled, rank, rankFirst, budget, kept);
  }

  public Policy withMethod(Method newMethod) {
    return new Policy(isInteger, weights, activations, isStatic, newMethod, tables, caches, rematerialised, steps, scaled, rank, rankFirst, budget, kept);
  }

  public Policy withTables(Optional<Encoding> newTables) {
    return new Policy(isInteger, weights, activations, isStatic, method, newTables, caches, rematerialised, steps, scaled, rank, rankFirst, budget, kept);
  }

  public Policy withCaches(Optional<Encoding> newCaches) {
    return new Policy(isInteger, weights, activations, isStatic, method, tables, newCaches, rematerialised, steps, scaled, rank, rankFirst, budget, kept);
  }

  public Policy withRematerialised(boolean newRematerialised) {
    return new Policy(isInteger, weights, activations, isStatic, method, tables, caches, newRematerialised, steps, scaled, rank, rankFirst, budget, kept);
  }

  public Policy withSteps(List<Step> newSteps) {
    return new Policy(isInteger, weights, activations, isStatic, method, tables, caches, rematerialised, newSteps, scaled, rank, rankFirst, budget, kept);
  }

  public Policy withScaled(boolean newScaled) {
    return new Policy(isInteger, weights, activations, isStatic, method, tables, caches, rematerialised, steps, newScaled, rank, rankFirst, budget, kept);
  }

  public Policy withRank(int newRank) {
    return new Policy(isInteger, weights, activations, isStatic, method, tables, caches, rematerialised, steps, scaled, newRank, rankFirst, budget, kept);
  }

  public Policy withRankFirst(boolean newRankFirst) {
    return new Policy(isInteger, weights, activations, isStatic, method, tables, caches, rematerialised, steps, scaled, rank, newRankFirst, budget, kept);
  }

  public Policy withBudget(Optional<Budget> newBudget) {
    return new Policy(isInteger, weights, activations, isStatic, method, tables, caches, rematerialised, steps, scaled, rank, rankFirst, newBudget, kept);
  }

  /// With weights and caches that stay as they are, by patterns in which `*` stands for any characters.
  public Policy withKept(List<String> patterns) {
    return new Policy(isInteger, weights, activations, isStatic, method, tables, caches, rematerialised, steps, scaled, rank, rankFirst, budget, patterns.stream().map(pattern -> Pattern.compile(
        List.of(pattern.split("\\*", -1)).stream().map(Pattern::quote).collect(Collectors.joining(".*")))).toList());
  }

  /// What says nothing without what the program computes on some data, if there is such a thing.
  Optional<String> needsCalibration() {
    if (scaled) {
      return Optional.of("to find scales");
    }
    Optional<String> step = steps.stream().filter(found -> found.needsCalibration(activations.isPresent())).findFirst().map(found -> "the step " + found);
    return step.or(() -> budget.map(_ -> "a budget")).or(() -> isStatic ? Optional.of("to find static scales") : Optional.empty())
        .or(() -> method.feedsBack() ? Optional.of("the method " + method) : Optional.empty());
  }

  /// The steps up to that by which channels are put in order, if those before leave each channel what it is.
  List<Step> untilOrder() {
    int order = steps.indexOf(new Step.Order());
    return order >= 0 && steps.subList(0, order).stream().allMatch(Step.Smooth.class::isInstance) ? steps.subList(0, order + 1) : List.of();
  }

  boolean keeps(String key) {
    return kept.stream().anyMatch(pattern -> pattern.matcher(key).matches());
  }

  /// All of it, in a line.
  @Override
  public String toString() {
    return isInteger ? "whole numbers alone" : "weights " + weights.map(Encoding::toString).orElse("as they are")
        + activations.map(encoding -> ", activations " + encoding + (isStatic ? " with static scales" : "")).orElse("")
        + tables.map(encoding -> ", tables " + encoding).orElse("") + caches.map(encoding -> ", caches " + encoding + (rematerialised ? " of what keys and values are computed of" : "")).orElse("")
        + (steps.isEmpty() ? "" : steps.stream().map(Step::toString).collect(Collectors.joining(", ", ", after ", "")))
        + (scaled ? ", scaled" : "") + (rank == 0 ? "" : ", low rank " + rank + (rankFirst ? " first" : "")) + budget.map(found -> ", " + found).orElse("")
        + (weights.isPresent() ? ", method " + method : "");
  }
}
