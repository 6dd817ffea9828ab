package dev.einfall.runtime;

import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.runtime.launch.LargePages;
import dev.einfall.runtime.plans.PlanCache;

/// What takes a JVM long when it does it for the first time, and depends on no program: a thread does it while the first program is read.
/// Whoever needs it before it is done waits for it as if nobody had begun.
final class FirstUse {
  private FirstUse() {}

  /// Begins, if nobody has.
  ///
  /// @param keeps whether compiled programs are kept
  static void begin(boolean keeps) {
    OfKernels.THREAD.getState();
    if (keeps) {
      OfKeptPlans.THREAD.getState();
    }
  }

  private static final class OfKernels {
    static final Thread THREAD = start("einfall-first-kernel", () -> {
      JvmBackend.prepare();
      LargePages.prepare();
    });
  }

  private static final class OfKeptPlans {
    static final Thread THREAD = start("einfall-first-plan", PlanCache::build);
  }

  private static Thread start(String name, Runnable work) {
    return Thread.ofPlatform().daemon().name(name).start(work);
  }
}
