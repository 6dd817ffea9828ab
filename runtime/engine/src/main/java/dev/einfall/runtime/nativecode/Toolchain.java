package dev.einfall.runtime.nativecode;

import dev.einfall.backends.c.CTarget;
import java.util.List;
import java.util.Optional;

/// How the C backend makes machine code.
///
/// @param compiler the command that runs the compiler, gcc's or clang's
/// @param target the name of the machine that code is for; empty for the one that it is compiled on
/// @param flags more for the compiler, such as another level of optimization
public record Toolchain(String compiler, Optional<String> target, List<String> flags) {

  public Toolchain {
    flags = List.copyOf(flags);
  }

  /// What systems call their C compiler, for this machine.
  public static Toolchain usual() {
    return new Toolchain("cc", Optional.empty(), List.of());
  }

  public Toolchain withCompiler(String newCompiler) {
    return new Toolchain(newCompiler, target, flags);
  }

  public Toolchain withTarget(String newTarget) {
    return new Toolchain(compiler, Optional.of(newTarget), flags);
  }

  public Toolchain withFlags(List<String> newFlags) {
    return new Toolchain(compiler, target, newFlags);
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
}
