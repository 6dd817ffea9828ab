package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.Shape;
import dev.einfall.backends.jvm.WarmUp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Kernel;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;

/// Compiles kernels and rehearses them, on a thread of its own, while the passes make others: the just-in-time compiler takes
/// longer for them than the passes do.
final class KernelWorkshop implements AutoCloseable {

  /// The code of each kernel that was not known before, by its digest; the digests of all; what there is to say; and which kernels
  /// are better in other shapes, or slow in all.
  record Made(Map<String, CompiledKernel> codes, Map<Kernel, String> digests, List<Diagnostic> remarks, List<SelfCheck.Learned> learned,
      Map<Kernel, Double> slow) {}

  /// A kernel to compile, or none when there will be no more.
  private record Order(Optional<Kernel> kernel) {}

  private final JvmBackend backend;
  private final Set<String> known;
  private final BlockingQueue<Order> orders = new LinkedBlockingQueue<>();
  private final Function<String, Shape> shapes;
  private final SelfCheck check;
  private final List<SelfCheck.Rehearsed> rehearsed = new ArrayList<>();
  private final Made made = new Made(new LinkedHashMap<>(), new IdentityHashMap<>(), new ArrayList<>(), new ArrayList<>(), new LinkedHashMap<>());
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

  void add(Kernel kernel) {
    orders.add(new Order(Optional.of(kernel)));
  }

  /// Waits until all is compiled and fast.
  Made finish() {
    orders.add(new Order(Optional.empty()));
    try {
      return work.get();
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

  private Made work() throws InterruptedException {
    try (Arena memory = Arena.ofConfined()) {
      WarmUp warmUp = backend.warmUp();
      boolean isOpen = true;
      while (!isClosed && (isOpen || !warmUp.isDone())) {
        Order order = isOpen && warmUp.isDone() ? orders.take() : orders.poll();
        if (order == null) {
          warmUp.round();
        } else if (order.kernel.isEmpty()) {
          isOpen = false;
        } else {
          compile(order.kernel.get(), warmUp, memory);
        }
      }
      if (!isClosed && !warmUp.isPointless()) {
        SelfCheck.Findings findings = check.check(rehearsed, warmUp);
        made.remarks.addAll(findings.remarks());
        made.learned.addAll(findings.learned());
        made.slow.putAll(findings.slow());
        findings.learned().forEach(learned -> made.codes.put(learned.better().digest(), learned.better().code()));
      }
      return made;
    }
  }

  private void compile(Kernel kernel, WarmUp warmUp, Arena memory) {
    String digest = made.digests.computeIfAbsent(kernel, KernelDigest::of);
    if (known.contains(digest) || made.codes.containsKey(digest)) {
      return;
    }
    CompiledKernel code = backend.compile(kernel, shapes.apply(digest), made.remarks::add);
    made.codes.put(digest, code);
    if (!warmUp.isPointless()) {
      long[] addresses = kernel.parameters().stream().mapToLong(parameter -> LargePages.sparse(memory, parameter.bytes()).address()).toArray();
      JvmBackend.Rehearsal rehearsal = new JvmBackend.Rehearsal(code, addresses, LargePages.sparse(memory, code.scratchBytes()).address());
      warmUp.add(rehearsal);
      rehearsed.add(new SelfCheck.Rehearsed(kernel, digest, rehearsal));
    }
  }

  /// Stops the work, if it is not finished, and waits for its end.
  @Override
  public void close() {
    isClosed = true;
    orders.add(new Order(Optional.empty()));
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
