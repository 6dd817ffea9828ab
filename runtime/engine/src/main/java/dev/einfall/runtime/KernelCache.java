package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// The compiled kernels of a program. Equal kernels are compiled once, and kept as long as a plan uses them. Not safe for
/// use by several threads at once.
final class KernelCache {

  /// A launch of a plan and the code it runs. `digest` is equal for launches of equal kernels; `fresh` says that the code
  /// was compiled for this launch and never ran.
  record Compiled(KernelPlan.Launch launch, String digest, CompiledKernel code, boolean fresh) {}

  private final JvmBackend backend;
  private final Consumer<Diagnostic> remarks;
  private final Map<String, WeakReference<CompiledKernel>> codes = new LinkedHashMap<>();

  KernelCache(JvmBackend backend, Consumer<Diagnostic> remarks) {
    this.backend = backend;
    this.remarks = remarks;
  }

  /// The launches, in order, with their code.
  List<Compiled> compile(List<KernelPlan.Launch> launches) {
    Map<Kernel, String> digests = new IdentityHashMap<>();
    launches.forEach(launch -> digests.computeIfAbsent(launch.kernel(), KernelDigest::of));
    Map<String, CompiledKernel> known = known();
    Map<String, CompiledKernel> fresh = new LinkedHashMap<>(compileMissing(launches, digests, known));
    List<Compiled> compiled = new ArrayList<>();
    for (KernelPlan.Launch launch : launches) {
      String digest = digests.get(launch.kernel());
      CompiledKernel code = fresh.remove(digest);
      if (code != null) {
        known.put(digest, code);
      }
      compiled.add(new Compiled(launch, digest, known.get(digest), code != null));
    }
    return compiled;
  }

  private Map<String, CompiledKernel> known() {
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

  private Map<String, CompiledKernel> compileMissing(
      List<KernelPlan.Launch> launches, Map<Kernel, String> digests, Map<String, CompiledKernel> known) {
    Map<String, Kernel> missing = new LinkedHashMap<>();
    for (KernelPlan.Launch launch : launches) {
      String digest = digests.get(launch.kernel());
      if (!known.containsKey(digest)) {
        missing.putIfAbsent(digest, launch.kernel());
      }
    }
    List<CompiledKernel> compiled = backend.compile(List.copyOf(missing.values()), remarks);
    Map<String, CompiledKernel> fresh = new LinkedHashMap<>();
    for (String digest : missing.keySet()) {
      CompiledKernel code = compiled.get(fresh.size());
      fresh.put(digest, code);
      codes.put(digest, new WeakReference<>(code));
    }
    return fresh;
  }
}
