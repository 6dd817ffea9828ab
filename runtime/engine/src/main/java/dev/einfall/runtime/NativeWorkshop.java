package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.runtime.nativecode.NativeBackend;
import dev.einfall.runtime.plans.StoredCode;
import dev.einfall.runtime.plans.StoredKernel;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.FutureTask;

/// Has a C compiler make the code of kernels when all are there: they share what the compiler reads first. There are as many libraries as
/// threads, made at the same time.
final class NativeWorkshop implements Workshop {
  private final NativeBackend backend;
  private final Set<String> known;
  private final int threads;
  private final Made made = new Made();
  private final Map<String, Kernel> toMake = new LinkedHashMap<>();
  private final Map<String, StoredCode.Native> toLoad = new LinkedHashMap<>();

  /// @param known the digests of kernels that need not be compiled again
  NativeWorkshop(NativeBackend backend, Set<String> known, int threads) {
    this.backend = backend;
    this.known = known;
    this.threads = threads;
  }

  @Override
  public void add(Kernel kernel) {
    String digest = made.digests().computeIfAbsent(kernel, KernelDigest::of);
    if (!known.contains(digest)) {
      toMake.putIfAbsent(digest, kernel);
    }
  }

  @Override
  public void add(StoredKernel kernel) {
    if (!known.contains(kernel.digest())) {
      toLoad.put(kernel.digest(), switch (kernel.code()) {
        case StoredCode.Native code -> code;
        case StoredCode.Bytecode _ -> throw new InternalException("bytecode of kernel " + kernel.digest() + " for the C backend");
      });
    }
  }

  /// None of those that were kept has code if a library of them is gone.
  @Override
  public Made finish() {
    Iterator<String> stored = toLoad.keySet().iterator();
    backend.load(List.copyOf(toLoad.values())).ifPresent(codes -> codes.forEach(code -> made.codes().put(stored.next(), code)));
    make();
    return made;
  }

  private void make() {
    List<String> digests = List.copyOf(toMake.keySet());
    List<FutureTask<List<CompiledKernel>>> parts = new ArrayList<>();
    for (int part = 0; part < threads; part++) {
      List<Kernel> kernels = part(digests, part).stream().map(toMake::get).toList();
      FutureTask<List<CompiledKernel>> task = new FutureTask<>(() -> backend.compile(kernels));
      parts.add(task);
      if (part > 0) {
        Thread.ofPlatform().daemon().name("einfall-c-" + part).start(task);
      }
    }
    parts.getFirst().run();
    for (int part = 0; part < threads; part++) {
      List<String> names = part(digests, part);
      List<CompiledKernel> codes = Workshop.result(parts.get(part));
      for (int i = 0; i < names.size(); i++) {
        made.codes().put(names.get(i), codes.get(i));
      }
    }
  }

  /// Every so many, as neighbours are often alike.
  private List<String> part(List<String> digests, int part) {
    List<String> members = new ArrayList<>();
    for (int i = part; i < digests.size(); i += threads) {
      members.add(digests.get(i));
    }
    return members;
  }

  @Override
  public void close() {
  }
}
