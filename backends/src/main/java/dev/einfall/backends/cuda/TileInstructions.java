package dev.einfall.backends.cuda;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.c.Instruction;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.TileShape;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/// The functions by which the warps of a file multiply tiles, each defined when it is first used. They take fragments of `nvcuda::wmma`, which are
/// spread over the threads of a warp.
final class TileInstructions {
  private final CTarget target;
  private final Map<TileShape, Instruction> used = new LinkedHashMap<>();

  TileInstructions(CTarget target) {
    this.target = target;
  }

  /// The function that adds the product of two tiles to a third, its first argument.
  String function(TileShape shape) {
    Instruction instruction = used.computeIfAbsent(shape, _ -> target.tile(shape).orElseThrow(() ->
        new InternalException("the target " + target.name() + " does not multiply " + shape)));
    return instruction.name().replaceAll("[^A-Za-z0-9_]", "_");
  }

  /// What must be included for them.
  String includes() {
    return used.isEmpty() ? "" : "#include <mma.h>\n#include <cuda_bf16.h>\n";
  }

  String definitions() {
    return used.entrySet().stream().map(entry -> """
        template <typename Sum, typename Left, typename Right>
        static __device__ __forceinline__ void %s(Sum &%s, const Left &%s, const Right &%s) {
          %s
        }
        """.formatted(function(entry.getKey()), entry.getValue().sum(), entry.getValue().left(), entry.getValue().right(), entry.getValue().body()))
        .collect(Collectors.joining("\n"));
  }
}
