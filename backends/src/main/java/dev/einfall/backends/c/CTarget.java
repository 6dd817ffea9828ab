package dev.einfall.backends.c;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.InternalException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A machine that C is written for, as its description in `targets/NAME.target` says.
///
/// A description has lines of `key value`, and the bodies of functions of the [Vocabulary] that are instructions of the machine; the operands
/// are `a`, `b` and `c`. What it `extends` holds too where it says nothing else. A function that is `relaxed` rounds more often than it should, and
/// is for programs whose numerics allow that.
///
/// ```
/// extends avx2
/// vector-bytes 64
/// flags -mavx512f -mavx512bw
/// needs __AVX512F__ __AVX512BW__
/// f32x16_fma: return _mm512_fmadd_ps(a, b, c);
/// ```
///
/// @param vectorBytes the width of a vector register
/// @param registers the number of vector registers
/// @param flags what tells the compiler about the machine
/// @param needs the macros that a compiler for such a machine defines
/// @param includes the headers that the functions need
/// @param bodies what some functions do, by their names
/// @param relaxed what some do if that need not be exact
public record CTarget(String name, int vectorBytes, int registers, List<String> flags, List<String> needs, List<String> includes,
    Map<String, String> bodies, Map<String, String> relaxed) {

  /// The targets that there are descriptions of, from the plainest to what has most.
  public static final List<String> NAMES = List.of("portable", "neon", "avx2", "avx512", "avx512-vnni", "avx512-bf16");

  public CTarget {
    flags = List.copyOf(flags);
    needs = List.copyOf(needs);
    includes = List.copyOf(includes);
  }

  /// The target of this name.
  ///
  /// @throws CompileException when there is none
  public static CTarget named(String name) {
    if (!NAMES.contains(name)) {
      throw CompileException.of("unknown target " + name + "; there are " + String.join(", ", NAMES));
    }
    return read(name);
  }

  /// The best target of those whose needs are among the macros of a compiler.
  public static CTarget best(Set<String> macros) {
    return NAMES.reversed().stream().map(CTarget::read).filter(target -> macros.containsAll(target.needs)).findFirst().orElseThrow();
  }

  private static CTarget read(String name) {
    String file = "targets/" + name + ".target";
    try (InputStream stream = CTarget.class.getResourceAsStream(file)) {
      if (stream == null) {
        throw new InternalException("no description " + file);
      }
      return parse(name, new String(stream.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new InternalException("cannot read " + file, e);
    }
  }

  private static CTarget parse(String name, String text) {
    CTarget target = new CTarget(name, 4, 16, List.of(), List.of(), List.of(), Map.of(), Map.of());
    Map<String, String> bodies = new LinkedHashMap<>();
    Map<String, String> relaxed = new LinkedHashMap<>();
    for (String line : text.lines().filter(line -> !line.isBlank() && !line.startsWith("#")).toList()) {
      int space = line.indexOf(' ');
      String key = line.substring(0, space);
      String value = line.substring(space + 1).strip();
      if (key.endsWith(":")) {
        bodies.put(key.substring(0, key.length() - 1), value);
      } else if (key.equals("extends")) {
        target = read(value);
        bodies.putAll(target.bodies);
        relaxed.putAll(target.relaxed);
      } else if (key.equals("relaxed")) {
        int end = value.indexOf(':');
        relaxed.put(value.substring(0, end), value.substring(end + 1).strip());
      } else {
        target = target.with(key, value);
      }
    }
    relaxed.keySet().removeAll(bodies.keySet());
    return new CTarget(name, target.vectorBytes, target.registers, target.flags, target.needs, target.includes, bodies, relaxed);
  }

  private CTarget with(String key, String value) {
    return switch (key) {
      case "vector-bytes" -> new CTarget(name, Integer.parseInt(value), registers, flags, needs, includes, bodies, relaxed);
      case "registers" -> new CTarget(name, vectorBytes, Integer.parseInt(value), flags, needs, includes, bodies, relaxed);
      case "flags" -> new CTarget(name, vectorBytes, registers, both(flags, value), needs, includes, bodies, relaxed);
      case "needs" -> new CTarget(name, vectorBytes, registers, flags, both(needs, value), includes, bodies, relaxed);
      case "include" -> new CTarget(name, vectorBytes, registers, flags, needs, both(includes, value), bodies, relaxed);
      default -> throw new InternalException("the description of target " + name + " says " + key);
    };
  }

  private static List<String> both(List<String> first, String second) {
    List<String> both = new ArrayList<>(first);
    both.addAll(List.of(second.split(" +")));
    return both;
  }

  /// The same for programs that every operation must be exact for, as it is defined.
  public CTarget exact() {
    return new CTarget(name, vectorBytes, registers, flags, needs, includes, bodies, Map.of());
  }

  /// Whether a product and a sum, rounded once, are an instruction.
  public boolean fusesMultiplyAdds() {
    return bodies.containsKey("f32_fma");
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
