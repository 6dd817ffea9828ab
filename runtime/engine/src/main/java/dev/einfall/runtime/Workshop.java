package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.runtime.plans.StoredKernel;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/// Makes the code of the kernels of one plan, which come one by one.
sealed interface Workshop extends AutoCloseable permits KernelWorkshop, NativeWorkshop {

  /// The code of each kernel that was not known before, by its digest; the digests of all; what there is to say; which kernels
  /// are better in other shapes; those that are slow in all; and their digests.
  record Made(Map<String, CompiledKernel> codes, Map<Kernel, String> digests, List<Diagnostic> remarks, List<SelfCheck.Learned> learned,
      Map<Kernel, Double> slow, Set<String> slowDigests) {

    /// Nothing yet.
    Made() {
      this(new LinkedHashMap<>(), new IdentityHashMap<>(), new ArrayList<>(), new ArrayList<>(), new LinkedHashMap<>(), new LinkedHashSet<>());
    }
  }

  void add(Kernel kernel);

  /// Adds one of which the code was kept.
  void add(StoredKernel kernel);

  /// Waits until all is compiled and fast. A kernel that was kept has no code if what was kept of it is gone.
  Made finish();

  /// What a task gives, when it is done.
  static <T> T result(Future<T> task) {
    try {
      return task.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException exception -> throw exception;
        case Error error -> throw error;
        default -> throw new InternalException("compiling kernels", e.getCause());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while kernels were compiled", e);
    }
  }

  /// Stops the work, if it is not finished.
  @Override
  void close();
}
