package dev.einfall.backends.c;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.InstructionShape;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.WarpgroupTile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A machine that C is written for, as its description in `targets/NAME.target` says.
///
/// A description has lines of `key value`, and the bodies of functions of the [Vocabulary] that are instructions of the machine; the operands
/// are `a`, `b` and `c`. What it `extends` holds too where it says nothing else. A function that is `relaxed` rounds more often than it should, and
/// is for programs whose numerics allow that. An `instruction` is known by its meaning, which the lines below say that begin with a space: see
/// [Instruction].
///
/// ```
/// extends avx2
/// vector-bytes 64
/// flags -mavx512f -mavx512bw
/// needs __AVX512F__ __AVX512BW__
/// f32x16_fma: return _mm512_fmadd_ps(a, b, c);
/// instruction vpdpbusd: return (i32x16) _mm512_dpbusd_epi32((__m512i) c, (__m512i) a, (__m512i) b);
///   def vpdpbusd(c: i32[16], a: u8[16, 4], b: i8[16, 4]) -> i32[16] {
///     d[i] = c[i] + sum[j](i32(a[i, j]) * i32(b[i, j]))
///     return d
///   }
/// ```
///
/// A `warpgroup-instruction` is run by four warps of a GPU together. What differs in nothing but a number is described once, for some of them:
///
/// ```
/// warpgroup-instruction wgmma-n{n} n=64,32: wgmma.mma_async.sync.aligned.m64n{n}k16.f32.f16.f16 {c}, {a}, {b}, 1, 1, 1, {a'}, {b'};
///   def product(c: f32[64, {n}], a: f16[64, 16], b: f16[16, {n}]) -> f32[64, {n}] {
/// ```
///
/// What several machines have that do not extend each other is in a file `NAME.part`, and `also NAME` stands for its lines.
///
/// @param vectorBytes the width of a vector register
/// @param registers the number of vector registers
/// @param sharedBytes the most memory that the threads of a block of a GPU share
/// @param flags what tells the compiler about the machine
/// @param needs the macros that a compiler for such a machine defines
/// @param includes the headers that the functions need
/// @param bodies what some functions do, by their names
/// @param relaxed what some do if that need not be exact
/// @param instructions those that are known by what they mean
/// @param isExact whether zeros have signs to be kept
/// @param bitCount how many instructions count the ones in each lane of a vector
public record CTarget(String name, int vectorBytes, int registers, long sharedBytes, List<String> flags, List<String> needs, List<String> includes,
    Map<String, String> bodies, Map<String, String> relaxed, List<Instruction> instructions, boolean isExact, int bitCount) {

  /// The targets that there are descriptions of, from the plainest to what has most.
  public static final List<String> NAMES = List.of("portable", "neon", "neon-dot", "avx2", "avx2-vnni", "avx512", "avx512-vnni", "avx512-bits", "avx512-bf16",
      "avx512-bf16-bits", "amx");

  /// What counting takes where no instruction does it: neighbours are added to each other, in steps.
  private static final int BIT_COUNT = 12;
  private static final Pattern ALSO = Pattern.compile("(?m)^also (.+)$");

  public CTarget {
    flags = List.copyOf(flags);
    needs = List.copyOf(needs);
    includes = List.copyOf(includes);
    instructions = List.copyOf(instructions);
  }

  /// The target of this name.
  ///
  /// @param meanings reads what instructions mean
  /// @throws CompileException when there is none
  public static CTarget named(String name, Instruction.Meanings meanings) {
    if (!NAMES.contains(name)) {
      throw CompileException.of("unknown target " + name + "; there are " + String.join(", ", NAMES));
    }
    return read(CTarget.class, name, meanings);
  }

  /// The best target of those whose needs are among the macros of a compiler.
  ///
  /// @param mayUseTiles whether it may have registers for tiles, which systems do not let every process use
  /// @param meanings reads what instructions mean
  public static CTarget best(Set<String> macros, boolean mayUseTiles, Instruction.Meanings meanings) {
    return NAMES.reversed().stream().map(name -> read(CTarget.class, name, meanings)).filter(target -> macros.containsAll(target.needs))
        .filter(target -> mayUseTiles || target.tiles().isEmpty()).findFirst().orElseThrow();
  }

  /// The target that `targets/NAME.target` describes, beside a class.
  public static CTarget read(Class<?> owner, String name, Instruction.Meanings meanings) {
    String text = ALSO.matcher(text(owner, "targets/" + name + ".target")).replaceAll(also ->
        Matcher.quoteReplacement(text(owner, "targets/" + also.group(1) + ".part").strip()));
    return parse(owner, name, text, meanings);
  }

  private static String text(Class<?> owner, String file) {
    try (InputStream stream = owner.getResourceAsStream(file)) {
      if (stream == null) {
        throw new InternalException("no description " + file);
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new InternalException("cannot read " + file, e);
    }
  }

  private static CTarget parse(Class<?> owner, String name, String text, Instruction.Meanings meanings) {
    CTarget target = new CTarget(name, 4, 16, 0, List.of(), List.of(), List.of(), Map.of(), Map.of(), List.of(), false, BIT_COUNT);
    Map<String, String> bodies = new LinkedHashMap<>();
    Map<String, String> relaxed = new LinkedHashMap<>();
    List<Instruction> instructions = new ArrayList<>();
    for (String entry : text.replaceAll("(?m)^#.*\n", "").split("\n(?! |$)")) {
      String line = entry.lines().findFirst().orElseThrow();
      int space = line.indexOf(' ');
      String key = line.substring(0, space);
      String value = line.substring(space + 1).strip();
      int end = value.indexOf(':');
      if (key.endsWith(":")) {
        bodies.put(key.substring(0, key.length() - 1), value);
      } else if (key.equals("extends")) {
        target = read(owner, value, meanings);
        bodies.putAll(target.bodies);
        relaxed.putAll(target.relaxed);
        instructions.addAll(target.instructions);
      } else if (key.equals("relaxed")) {
        relaxed.put(value.substring(0, end), value.substring(end + 1).strip());
      } else if (key.equals("instruction")) {
        instructions.add(Instruction.of(value.substring(0, end), meanings.read(entry.substring(line.length())), value.substring(end + 1).strip()));
      } else if (key.equals("warpgroup-instruction")) {
        instructions.addAll(ofWarpgroups(value, entry.substring(line.length()), meanings));
      } else {
        target = target.with(key, value);
      }
    }
    relaxed.keySet().removeAll(bodies.keySet());
    return new CTarget(name, target.vectorBytes, target.registers, target.sharedBytes, target.flags, target.needs, target.includes, bodies, relaxed, instructions, false, target.bitCount);
  }

  /// The instructions that `NAME KEY=NUMBER,NUMBER..: TEXT` describes, one for each number.
  private static List<Instruction> ofWarpgroups(String head, String meaning, Instruction.Meanings meanings) {
    int end = head.indexOf(':');
    String[] words = head.substring(0, end).split(" ");
    String[] sizes = words[1].split("=");
    return Stream.of(sizes[1].split(",")).map(number -> {
      String key = "{" + sizes[0] + "}";
      return Instruction.of(words[0].replace(key, number), meanings.read(meaning.replace(key, number)), head.substring(end + 1).strip().replace(key, number),
          Instruction.Runner.WARPGROUP);
    }).toList();
  }

  private CTarget with(String key, String value) {
    return switch (key) {
      case "vector-bytes" -> new CTarget(name, Integer.parseInt(value), registers, sharedBytes, flags, needs, includes, bodies, relaxed, instructions, false, bitCount);
      case "registers" -> new CTarget(name, vectorBytes, Integer.parseInt(value), sharedBytes, flags, needs, includes, bodies, relaxed, instructions, false, bitCount);
      case "shared-bytes" -> new CTarget(name, vectorBytes, registers, Long.parseLong(value), flags, needs, includes, bodies, relaxed, instructions, false, bitCount);
      case "flags" -> new CTarget(name, vectorBytes, registers, sharedBytes, both(flags, value), needs, includes, bodies, relaxed, instructions, false, bitCount);
      case "needs" -> new CTarget(name, vectorBytes, registers, sharedBytes, flags, both(needs, value), includes, bodies, relaxed, instructions, false, bitCount);
      case "bit-count" -> new CTarget(name, vectorBytes, registers, sharedBytes, flags, needs, includes, bodies, relaxed, instructions, false, Integer.parseInt(value));
      case "include" -> new CTarget(name, vectorBytes, registers, sharedBytes, flags, needs, both(includes, value), bodies, relaxed, instructions, false, bitCount);
      default -> throw new InternalException("the description of target " + name + " says " + key);
    };
  }

  private static List<String> both(List<String> first, String second) {
    List<String> both = new ArrayList<>(first);
    both.addAll(List.of(second.split(" +")));
    return both;
  }

  /// The same for programs that every operation must be exact for, as it is defined. Instructions for minima and maxima take zeros of both
  /// signs for equal.
  public CTarget exact() {
    Map<String, String> exact = new LinkedHashMap<>(bodies);
    exact.keySet().removeIf(function -> function.matches("f\\d+(x\\d+)?_(min|max)(_number)?"));
    return new CTarget(name, vectorBytes, registers, sharedBytes, flags, needs, includes, exact, Map.of(), instructions, true, bitCount);
  }

  /// Whether a product and a sum, rounded once, are an instruction.
  public boolean fusesMultiplyAdds() {
    return bodies.containsKey("f32_fma");
  }

  /// The instruction that computes a dot; one of equal meaning that was described later comes first.
  Optional<Instruction> dot(DotShape shape) {
    return instructions.reversed().stream().filter(instruction -> instruction.shape().equals(shape)).findFirst();
  }

  /// The instruction that multiplies tiles; one of equal meaning that was described later comes first.
  public Optional<Instruction> tile(TileShape shape) {
    return instructions.reversed().stream().filter(instruction -> instruction.shape().equals(shape)).findFirst();
  }

  /// The instruction that multiplies tiles as large as these or larger, of as many steps.
  Optional<Instruction> tileFor(TileShape shape) {
    return instructions.reversed().stream().filter(instruction -> instruction.shape() instanceof TileShape tile && tile.sum() == shape.sum()
        && tile.left() == shape.left() && tile.right() == shape.right() && tile.steps() == shape.steps() && tile.packed() == shape.packed()
        && tile.rows() >= shape.rows() && tile.columns() >= shape.columns()).findFirst();
  }

  /// The dots that the machine has instructions for.
  public List<DotShape> dots() {
    return shapes(DotShape.class);
  }

  /// The products of tiles that the machine has instructions for, of a thread or a warp.
  public List<TileShape> tiles() {
    return shapes(TileShape.class);
  }

  /// Whether the machine has an instruction that chooses from all bytes of its longest vectors.
  public boolean permutesBytes() {
    return bodies.containsKey("i32x" + vectorBytes / Integer.BYTES + "_permute_bytes");
  }

  private <S extends InstructionShape> List<S> shapes(Class<S> kind) {
    return instructions.stream().filter(instruction -> instruction.runner() == Instruction.Runner.USUAL).map(Instruction::shape)
        .filter(kind::isInstance).map(kind::cast).distinct().toList();
  }

  /// The products of tiles that groups of four warps have instructions for.
  public List<WarpgroupTile> warpgroupTiles() {
    return instructions.stream().filter(instruction -> instruction.runner() == Instruction.Runner.WARPGROUP
        && instruction.shape() instanceof TileShape).map(instruction -> new WarpgroupTile((TileShape) instruction.shape(), instruction.turns())).distinct().toList();
  }

  /// Whether the machine has an instruction for a function.
  boolean has(String function) {
    return bodies.containsKey(function) || relaxed.containsKey(function);
  }

  /// What a function does, where the description says it.
  Optional<String> body(String function) {
    return Optional.ofNullable(bodies.getOrDefault(function, relaxed.get(function)));
  }
}
