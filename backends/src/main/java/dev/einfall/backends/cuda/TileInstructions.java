package dev.einfall.backends.cuda;

import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.c.CTypes;
import dev.einfall.backends.c.Instruction;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.TileShape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The functions by which the warps of a file multiply tiles, each defined when it is first used. They take fragments of `nvcuda::wmma`, which are
/// spread over the threads of a warp; those of groups of warps take the sums of a thread, and descriptors of what lies in the memory of the block.
final class TileInstructions {
  private static final String PTX = """
      // An instruction of PTX: its text, what it writes or changes, and what it reads.
      #ifndef PTX
      #define PTX(text, written, read) asm volatile(text : written : read : "memory")
      #define PTX_F32(x) "+f"(x)
      #define PTX_S32(x) "+r"(x)
      #define PTX_U32(x) "r"(x)
      #define PTX_U64(x) "l"(x)
      #define PTX_SET_U32(x) "=r"(x)
      #define PTX_NUMBER(x) "n"(x)
      #endif
      #define PTX_LIST(...) __VA_ARGS__

      """;
  private static final String PRELUDE = """
      // Where core matrices lie that are leading or stride bytes apart.
      static __device__ __forceinline__ uint64_t matrix_descriptor(const void *first, uint32_t leading, uint32_t stride) {
        const uint32_t address = (uint32_t) __cvta_generic_to_shared(first);
        return (uint64_t) (address >> 4 & 0x3fff) | (uint64_t) (leading >> 4) << 16 | (uint64_t) (stride >> 4) << 32;
      }

      // What threads have stored to shared memory is seen by products that begin after the next barrier.
      static __device__ __forceinline__ void wgmma_see_stores() {
        PTX("fence.proxy.async.shared::cta;", , );
      }

      // Products may change registers from here on.
      static __device__ __forceinline__ void wgmma_fence() {
        PTX("wgmma.fence.sync.aligned;", , );
      }

      // Waits for all products.
      static __device__ __forceinline__ void wgmma_wait() {
        PTX("wgmma.commit_group.sync.aligned;", , );
        PTX("wgmma.wait_group.sync.aligned 0;", , );
      }

      // Stores what a thread has of some columns of a tile.
      template <int columns, typename Sum>
      static __device__ __forceinline__ void store_sums(Sum *to, int32_t stride, const Sum *sums) {
        const int32_t thread = (int32_t) threadIdx.x % 128;
        const int32_t row = thread / 32 * 16 + thread % 32 / 4;
        const int32_t column = thread % 4 * 2;
        #pragma unroll
        for (int32_t i = 0; i < columns / 2; i++) {
          to[(row + i / 2 % 2 * 8) * stride + i / 4 * 8 + column + i % 2] = sums[i];
        }
      }

      """;

  /// A register of another type would be a copy, for which `ptxas` puts products in order.
  private static final String KEEP = """
      // Nothing that uses the sums moves past this.
      template <int tiles, int count>
      static __device__ __forceinline__ void wgmma_keep(%s (&sums)[tiles][count]) {
        #pragma unroll
        for (int32_t tile = 0; tile < tiles; tile++) {
          #pragma unroll
          for (int32_t i = 0; i < count; i++) {
            PTX("", PTX_LIST(%s(sums[tile][i])), );
          }
        }
      }

      """;

  private final CTarget target;
  private final Map<TileShape, Instruction> used = new LinkedHashMap<>();

  private boolean usesBulkCopies;

  TileInstructions(CTarget target) {
    this.target = target;
  }

  /// Has [BulkCopies] defined, too.
  void useBulkCopies() {
    usesBulkCopies = true;
  }

  /// The function that adds the product of two tiles to a third, its first argument.
  String function(TileShape shape) {
    Instruction instruction = used.computeIfAbsent(shape, _ -> target.tile(shape).orElseThrow(() ->
        new InternalException("the target " + target.name() + " does not multiply " + shape)));
    return instruction.name().replaceAll("[^A-Za-z0-9_]", "_");
  }

  /// The same for a group of warps.
  ///
  /// @param isLeftTurned how the left operand lies, as [MatrixOperand] says
  /// @param isRightTurned and the right one
  String function(TileShape shape, boolean isLeftTurned, boolean isRightTurned) {
    String name = function(shape);
    boolean turns = used.get(shape).turns();
    if (!turns && (isLeftTurned || isRightTurned)) {
      throw new InternalException("the target " + target.name() + " does not turn operands of " + shape);
    }
    return turns ? name + "<" + (isLeftTurned ? 1 : 0) + ", " + (isRightTurned ? 1 : 0) + ">" : name;
  }

  /// How many sums of `shape` each thread of a group has.
  static int registers(TileShape shape) {
    return shape.sums().lanes() / WarpgroupTiles.THREADS;
  }

  static String sumType(TileShape shape) {
    return CTypes.memory(shape.sum());
  }

  /// What must be included for them.
  String includes() {
    return used.values().stream().anyMatch(instruction -> instruction.runner() == Instruction.Runner.USUAL) ? "#include <mma.h>\n#include <cuda_bf16.h>\n" : "";
  }

  String definitions() {
    List<TileShape> ofGroups = used.entrySet().stream().filter(entry -> entry.getValue().runner() == Instruction.Runner.WARPGROUP).map(Map.Entry::getKey)
        .toList();
    String prelude = ofGroups.isEmpty() ? "" : PRELUDE + ofGroups.stream().map(shape -> KEEP.formatted(sumType(shape), register(shape))).distinct()
        .collect(Collectors.joining());
    String functions = used.entrySet().stream().map(entry -> entry.getValue().runner() == Instruction.Runner.WARPGROUP
        ? ofWarpgroup(entry.getKey(), entry.getValue()) : ofWarp(entry.getKey(), entry.getValue())).collect(Collectors.joining("\n"));
    return (ofGroups.isEmpty() && !usesBulkCopies ? "" : PTX) + prelude + (usesBulkCopies ? BulkCopies.DEFINITIONS : "") + functions;
  }

  private static String register(TileShape shape) {
    return shape.sum() == ElementType.F32 ? "PTX_F32" : "PTX_S32";
  }

  private String ofWarp(TileShape shape, Instruction instruction) {
    return """
        template <typename Sum, typename Left, typename Right>
        static __device__ __forceinline__ void %s(Sum &%s, const Left &%s, const Right &%s) {
          %s
        }
        """.formatted(function(shape), instruction.sum(), instruction.left(), instruction.right(), instruction.body());
  }

  private String ofWarpgroup(TileShape shape, Instruction instruction) {
    int count = registers(shape);
    String sum = instruction.sum();
    String registers = IntStream.range(0, count).mapToObj(i -> "%" + i).collect(Collectors.joining(", ", "{", "}"));
    String written = IntStream.range(0, count).mapToObj(i -> (i % 8 == 0 ? "\n          " : " ") + register(shape) + "("
        + sum + "[" + i + "])").collect(Collectors.joining(","));
    String text = instruction.body().replace("{" + sum + "}", registers).replace("{" + instruction.left() + "}", "%" + count)
        .replace("{" + instruction.right() + "}", "%" + (count + 1)).replace("{" + instruction.left() + "'}", "%" + (count + 2))
        .replace("{" + instruction.right() + "'}", "%" + (count + 3));
    String turned = instruction.left() + "_turned";
    String otherTurned = instruction.right() + "_turned";
    return """
        %s// Adds products of tiles of which every thread of a group has %d sums.
        static __device__ __forceinline__ void %s(%s (&%s)[%d], uint64_t %s, uint64_t %s) {
          PTX("%s",
              PTX_LIST(%s),
              PTX_LIST(PTX_U64(%s), PTX_U64(%s)%s));
        }
        """.formatted(instruction.turns() ? "template <int " + turned + ", int " + otherTurned + ">\n" : "", count, function(shape), sumType(shape), sum, count,
            instruction.left(), instruction.right(), text, written, instruction.left(), instruction.right(),
            instruction.turns() ? ", PTX_NUMBER(" + turned + "), PTX_NUMBER(" + otherTurned + ")" : "");
  }
}
