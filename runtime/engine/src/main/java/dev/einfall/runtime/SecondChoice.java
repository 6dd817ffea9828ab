package dev.einfall.runtime;

import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Decision;
import dev.einfall.passes.Decisions;
import dev.einfall.runtime.tuning.Entry;
import dev.einfall.runtime.tuning.Question;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Other loops for kernels that the just-in-time compiler has made badly in every shape: the next best by the cost model that are of
/// another kind, such as tiles along another rank.
///
/// @param others what is chosen for which question
/// @param slow the cycles that the kernels take, by their names
record SecondChoice(Map<Question, String> others, Map<String, Double> slow, Decisions.Findings usual) implements Decisions.Findings {
  private static final String PASS = "choose-mappings ";
  /// What is recorded of something that was not measured: slow kernels take ten times as long as others, and more.
  private static final double GAIN = 10;
  /// Kernels that are slow with other loops, too, must be so much faster together.
  private static final double FASTER = 3;

  /// @param slow the kernels, and the cycles that each takes
  /// @param heard what was decided
  static SecondChoice of(Map<Kernel, Double> slow, List<Decision> heard, Decisions decisions) {
    SecondChoice choice = new SecondChoice(new LinkedHashMap<>(), new LinkedHashMap<>(), decisions.findings());
    slow.forEach((kernel, cycles) -> choice.slow.merge(kernel.name(), cycles, Math::max));
    for (String name : choice.slow.keySet()) {
      Map<Question, Decision> about = new LinkedHashMap<>();
      heard.stream().filter(decision -> Question.of(decision).subject().equals(PASS + name)).forEach(decision -> about.putIfAbsent(Question.of(decision), decision));
      // Of several kernels of a name it is not known which one is slow.
      if (about.size() == 1 && !decisions.forced().containsKey(about.values().iterator().next().subject())) {
        about.forEach((question, decision) -> next(decision).ifPresent(other -> choice.others.put(question, other)));
      }
    }
    return choice;
  }

  /// Those of the `slow` kernels that run at every call of `plan`: those that run once, when the weights are known, are worth no other choice.
  static Map<Kernel, Double> ofCalls(Map<Kernel, Double> slow, KernelPlan plan) {
    Map<Kernel, Double> calls = new LinkedHashMap<>(slow);
    calls.keySet().retainAll(plan.launches().stream().map(KernelPlan.Launch::kernel).toList());
    return calls;
  }

  private static Optional<String> next(Decision decision) {
    return decision.alternatives().stream().filter(other -> !kind(other.name()).equals(kind(decision.chosen())))
        .min(Comparator.comparingDouble(Decision.Alternative::cycles)).map(Decision.Alternative::name);
  }

  private static String kind(String alternative) {
    return alternative.split(", ")[0];
  }

  boolean isEmpty() {
    return others.isEmpty();
  }

  @Override
  public Optional<String> better(Decision byCost) {
    return Optional.ofNullable(others.get(Question.of(byCost))).or(() -> usual.better(byCost));
  }

  /// Whether the kernels are not among those that are slow now, or far less slow, taken together: one that takes long counts for more than another that stays as slow as it was. What is
  /// near the least of one choice may be far from that of the other.
  boolean isBetter(Map<Kernel, Double> now) {
    double before = slow.values().stream().mapToDouble(Double::doubleValue).sum();
    return FASTER * now.entrySet().stream().filter(one -> slow.containsKey(one.getKey().name())).mapToDouble(Map.Entry::getValue).sum() <= before;
  }

  /// What to record.
  List<Entry> entries() {
    return others.entrySet().stream().map(other -> (Entry) new Entry.Better(other.getKey(), other.getValue(), GAIN)).toList();
  }

  String text() {
    return "took " + others.entrySet().stream().map(other -> other.getValue() + " for " + other.getKey().subject()).collect(Collectors.joining(", "))
        + ": the JIT makes no good code of what the cost model has chosen";
  }
}
