package dev.einfall.runtime.tuning;

import dev.einfall.passes.Decision;
import dev.einfall.passes.Decisions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A program that is not run: each of its kernels takes what a table says, and some more in some runs.
///
/// @param costs what the model takes each alternative for, by the subject of the decision
/// @param micros what they really take, by subject and alternative, such as `tile Y: 16`
/// @param noise by which part of their time every other run is longer
/// @param broken what cannot be compiled, and why
/// @param made the choices of all that was compiled
record Imagined(Map<String, Map<String, Double>> costs, Map<String, Double> micros, double noise, Map<String, RuntimeException> broken,
    List<Map<String, String>> made) implements Workbench {

  Imagined(Map<String, Map<String, Double>> costs, Map<String, Double> micros) {
    this(costs, micros, 0.01, new LinkedHashMap<>(), new ArrayList<>());
  }

  Imagined withNoise(double newNoise) {
    return new Imagined(costs, micros, newNoise, broken, made);
  }

  /// Of one decision.
  static Imagined of(String subject, Map<String, Double> costs, Map<String, Double> micros) {
    Map<String, Double> times = new LinkedHashMap<>();
    micros.forEach((alternative, time) -> times.put(subject + ": " + alternative, time));
    return new Imagined(Map.of(subject, costs), times);
  }

  @Override
  public Sample make(Decisions.Findings findings) {
    List<Decision> heard = new ArrayList<>();
    Decisions decisions = Decisions.byCost().withFindings(findings).withListener(heard::add);
    costs.forEach((subject, alternatives) -> decisions.choose(subject, List.copyOf(alternatives.keySet()), alternatives::get));
    Map<String, String> choices = new LinkedHashMap<>();
    heard.forEach(decision -> choices.put(decision.subject(), decision.chosen()));
    Optional<RuntimeException> failure = heard.stream().map(Imagined::choice).filter(broken::containsKey).map(broken::get).findFirst();
    made.add(choices);
    if (failure.isPresent()) {
      throw failure.get();
    }
    return new Imaginary(this, heard);
  }

  /// What is chosen, under the name of the kernel that comes of it.
  private static String choice(Decision decision) {
    return decision.subject().replaceFirst("_[0-9]+$", "") + ": " + decision.chosen();
  }

  private record Imaginary(Imagined program, List<Decision> decisions, List<Integer> runs) implements Sample {

    Imaginary(Imagined program, List<Decision> decisions) {
      this(program, decisions, new ArrayList<>());
    }

    @Override
    public List<String> launches() {
      return Stream.concat(decisions.stream().map(Imagined::choice), Stream.of("other work")).toList();
    }

    @Override
    public long[] run() {
      runs.add(1);
      double factor = runs.size() % 2 == 0 ? 1 : 1 + program.noise;
      return launches().stream().mapToLong(launch -> (long) (factor * 1000 * program.micros.getOrDefault(launch, 3000.0))).toArray();
    }

    @Override
    public void close() {
      runs.clear();
    }
  }
}
