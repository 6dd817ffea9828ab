package dev.einfall.tests.passes;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.passes.Decision;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassRunner;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// The decisions of the passes on the cascade level about a program.
record Heard(List<Decision> decisions) {

  /// @param sizes such as `M=512 N=64`
  static Heard of(String program, String sizes, Target target) {
    return of(program, sizes, target, Map.of());
  }

  static Heard of(String program, String sizes, Target target, Map<String, String> forced) {
    SortedMap<String, Long> numbers = new TreeMap<>();
    for (String size : sizes.split(" ")) {
      numbers.put(size.split("=")[0], Long.valueOf(size.split("=")[1]));
    }
    List<Decision> decisions = new ArrayList<>();
    PipelineOptions options = PipelineOptions.of(target);
    Pipeline pipeline = new Pipeline(
        options.withDecisions(options.decisions().withForced(forced).withListener(decisions::add)), _ -> { }, _ -> { });
    var cascade = EinReader.read(new Source("heard.ein", program), Optional.empty()).cascade(numbers);
    PassRunner runner = new PassRunner(_ -> { }, _ -> { });
    for (Pass.OnCascade pass : pipeline.cascadePasses(numbers)) {
      cascade = runner.run(pass, cascade);
    }
    return new Heard(List.copyOf(decisions));
  }

  /// The decisions about attention with `scores` of `h`, `p` and `m`.
  static Heard attention(String scores, String sizes, Target target, Map<String, String> forced) {
    return of("""
        def attention(Q: f32[H, P, E], K: f32[H, M, E], V: f32[H, M, F]) -> f32[H, P, F] {
          S[h, p, m] = %s
          A[h, p, m] = exp(S[h, p, m] - max[m](S[h, p, m]))
          Z[h, p, f] = sum[m](A[h, p, m] * V[h, m, f]) / sum[m](A[h, p, m])
          return Z
        }
        """.formatted(scores), sizes, target, forced);
  }

  /// The first decision about something that begins with `subject`.
  Decision about(String subject) {
    return decisions.stream().filter(decision -> decision.subject().startsWith(subject)).findFirst()
        .orElseThrow(() -> new AssertionError("no decision about " + subject + " but " + decisions.stream().map(Decision::subject).toList()));
  }

  boolean isAbout(String subject) {
    return decisions.stream().anyMatch(decision -> decision.subject().startsWith(subject));
  }

  String chosen(String subject) {
    return about(subject).chosen();
  }

  List<String> names(String subject) {
    return about(subject).alternatives().stream().map(Decision.Alternative::name).toList();
  }

  double cycles(String subject, String alternative) {
    return about(subject).alternatives().stream().filter(each -> each.name().equals(alternative)).findFirst()
        .orElseThrow(() -> new AssertionError("no " + alternative + " but " + names(subject))).cycles();
  }

  /// The least cycles of the alternatives whose names match `pattern`.
  double least(String subject, String pattern) {
    return about(subject).alternatives().stream().filter(each -> each.name().matches(pattern))
        .mapToDouble(Decision.Alternative::cycles).min().orElseThrow(() -> new AssertionError("no " + pattern + " but " + names(subject)));
  }
}
