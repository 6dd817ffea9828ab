package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The compiled kernels of a program, kept as long as a plan uses them. Not safe for use by several threads at once.
final class KernelCache {
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

  /// Keeps the codes in `made` while they are in use.
  void add(Workshop.Made made) {
    made.codes().forEach((digest, code) -> codes.put(digest, new WeakReference<>(code)));
  }

  /// The launches, in order, with their code.
  ///
  /// @param known what [#known] gave
  /// @param made what was made since then
  static List<Call> calls(List<KernelPlan.Launch> launches, Map<String, CompiledKernel> known, Workshop.Made made) {
    Map<Kernel, Set<Integer>> written = new IdentityHashMap<>();
    List<Call> calls = new ArrayList<>();
    for (KernelPlan.Launch launch : launches) {
      Kernel kernel = launch.kernel();
      String digest = made.digests().computeIfAbsent(kernel, KernelDigest::of);
      CompiledKernel code = made.codes().getOrDefault(digest, known.get(digest));
      calls.add(new Call(digest, code, launch.arguments(), written.computeIfAbsent(kernel, PlacedCall::written), Optional.of(kernel)));
    }
    return calls;
  }
}
