package dev.einfall.passes;

import dev.einfall.ir.CompileException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

/// How passes choose: the alternative with the least cost, unless measurements have found another one to be better; or the one
/// that is forced, so that what the cost model chose can be measured beside what it did not.
///
/// @param forced the names of the alternatives to take, by the subject of the decision
/// @param findings what measurements have found
/// @param listener is told every decision
public record Decisions(Map<String, String> forced, Findings findings, Consumer<Decision> listener) {

  /// What measurements have found about decisions.
  public interface Findings {
    /// See [#none].
    Findings NONE = _ -> Optional.empty();

    /// The alternative that is better than the one chosen in `byCost`; empty if none is known to be. A name that is none of
    /// the alternatives counts as none.
    Optional<String> better(Decision byCost);

    /// Nothing was measured. There is one such object.
    static Findings none() {
      return NONE;
    }
  }

  public Decisions {
    forced = Map.copyOf(forced);
  }

  /// The cost model decides alone, and nobody hears of it.
  public static Decisions byCost() {
    return new Decisions(Map.of(), Findings.none(), _ -> {});
  }

  public Decisions withForced(Map<String, String> newForced) {
    return new Decisions(newForced, findings, listener);
  }

  public Decisions withFindings(Findings newFindings) {
    return new Decisions(forced, newFindings, listener);
  }

  public Decisions withListener(Consumer<Decision> newListener) {
    return new Decisions(forced, findings, newListener);
  }

  /// The cheapest of `alternatives`, of equal ones the first; or what was found to be better, or the one that is forced for
  /// `subject`. Their names are their texts, of which the first of several counts.
  ///
  /// @throws CompileException when what is forced is none of them
  public <T> T choose(String subject, List<T> alternatives, ToDoubleFunction<T> cycles) {
    Map<String, T> byName = new LinkedHashMap<>();
    Map<String, Double> costs = new LinkedHashMap<>();
    for (T alternative : alternatives) {
      String name = alternative.toString();
      if (byName.putIfAbsent(name, alternative) == null) {
        costs.put(name, cycles.applyAsDouble(alternative));
      }
    }
    Decision byCost = new Decision(subject,
        costs.entrySet().stream().map(cost -> new Decision.Alternative(cost.getKey(), cost.getValue())).toList(), cheapest(subject, costs));
    String chosen = Optional.ofNullable(forced.get(subject))
        .orElseGet(() -> findings.better(byCost).filter(byName::containsKey).orElse(byCost.chosen()));
    if (!byName.containsKey(chosen)) {
      throw CompileException.of("cannot force '" + chosen + "' for " + subject + "; there are " + String.join(", ", byName.keySet()));
    }
    listener.accept(new Decision(subject, byCost.alternatives(), chosen));
    return byName.get(chosen);
  }

  private static String cheapest(String subject, Map<String, Double> costs) {
    String best = null;
    for (Map.Entry<String, Double> cost : costs.entrySet()) {
      if (best == null || cost.getValue() < costs.get(best)) {
        best = cost.getKey();
      }
    }
    if (best == null) {
      throw new IllegalArgumentException("nothing to choose from for " + subject);
    }
    return best;
  }
}
