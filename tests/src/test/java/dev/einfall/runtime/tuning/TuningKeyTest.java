package dev.einfall.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.BindSizes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TuningKeyTest {
  private static final String SUM = "sum[n](X[m, n])";
  private static final Target TARGET = Target.of(64, 2);
  private static final Host HOST = new Host("JDK 25", "a processor, avx512f");

  @Test
  void isAnotherForEachPart() {
    PipelineOptions usual = PipelineOptions.of(TARGET);
    List<TuningKey> keys = new ArrayList<>(List.of(
        key(SUM, 8, usual, HOST),
        key("max[n](X[m, n])", 8, usual, HOST),
        key(SUM, 9, usual, HOST),
        key(SUM, 8, PipelineOptions.of(Target.of(32, 2)), HOST),
        key(SUM, 8, PipelineOptions.of(Target.of(64, 1)), HOST),
        key(SUM, 8, PipelineOptions.of(TARGET.withCaches(48 << 10, TARGET.l2Bytes(), TARGET.l3Bytes())), HOST),
        key(SUM, 8, usual.withNumerics(Numerics.STRICT), HOST),
        key(SUM, 8, usual.without(Set.of("fuse-epilogues")), HOST),
        key(SUM, 8, usual.withDecisions(usual.decisions().withForced(Map.of("choose-mappings Y", "scalar"))), HOST),
        key(SUM, 8, usual, new Host("JDK 26", HOST.processor())),
        key(SUM, 8, usual, new Host(HOST.jdk(), "a processor"))));
    Set<String> digests = new HashSet<>();
    keys.forEach(key -> digests.add(key.digest()));
    assertEquals(keys.size(), digests.size());
    assertEquals(key(SUM, 8, PipelineOptions.of(Target.of(64, 2)), HOST).digest(), keys.getFirst().digest());
  }

  @Test
  void knowsThisHost() {
    assertEquals(Host.here(), Host.here());
    assertFalse(Host.here().jdk().contains("null"), Host.here().jdk());
  }

  private static TuningKey key(String value, long m, PipelineOptions options, Host host) {
    Cascade cascade = EinReader.read(new Source("key.ein", """
        def key(X: f32[M, 16]) -> f32[M] {
          Y[m] = %s
          return Y
        }
        """.formatted(value)), Optional.empty()).cascade();
    TreeMap<String, Long> sizes = new TreeMap<>(Map.of("M", m));
    return TuningKey.of(new BindSizes(sizes).apply(cascade, _ -> { }), sizes, new Circumstances(options, host));
  }
}
