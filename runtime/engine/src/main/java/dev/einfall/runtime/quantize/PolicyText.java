package dev.einfall.runtime.quantize;

import dev.einfall.frontend.weights.NearKeys;
import dev.einfall.ir.CompileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Reads policies: words with commas between them, one of which is a policy that has a name, or a format. The others change it:
/// `smooth,w8a8`, `hadamard=64,nf4(group = 64),learned`.
final class PolicyText {
  private static final String SMOOTH = "smooth";
  private static final String OUTLIERS = "outliers";
  private static final String ORDER = "order";
  private static final String HADAMARD = "hadamard";
  private static final String STATIC = "static";
  private static final String AWARE = "awq";
  private static final String LOW_RANK = "low-rank";
  private static final String SVD = "svd";
  private static final String BUDGET = "budget";
  private static final String CACHE = "cache";
  private static final String REMATERIALISE = "rematerialise";
  private static final List<String> WORDS = List.of(SMOOTH, OUTLIERS, ORDER, HADAMARD, STATIC, AWARE, LOW_RANK, SVD, BUDGET, CACHE, REMATERIALISE);
  private static final int LARGEST_ROTATION = 128;

  private PolicyText() {}

  private static Map<String, Policy> named() {
    Map<String, Policy> named = new LinkedHashMap<>();
    named.put("w8", of("int8(group = channel)", Policy.Method.NEAREST));
    named.put("w8a8", of("int8(group = channel)", Policy.Method.NEAREST).withActivations(Optional.of(Encoding.parse("int8(group = channel)"))));
    named.put("w4", of("int4(group = 64)", Policy.Method.NEAREST));
    named.put("w4-clip", of("int4(group = 64)", Policy.Method.CLIP));
    named.put("w4-awq", of("int4(group = 64)", Policy.Method.CLIP).withScaled(true));
    named.put("w4-gptq", of("int4(group = 64)", Policy.Method.GPTQ));
    named.put("w3-gptq", of("asymmetric(bits = 3, group = 64)", Policy.Method.GPTQ));
    named.put("integer", Policy.ofIntegers());
    named.put("ternary-low-rank", of("ternary(group = 64)", Policy.Method.GPTQ).withRank(32));
    return named;
  }

  private static Policy of(String weights, Policy.Method method) {
    return Policy.of(Encoding.parse(weights)).withMethod(method);
  }

  /// @throws CompileException when a word means nothing, or there is no format
  static Policy read(String text) {
    List<String> words = words(text);
    List<String> bases = words.stream().filter(word -> !isChange(word)).toList();
    boolean onlyCaches = bases.isEmpty() && words.stream().anyMatch(word -> name(word).equals(CACHE));
    if (bases.size() != 1 && !onlyCaches) {
      throw CompileException.of(bases.isEmpty() ? "the policy '" + text + "' says no format: expected one beside these words, such as w8a8 or nf4(group = 64)"
          : "the policy '" + text + "' has " + String.join(" and ", bases) + ": expected one policy or format, and " + changes() + " beside it"
              + unknown(bases));
    }
    Policy policy = onlyCaches ? Policy.none() : base(bases.getFirst());
    for (String word : words) {
      policy = isChange(word) ? changed(policy, word) : policy;
    }
    return policy;
  }

  /// Commas between parentheses part nothing.
  private static List<String> words(String text) {
    return Arrays.stream(text.split(",(?![^()]*\\))")).map(String::strip).toList();
  }

  private static String changes() {
    return Stream.concat(WORDS.stream(), methods().keySet().stream()).collect(Collectors.joining(", "));
  }

  private static Map<String, Policy.Method> methods() {
    Map<String, Policy.Method> methods = new LinkedHashMap<>();
    Arrays.stream(Policy.Method.values()).forEach(method -> methods.put(method.toString(), method));
    return methods;
  }

  private static String name(String word) {
    int end = word.indexOf('=');
    return end >= 0 && !word.substring(0, end).contains("(") ? word.substring(0, end).strip() : word;
  }

  private static boolean isChange(String word) {
    return WORDS.contains(name(word)) || methods().containsKey(word);
  }

  private static String unknown(List<String> bases) {
    return bases.stream().filter(word -> !named().containsKey(word)).findFirst().map(word -> "; '" + word + "' is no policy" + suggestion(word)).orElse("");
  }

  private static String suggestion(String word) {
    TreeSet<String> known = new TreeSet<>(named().keySet());
    known.addAll(WORDS);
    known.addAll(methods().keySet());
    return NearKeys.suggestion(name(word), known);
  }

  private static Policy base(String word) {
    Map<String, Policy> named = named();
    if (named.containsKey(word)) {
      return named.get(word);
    }
    try {
      return Policy.of(Encoding.parse(word));
    } catch (CompileException e) {
      throw CompileException.of("there is no policy '" + word + "'" + NearKeys.suggestion(word, named.keySet()) + "; the policies are "
          + String.join(", ", named.keySet()) + ", and all formats: " + e.diagnostics().getFirst().message());
    }
  }

  private static Policy changed(Policy policy, String word) {
    Optional<String> value = word.equals(name(word)) ? Optional.empty() : Optional.of(word.substring(word.indexOf('=') + 1).strip());
    try {
      return switch (name(word)) {
        case SMOOTH -> step(policy, new Step.Smooth(value.map(Double::parseDouble).orElse(0.5)));
        case OUTLIERS -> step(policy, new Step.Outliers(Integer.parseInt(required(word, value))));
        case HADAMARD -> step(policy, new Step.Rotate(value.map(Integer::parseInt).orElse(LARGEST_ROTATION)));
        case LOW_RANK -> ranked(policy, LOW_RANK, Integer.parseInt(required(word, value))).withRankFirst(false);
        case SVD -> ranked(policy, SVD, Integer.parseInt(required(word, value))).withRankFirst(true);
        case CACHE -> policy.withCaches(Optional.of(Encoding.parse(value.orElseThrow(() -> CompileException.of("the policy has 'cache': expected a format behind cache=, such as cache=int8(group = 64)")))));
        case BUDGET -> policy.withBudget(Optional.of(Budget.parse(value.orElse(""))));
        case REMATERIALISE -> alone(word, value, policy, old -> old.withRematerialised(true));
        case ORDER -> alone(word, value, policy, old -> step(old, new Step.Order()));
        case STATIC -> alone(word, value, policy, old -> old.withStatic(true));
        case AWARE -> alone(word, value, policy, old -> old.withScaled(true));
        case String method -> policy.withMethod(methods().get(method));
      };
    } catch (NumberFormatException _) {
      throw CompileException.of("the policy has '" + word + "': expected a number behind " + name(word) + "=");
    } catch (IllegalArgumentException e) {
      throw CompileException.of("the policy has " + e.getMessage());
    }
  }

  private static String required(String word, Optional<String> value) {
    return value.orElseThrow(() -> new NumberFormatException(word));
  }

  private static Policy alone(String word, Optional<String> value, Policy policy, UnaryOperator<Policy> change) {
    if (value.isPresent()) {
      throw CompileException.of("the policy has '" + word + "': expected " + name(word) + " alone");
    }
    return change.apply(policy);
  }

  private static Policy ranked(Policy policy, String word, int rank) {
    if (rank < 0) {
      throw new IllegalArgumentException(word + "=" + rank + ": expected 0 or more");
    }
    return policy.withRank(rank);
  }

  private static Policy step(Policy policy, Step step) {
    List<Step> steps = new ArrayList<>(policy.steps());
    steps.add(step);
    return policy.withSteps(steps);
  }
}
