package dev.einfall.runtime.launch;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.CompilerDirectives;
import dev.einfall.backends.jvm.Generated;
import dev.einfall.backends.jvm.Rehearsal;
import dev.einfall.backends.jvm.VectorWidth;
import dev.einfall.backends.jvm.WarmUp;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// The kernels of a program in a jar, which a thread of their own defines and rehearses until they are compiled.
final class ArchivedKernels {
  /// As long as the compiler of a program waits.
  private static final int WARM_UP_MILLIS = 20_000;

  private final FutureTask<List<CompiledKernel>> work;

  private ArchivedKernels(FutureTask<List<CompiledKernel>> work) {
    this.work = work;
  }

  /// Begins.
  static ArchivedKernels begin(Archive archive, ArchivedPlan plan, boolean warmUp) {
    boolean vectors = hasVectors(plan);
    FutureTask<List<CompiledKernel>> work = new FutureTask<>(() -> load(archive, plan, vectors, warmUp));
    Thread.ofPlatform().daemon().name("einfall-kernels").start(work);
    return new ArchivedKernels(work);
  }

  /// Waits for the kernels, in order.
  List<CompiledKernel> finish() {
    try {
      return work.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException exception -> throw exception;
        case Error error -> throw error;
        default -> throw new IllegalStateException("loading kernels", e.getCause());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while kernels were loaded", e);
    }
  }

  private static List<CompiledKernel> load(Archive archive, ArchivedPlan plan, boolean vectors, boolean warmUp) {
    CompilerDirectives.install();
    WarmUp rehearsals = WarmUp.of(warmUp ? WARM_UP_MILLIS : 0);
    List<CompiledKernel> kernels = new ArrayList<>();
    try (Arena memory = Arena.ofConfined()) {
      for (int i = 0; i < plan.kernels().size(); i++) {
        CompiledKernel kernel = Generated.define(archive.kernel(plan, i, vectors));
        kernels.add(kernel);
        if (!rehearsals.isPointless()) {
          rehearsals.add(rehearsal(kernel, plan, i, memory));
        }
      }
      while (!rehearsals.isDone()) {
        rehearsals.round();
      }
    }
    return kernels;
  }

  private static Rehearsal rehearsal(CompiledKernel code, ArchivedPlan plan, int kernel, Arena memory) {
    List<Long> bytes = plan.bytes();
    ArchivedPlan.Call call = plan.launches().stream().filter(launch -> launch.kernel() == kernel).findFirst().orElseThrow();
    long[] addresses = call.arguments().stream().mapToLong(buffer -> LargePages.sparse(memory, bytes.get(buffer)).address()).toArray();
    return new Rehearsal(code, addresses, LargePages.sparse(memory, code.scratchBytes()).address());
  }

  private static boolean hasVectors(ArchivedPlan plan) {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      if (plan.kernels().stream().anyMatch(kernel -> !kernel.plain().isEmpty())) {
        warn(plan, "runs without vectors, many times slower: start java with --add-modules jdk.incubator.vector");
      }
      return false;
    }
    if (VectorWidth.preferredBytes() < plan.vectorBytes()) {
      warn(plan, "was compiled for vectors of " + plan.vectorBytes() + " bytes, and this processor has " + VectorWidth.preferredBytes()
          + ": it runs without, many times slower; compile it with --vector-bytes " + VectorWidth.preferredBytes());
      return false;
    }
    return true;
  }

  private static void warn(ArchivedPlan plan, String message) {
    System.getLogger("dev.einfall").log(System.Logger.Level.WARNING, "the program " + plan.name() + " " + message);
  }
}
