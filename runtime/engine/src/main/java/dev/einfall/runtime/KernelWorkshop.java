package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.KernelCode;
import dev.einfall.backends.jvm.Rehearsal;
import dev.einfall.backends.jvm.Shape;
import dev.einfall.backends.jvm.WarmUp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.runtime.launch.LargePages;
import dev.einfall.runtime.plans.StoredCode;
import dev.einfall.runtime.plans.StoredKernel;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;

/// Compiles kernels and rehearses them, on a thread of its own, while the passes make others: the just-in-time compiler takes
/// longer for them than the passes do.
final class KernelWorkshop implements Workshop {

  private sealed interface Order {
    /// A kernel to compile.
    record Make(Kernel kernel) implements Order {}

    /// Code that was kept.
    record Load(StoredKernel kernel) implements Order {}

    /// There will be no more.
    record Finish() implements Order {}
  }

  private final JvmBackend backend;
  private final Set<String> known;
  private final BlockingQueue<Order> orders = new LinkedBlockingQueue<>();
  private final Function<String, Shape> shapes;
  private final SelfCheck check;
  private final List<SelfCheck.Rehearsed> rehearsed = new ArrayList<>();
  private final Made made = new Made();
  private final FutureTask<Made> work = new FutureTask<>(this::work);
  private volatile boolean isClosed;

  /// Opens one. The caller closes it.
  ///
  /// @param known the digests of kernels that need not be compiled again
  /// @param shapes the best known shape for a digest
  /// @param check of the kernels when they are warm
  KernelWorkshop(JvmBackend backend, Set<String> known, Function<String, Shape> shapes, SelfCheck check) {
    this.backend = backend;
    this.known = known;
    this.shapes = shapes;
    this.check = check;
    Thread thread = new Thread(work, "einfall-kernels");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void add(Kernel kernel) {
    orders.add(new Order.Make(kernel));
  }

  @Override
  public void add(StoredKernel kernel) {
    orders.add(new Order.Load(kernel));
  }

  @Override
  public Made finish() {
    orders.add(new Order.Finish());
    return Workshop.result(work);
  }

  private Made work() throws InterruptedException {
    try (Arena memory = Arena.ofConfined()) {
      WarmUp warmUp = backend.warmUp();
      boolean isOpen = true;
      while (!isClosed && (isOpen || !warmUp.isDone())) {
        Order order = isOpen && warmUp.isDone() ? orders.take() : orders.poll();
        switch (order) {
          case null -> warmUp.round();
          case Order.Make(Kernel kernel) -> compile(kernel, warmUp, memory);
          case Order.Load(StoredKernel kernel) -> load(kernel, warmUp, memory);
          case Order.Finish _ -> isOpen = false;
        }
      }
      if (!isClosed && !warmUp.isPointless()) {
        SelfCheck.Findings findings = check.check(rehearsed, warmUp);
        made.remarks().addAll(findings.remarks());
        made.learned().addAll(findings.learned());
        made.slow().putAll(findings.slow());
        made.slowDigests().addAll(findings.slowDigests());
        findings.learned().forEach(learned -> made.codes().put(learned.better().digest(), learned.better().code()));
      }
      return made;
    }
  }

  private void compile(Kernel kernel, WarmUp warmUp, Arena memory) {
    String digest = made.digests().computeIfAbsent(kernel, KernelDigest::of);
    if (isNew(digest)) {
      CompiledKernel code = backend.compile(kernel, shapes.apply(digest), made.remarks()::add);
      made.codes().put(digest, code);
      if (!warmUp.isPointless()) {
        Rehearsal rehearsal = rehearsal(code, kernel.parameters().stream().map(Buffer::bytes).toList(), memory);
        warmUp.add(rehearsal);
        rehearsed.add(new SelfCheck.Rehearsed(Optional.of(kernel), digest, check.least(kernel), rehearsal));
      }
    }
  }

  private void load(StoredKernel kernel, WarmUp warmUp, Arena memory) {
    if (isNew(kernel.digest())) {
      CompiledKernel code = backend.load(bytecode(kernel), made.remarks()::add);
      made.codes().put(kernel.digest(), code);
      if (!warmUp.isPointless()) {
        Rehearsal rehearsal = rehearsal(code, kernel.parameterBytes(), memory);
        warmUp.add(rehearsal);
        rehearsed.add(new SelfCheck.Rehearsed(Optional.empty(), kernel.digest(), kernel.least(), rehearsal));
      }
    }
  }

  private static KernelCode bytecode(StoredKernel kernel) {
    return switch (kernel.code()) {
      case StoredCode.Bytecode(KernelCode code) -> code;
      case StoredCode.Native _ -> throw new InternalException("machine code of kernel " + kernel.digest() + " for the JVM");
    };
  }

  private boolean isNew(String digest) {
    return !known.contains(digest) && !made.codes().containsKey(digest);
  }

  private static Rehearsal rehearsal(CompiledKernel code, List<Long> parameterBytes, Arena memory) {
    long[] addresses = parameterBytes.stream().mapToLong(bytes -> LargePages.sparse(memory, bytes).address()).toArray();
    return new Rehearsal(code, addresses, LargePages.sparse(memory, code.scratchBytes()).address());
  }

  /// Stops the work, if it is not finished, and waits for its end.
  @Override
  public void close() {
    isClosed = true;
    orders.add(new Order.Finish());
    boolean interrupted = false;
    while (!work.isDone()) {
      try {
        work.get();
      } catch (InterruptedException _) {
        interrupted = true;
      } catch (ExecutionException _) {
        // Whoever needed the work has heard of it, or has failed before.
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
