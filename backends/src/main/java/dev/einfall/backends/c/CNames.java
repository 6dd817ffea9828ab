package dev.einfall.backends.c;

import dev.einfall.backends.kernel.Cell;
import dev.einfall.ir.Names;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Var;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// The names of one kernel's variables, buffers and registers in C: no two are equal, and none has a meaning in C or in the [Vocabulary].
public final class CNames {
  private static final Pattern VOCABULARY = Pattern.compile("([fiu]\\d+|bf16|bool)(x\\d+)?(_.*)?");
  private static final List<String> RESERVED = List.of("auto", "break", "case", "char", "const", "continue", "default", "do", "double", "else", "enum",
      "extern", "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct",
      "switch", "typedef", "union", "unsigned", "void", "volatile", "while", "bool", "true", "false", "asm", "typeof", "NAN", "INFINITY", "NULL",
      "parameters", "arguments", "scratch", "begin", "end", "team", "fault", "tiles", "memcpy", "this", "new", "delete", "class", "template", "operator",
      "private", "public", "protected", "namespace", "using", "try", "catch", "throw", "friend", "virtual", "linux", "unix", "near", "far",
      "int64_t", "int32_t", "int16_t", "int8_t", "uint64_t", "uint32_t", "uint16_t", "uint8_t", "INT64_C", "UINT64_C", "threadIdx", "blockIdx",
      "blockDim", "gridDim", "warpSize");

  private final Names names = new Names(RESERVED);
  private final Map<Cell, String> cells = new LinkedHashMap<>();

  public String of(Var var) {
    return names.of(var, wish(var.name()));
  }

  public String of(Buffer buffer) {
    return names.of(buffer, wish(buffer.name()));
  }

  /// The variable that holds a register; named after its buffer, and its place there unless it is the only one.
  public String of(Cell cell) {
    return cells.computeIfAbsent(cell,
        key -> names.of(key, wish(key.buffer().name()) + (key.buffer().extents().isEmpty() ? "" : "_" + key.offset())));
  }

  /// Whether `word` may be the name of something outside of functions.
  static boolean isFree(String word) {
    return word.matches("[A-Za-z][A-Za-z0-9_]*") && !RESERVED.contains(word) && !word.equals("main") && !VOCABULARY.matcher(word).matches();
  }

  private static String wish(String name) {
    return VOCABULARY.matcher(name).matches() || name.startsWith("_") ? "v_" + name : name;
  }
}
