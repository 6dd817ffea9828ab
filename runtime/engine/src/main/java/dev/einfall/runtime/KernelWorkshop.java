package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.jvm.JvmBackend;
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

/// Compiles kernels and rehearses them, on a thread of its own, while the passes make others: the just-in-time compiler takes
/// longer for them than the passes do.
final class KernelWorkshop implements AutoCloseable {

  /// The code of each kernel that was not known before, by its digest; the digests of all; and what there is to say.
  record Made(Map<String, CompiledKernel> codes, Map<Kernel, String> digests, List<Diagnostic> remarks) {}

  /// A kernel to compile, or none when there will be no more.
  private record Order(Optional<Kernel> kernel) {}

  private final JvmBackend backend;
  private final Set<String> known;
  private final BlockingQueue<Order> orders = new LinkedBlockingQueue<>();
  private final Made made = new Made(new LinkedHashMap<>(), new IdentityHashMap<>(), new ArrayList<>());
  private final FutureTask<Made> work = new FutureTask<>(this::work);
  private volatile boolean isClosed;

  /// Opens one. The caller closes it.
  ///
  /// @param known the digests of kernels that need not be compiled again
  KernelWorkshop(JvmBackend backend, Set<String> known) {
    this.backend = backend;
    this.known = known;
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
        made.remarks.addAll(warmUp.remarks());
      }
      return made;
    }
  }

  private void compile(Kernel kernel, WarmUp warmUp, Arena memory) {
    String digest = made.digests.computeIfAbsent(kernel, KernelDigest::of);
    if (known.contains(digest) || made.codes.containsKey(digest)) {
      return;
    }
    CompiledKernel code = backend.compile(List.of(kernel), made.remarks::add).getFirst();
    made.codes.put(digest, code);
    if (!warmUp.isPointless()) {
      long[] addresses = kernel.parameters().stream().mapToLong(parameter -> LargePages.sparse(memory, parameter.bytes()).address()).toArray();
      warmUp.add(new JvmBackend.Rehearsal(code, addresses, LargePages.sparse(memory, code.scratchBytes()).address()));
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
