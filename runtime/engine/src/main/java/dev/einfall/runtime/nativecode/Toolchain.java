package dev.einfall.runtime.nativecode;

import dev.einfall.backends.c.CTarget;
import dev.einfall.runtime.device.CudaTools;
import java.util.List;
import java.util.Optional;

/// How the backends `C` and `CUDA` make machine code.
///
/// @param compiler the command that runs the compiler, gcc's or clang's
/// @param target the name of the machine that code is for; empty for the one that it is compiled on
/// @param flags more for the compiler, such as another level of optimization
/// @param cuda what is needed for GPUs
public record Toolchain(String compiler, Optional<String> target, List<String> flags, CudaTools cuda) {

  public Toolchain {
    flags = List.copyOf(flags);
  }

  /// What systems call their C compiler, for this machine.
  public static Toolchain usual() {
    return new Toolchain("cc", Optional.empty(), List.of(), CudaTools.usual());
  }

  public Toolchain withCompiler(String newCompiler) {
    return new Toolchain(newCompiler, target, flags, cuda);
  }

  public Toolchain withTarget(String newTarget) {
    return new Toolchain(compiler, Optional.of(newTarget), flags, cuda);
  }

  public Toolchain withFlags(List<String> newFlags) {
    return new Toolchain(compiler, target, newFlags, cuda);
  }

  public Toolchain withCuda(CudaTools newCuda) {
    return new Toolchain(compiler, target, flags, newCuda);
  }

  /// Whether it names nothing about C.
  public boolean isUsualForC() {
    return withCuda(CudaTools.usual()).equals(usual());
  }

  /// The compiler.
  ///
  /// @throws dev.einfall.ir.CompileException if there is none
  public CCompiler find() {
    return CCompiler.require(compiler);
  }

  /// What code is for. No compiler is needed where a target is named.
  ///
  /// @throws dev.einfall.ir.CompileException if there is no such target
  public CTarget machine() {
    return target.map(CTargets::named).orElseGet(() -> find().target());
  }

  /// The same where [#find] has given `found` already.
  public CTarget machine(CCompiler found) {
    return target.map(CTargets::named).orElseGet(found::target);
  }
}
