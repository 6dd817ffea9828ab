package dev.einfall.backends.cuda;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.c.Instruction;
import dev.einfall.ir.CompileException;
import java.util.List;

/// The GPUs that CUDA C++ is written for, by the compute capability that they have at least, as the descriptions in `targets/NAME.target` say. All of them
/// have what C has; the instructions of their warps are known by what they mean. How much memory blocks share is in the table "Technical Specifications
/// per Compute Capability" of the CUDA C++ Programming Guide.
public final class CudaTargets {
  /// From the oldest to the newest. What ends in a letter has what no later capability need have.
  public static final List<String> NAMES = List.of("sm_70", "sm_75", "sm_80", "sm_86", "sm_87", "sm_89", "sm_90", "sm_90a", "sm_120");
  /// What code is written for unless something else is asked for.
  public static final String USUAL = "sm_80";

  private CudaTargets() {}

  /// The target of this name, or for a later capability, such as `sm_100`, the last one that is not later.
  ///
  /// @param meanings reads what instructions mean
  /// @throws CompileException when it is the name of none, or of a GPU older than all
  public static CTarget named(String name, Instruction.Meanings meanings) {
    if (!name.matches("sm_\\d{2,3}a?")) {
      throw CompileException.of("unknown target " + name + "; a GPU is named by its compute capability, such as " + USUAL);
    }
    int capability = Integer.parseInt(name.replaceAll("\\D", ""));
    String described = NAMES.contains(name) ? name
        : NAMES.reversed().stream().filter(known -> !isOfOne(known) && Integer.parseInt(known.substring(3)) <= capability).findFirst()
            .orElseThrow(() -> CompileException.of("no code is written for " + name + "; the oldest GPU is " + NAMES.getFirst()));
    return CTarget.read(CudaTargets.class, described, meanings).exact();
  }

  /// What a GPU of this compute capability is called: by what is for it alone, where there is a description of that.
  ///
  /// @param capability such as 90 for 9.0
  public static String nameOf(int capability) {
    String name = "sm_" + capability;
    return NAMES.stream().filter(known -> isOfOne(known) && known.startsWith(name)).findFirst().orElse(name);
  }

  /// Whether GPUs of one capability alone have what the target says.
  public static boolean isOfOne(String name) {
    return Character.isLetter(name.charAt(name.length() - 1));
  }
}
