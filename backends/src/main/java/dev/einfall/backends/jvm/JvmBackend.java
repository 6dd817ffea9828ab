package dev.einfall.backends.jvm;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Turns kernels into bytecode: a hidden class each.
public record JvmBackend(JvmOptions options) {

  /// The kernels compiled to bytecode, in order. Kernels that are equal but for the identity of their parameters should
  /// be given once. Remarks say what will be slow and why.
  public List<CompiledKernel> compile(List<Kernel> kernels, Consumer<Diagnostic> remarks) {
    return kernels.stream().map(kernel -> compile(kernel, Shape.USUAL, remarks)).toList();
  }

  /// `kernel` in another shape.
  ///
  /// @param known the code in a shape that did not turn out well
  /// @return empty if that is the same code
  public Optional<CompiledKernel> reshaped(Kernel kernel, Shape shape, CompiledKernel known) {
    KernelCode written = write(kernel, shape, _ -> {});
    return known instanceof Generated generated && generated.methods().equals(written.methods())
        ? Optional.empty() : Optional.of(Generated.define(written));
  }

  /// `kernel` in a shape.
  public CompiledKernel compile(Kernel kernel, Shape shape, Consumer<Diagnostic> remarks) {
    direct(remarks);
    return Generated.define(write(kernel, shape, remarks));
  }

  /// The kernel whose class this backend, or an equal one in another process, has written.
  public CompiledKernel load(KernelCode code, Consumer<Diagnostic> remarks) {
    direct(remarks);
    return Generated.define(code);
  }

  /// The class of `kernel`, which a backend has compiled or loaded.
  public static KernelCode code(CompiledKernel kernel) {
    return ((Generated) kernel).written();
  }

  /// Tells the just-in-time compiler what it needs to know of generated code, and uses what that uses of the Vector API before any of it is compiled, which takes long the first time.
  /// Whoever compiles or loads kernels need not call this.
  public static void prepare() {
    CompilerDirectives.install();
    if (JvmOptions.ofThisJvm().vectors()) {
      FirstUses.make();
    }
  }

  private static void direct(Consumer<Diagnostic> remarks) {
    prepare();
    CompilerDirectives.install().ifPresent(reason -> remarks.accept(Diagnostic.remark(Span.NONE,
        "cannot keep HotSpot's first-tier compiler away from generated code, which may stay slow: " + reason)));
  }

  /// Runs all kernels on tiny extents, in turn, until the just-in-time compiler has compiled them. What they store is
  /// meaningless. Remarks name kernels that stay slow.
  public void warmUp(List<Rehearsal> rehearsals, Consumer<Diagnostic> remarks) {
    WarmUp warmUp = warmUp();
    if (!warmUp.isPointless()) {
      rehearsals.forEach(warmUp::add);
      while (!warmUp.isDone()) {
        warmUp.round();
      }
      warmUp.slow().forEach((rehearsal, outcome) ->
          remarks.accept(Diagnostic.remark(Span.NONE, "kernel " + rehearsal.kernel() + outcome.text())));
    }
  }

  /// The same for kernels that come one by one.
  public WarmUp warmUp() {
    return WarmUp.of(options.maxWarmUpMillis());
  }

  /// The same, for at most `maxMillis`.
  public WarmUp warmUp(int maxMillis) {
    return WarmUp.of(Math.min(maxMillis, options.maxWarmUpMillis()));
  }

  /// The class of a kernel, which is not defined.
  public KernelCode write(Kernel kernel) {
    return write(kernel, Shape.USUAL, _ -> {});
  }

  /// The class file of a kernel, for people to look at.
  public byte[] classFile(Kernel kernel) {
    return write(kernel).classFile();
  }

  private KernelCode write(Kernel kernel, Shape shape, Consumer<Diagnostic> remarks) {
    if (kernel.body() instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.BLOCK) {
      throw new InternalException("kernel " + kernel.name() + " is mapped to the blocks of a GPU");
    }
    LanesToLoops lanes = new LanesToLoops(options.vectors());
    Kernel lowered = kernel.withBody(TablesAsBits.in(HoistLoads.in(DemoteRegisters.in(lanes.lower(kernel.body())))));
    if (!lanes.reasons().isEmpty()) {
      remarks.accept(Diagnostic.remark(kernel.span(), "kernel " + kernel.name() + " computes lane by lane: "
          + String.join(", ", lanes.reasons())));
    }
    KernelCode written = KernelClass.write(lowered, KernelClass.MAX_METHOD_BYTES, shape);
    written.methods().forEach((method, size) -> {
      if (size > KernelClass.MAX_METHOD_BYTES) {
        remarks.accept(Diagnostic.remark(kernel.span(), "kernel " + kernel.name() + " has a method of " + size
            + " bytes that cannot be split: HotSpot compiles none of 8000 bytes or more, and interprets it"));
      }
    });
    return written;
  }
}
