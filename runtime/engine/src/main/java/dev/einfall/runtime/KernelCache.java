package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.ir.loop.KernelPlan;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The compiled kernels of a program, kept as long as a plan uses them. Not safe for use by several threads at once.
final class KernelCache {

  /// A launch of a plan and the code it runs. `digest` is equal for launches of equal kernels.
  record Compiled(KernelPlan.Launch launch, String digest, CompiledKernel code) {}

  private final Map<String, WeakReference<CompiledKernel>> codes = new LinkedHashMap<>();

  /// The codes in use, by the digests of their kernels.
  Map<String, CompiledKernel> known() {
    Map<String, CompiledKernel> known = new LinkedHashMap<>();
    codes.forEach((digest, reference) -> {
      CompiledKernel code = reference.get();
      if (code != null) {
        known.put(digest, code);
      }
    });
    codes.keySet().retainAll(known.keySet());
    return known;
  }

  /// The launches, in order, with their code.
  ///
  /// @param known what [#known] gave
  /// @param made what was made since then
  List<Compiled> compiled(List<KernelPlan.Launch> launches, Map<String, CompiledKernel> known, KernelWorkshop.Made made) {
    made.codes().forEach((digest, code) -> codes.put(digest, new WeakReference<>(code)));
    List<Compiled> compiled = new ArrayList<>();
    for (KernelPlan.Launch launch : launches) {
      String digest = made.digests().computeIfAbsent(launch.kernel(), KernelDigest::of);
      CompiledKernel code = made.codes().getOrDefault(digest, known.get(digest));
      compiled.add(new Compiled(launch, digest, code));
    }
    return compiled;
  }
}
