package dev.einfall.backends.c;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.ValueType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The functions and types that the code of a file uses beyond C's own, each defined once and before its first use: `f32_max`,
/// `i32x16_add`. Only what was asked for is defined.
///
/// A function of vectors is one instruction where the target says so, and else an operation of the compiler's vectors or a loop over lanes, which
/// compilers turn into what the machine has.
public final class Vocabulary {
  private static final String TILES = "u8_tiles_";
  private static final String[] OPERANDS = {"a", "b", "c", "d"};

  private final CTarget target;
  private final Dialect dialect;
  private final Map<String, String> definitions = new LinkedHashMap<>();

  public Vocabulary(CTarget target, Dialect dialect) {
    this.target = target;
    this.dialect = dialect;
  }

  /// The definitions, in order.
  public String definitions() {
    return definitions.values().stream().filter(text -> !text.isEmpty()).collect(Collectors.joining("\n", "", "\n"));
  }

  CTarget target() {
    return target;
  }

  /// The name of a constant of these bytes, which a machine is told about its registers for tiles.
  String tileConfiguration(String bytes) {
    String name = definitions.keySet().stream().filter(key -> key.startsWith(TILES) && definitions.get(key).contains("{" + bytes + "}")).findFirst()
        .orElseGet(() -> TILES + definitions.keySet().stream().filter(key -> key.startsWith(TILES)).count());
    definitions.putIfAbsent(name, "static const uint8_t " + name + "[64] = {" + bytes + "};");
    return name;
  }

  /// Whether something uses registers for tiles.
  boolean usesTiles() {
    return definitions.keySet().stream().anyMatch(name -> name.startsWith(TILES));
  }

  public Dialect dialect() {
    return dialect;
  }

  // Types.

  /// The type of a value with lanes, such as `f32x16`; for `bool` that of a mask of bytes.
  public String type(ValueType type) {
    if (!type.isVector()) {
      return CTypes.value(type.element());
    }
    ElementType element = type.element() == ElementType.BOOL ? ElementType.I8 : CTypes.computed(type.element());
    return vector(element.text(), CTypes.value(element), element.bytes(), type.lanes());
  }

  private String unsigned(ValueType type) {
    int bytes = type.element().bytes();
    return type.isVector() ? vector("u" + 8 * bytes, CTypes.unsigned(bytes), bytes, type.lanes()) : CTypes.unsigned(bytes);
  }

  private String vector(String element, String scalar, int bytes, int lanes) {
    if (Integer.bitCount(lanes) != 1) {
      throw new InternalException("a vector of " + lanes + " lanes in C");
    }
    String name = element + "x" + lanes;
    definitions.putIfAbsent(name, "typedef " + scalar + " " + name + " __attribute__((vector_size(" + bytes * lanes + ")));");
    return name;
  }

  // Functions of scalars and of vectors, lane by lane.

  /// The function that computes `op`; operands and result have the type that values of `type` are computed with.
  public String unary(UnaryOp op, ValueType type) {
    if (op == UnaryOp.POPCOUNT && type.isVector() && type.element() == ElementType.I32) {
      return define(name(type, word(op)), type(type), parameters(type, 1), ScalarBodies.popcount(type(type), unsigned(type)));
    }
    return lanewise(name(type, word(op)), type, 1, () -> scalar(op, type.element()));
  }

  /// The same for an operation with two operands, which is no comparison.
  public String binary(BinaryOp op, ValueType type) {
    String name = name(type, word(op));
    if (!type.isVector()) {
      return scalar(op, type.element());
    }
    ElementType element = type.element();
    boolean minimum = op == BinaryOp.MIN || op == BinaryOp.MAX;
    if (target.has(name) || !element.isInteger() && !minimum) {
      return lanewise(name, type, 2, () -> scalar(op, element));
    }
    String unsigned = "(" + type(type) + ") ((" + unsigned(type) + ") a %s (" + unsigned(type) + ") b)";
    return switch (op) {
      case ADD, SUB, MUL -> define(name, type(type), parameters(type, 2), "return " + unsigned.formatted(op.text()) + ";");
      case SHL -> define(name, type(type), parameters(type, 2),
          "return (" + type(type) + ") ((" + unsigned(type) + ") a << ((" + unsigned(type) + ") b & " + (8 * element.bytes() - 1) + "));");
      case SHR -> define(name, type(type), parameters(type, 2), "return a >> (b & " + (8 * element.bytes() - 1) + ");");
      case MIN, MAX -> minimum(name, op, type);
      case DIV, MOD, POW, AND, OR, XOR, EQ, NE, LT, LE, GT, GE -> lanewise(name, type, 2, () -> scalar(op, element));
    };
  }

  /// NaN wins over numbers, and where zeros have signs, the bits of two that are equal differ in the sign alone.
  private String minimum(String name, BinaryOp op, ValueType type) {
    boolean isMinimum = op == BinaryOp.MIN;
    String nan = type.element().isFloat() ? " | (a != a)" : "";
    String condition = "(a " + (isMinimum ? "<" : ">") + " b)" + nan;
    if (!type.element().isFloat() || !target.isExact()) {
      return selection(name, type, condition);
    }
    int bytes = CTypes.bytes(type.element());
    String mask = type(new ValueType(CTypes.integer(bytes), type.lanes()));
    String select = select(type, bytes);
    String equal = "(" + type(type) + ") ((" + mask + ") a " + (isMinimum ? "|" : "&") + " (" + mask + ") b)";
    return define(name, type(type), parameters(type, 2), "return " + select + "((" + mask + ") (" + condition + "), a, " + select + "((" + mask
        + ") (a == b), " + equal + ", b));");
  }

  /// The smaller (larger) of a number that is not NaN and any value: one instruction on many targets, which gives the second operand when that
  /// is NaN.
  public String minimumOfNumber(BinaryOp op, ValueType type) {
    if (target.isExact()) {
      return binary(op, type);
    }
    String name = name(type, (op == BinaryOp.MIN ? "min" : "max") + "_number");
    if (type.isVector() && !target.has(name)) {
      return selection(name, type, "a " + (op == BinaryOp.MIN ? "<" : ">") + " b");
    }
    return lanewise(name, type, 2, () -> define(name(ValueType.scalar(type.element()), (op == BinaryOp.MIN ? "min" : "max") + "_number"),
        CTypes.value(type.element()), parameters(ValueType.scalar(type.element()), 2),
        "return a " + (op == BinaryOp.MIN ? "<" : ">") + " b ? a : b;"));
  }

  private String selection(String name, ValueType type, String condition) {
    int bytes = CTypes.bytes(type.element());
    String mask = type(new ValueType(CTypes.integer(bytes), type.lanes()));
    return define(name, type(type), parameters(type, 2), "return " + select(type, bytes) + "((" + mask + ") (" + condition + "), a, b);");
  }

  /// `a * b + c`, rounded once.
  public String fma(ValueType type) {
    ElementType element = CTypes.computed(type.element());
    ValueType computed = type.with(element);
    return lanewise(name(computed, "fma"), computed, 3, () -> define(element.text() + "_fma", CTypes.value(element),
        parameters(ValueType.scalar(element), 3), "return " + (element == ElementType.F64 ? "fma" : "fmaf") + "(a, b, c);"));
  }

  /// What rounds a `float` to `f16` or `bf16`, as a `float`.
  public String round(ValueType type) {
    String floats = type(type);
    String fromBits = fromBits(type);
    return define(name(type, "round_float"), floats, floats + " a", "return " + fromBits + "(" + bits(type) + "(a));");
  }

  /// What converts the bits of `f16` or `bf16` to a `float`.
  public String fromBits(ValueType type) {
    String scalar = define(type.element().text() + "_from_bits", "float", "uint16_t a", SmallFloats.fromBits(type.element()));
    if (!type.isVector()) {
      return scalar;
    }
    String bits = vector("u16", "uint16_t", 2, type.lanes());
    String name = name(type, "from_bits");
    return type.element() == ElementType.F16 ? converted(name, type(type), bits, type.lanes(), scalar)
        : define(name, type(type), bits + " a",
            SmallFloats.vectorFromBits(type(type), vector("u32", "uint32_t", 4, type.lanes())));
  }

  /// What converts a `float` to the bits of `f16` or `bf16`, to nearest, ties to even.
  public String bits(ValueType type) {
    String scalar = define(type.element().text() + "_bits", "uint16_t", "float a", SmallFloats.bits(type.element()));
    if (!type.isVector()) {
      return scalar;
    }
    String bits = vector("u16", "uint16_t", 2, type.lanes());
    String name = name(type, "bits");
    return type.element() == ElementType.F16 ? converted(name, bits, type(type), type.lanes(), scalar)
        : define(name, bits, type(type) + " a", SmallFloats.vectorBits(bits, vector("u32", "uint32_t", 4, type.lanes())));
  }

  /// What converts values of `from` to `to`, none of them `bool`. The result is not yet rounded to `f16` or `bf16`.
  public String convert(ValueType from, ValueType to) {
    ElementType source = CTypes.computed(from.element());
    ElementType result = CTypes.computed(to.element());
    String name = name(to.with(result), "from_" + source.text() + (from.isVector() ? "x" + from.lanes() : ""));
    boolean saturates = source.isFloat() && !result.isFloat();
    if (!to.isVector()) {
      return define(name, CTypes.value(result), CTypes.value(source) + " a", saturates ? Saturation.of(source, result)
          : "return (" + CTypes.value(result) + ") a;");
    }
    if (saturates && result.bytes() < Integer.BYTES && source == ElementType.F32) {
      return narrowed(name, from, to.with(result));
    }
    if (saturates && !target.has(name)) {
      return converted(name, type(to), type(from), to.lanes(), convert(ValueType.scalar(source), ValueType.scalar(result)));
    }
    return define(name, type(to), type(from) + " a", "return __builtin_convertvector(a, " + type(to) + ");");
  }

  /// What converts floats to integers of fewer bits, by way of those of 32 bits, as instructions do.
  private String narrowed(String name, ValueType from, ValueType to) {
    ValueType wide = from.with(ElementType.I32);
    String bounded = broadcast(wide);
    String value = binary(BinaryOp.MIN, wide) + "(" + binary(BinaryOp.MAX, wide) + "(" + convert(from, wide) + "(a), "
        + bounded + "(" + Saturation.least(to.element()) + ")), " + bounded + "(" + Saturation.most(to.element()) + "))";
    return define(name, type(to), type(from) + " a", "return " + convert(wide, to) + "(" + value + ");");
  }

  /// What takes the bits of a value for those of another type.
  public String bitcast(ValueType from, ValueType to) {
    String name = name(to, "of_bits_" + from.element().text());
    String source = bitType(from);
    String result = bitType(to);
    return define(name, result, source + " a", result + " b;\n  memcpy(&b, &a, sizeof b);\n  return b;");
  }

  /// The type that holds the bits of a value, as they are in memory.
  String bitType(ValueType type) {
    return CTypes.isRounded(type.element()) ? type.isVector() ? vector("u16", "uint16_t", 2, type.lanes()) : "uint16_t" : type(type);
  }

  // Masks and lanes.

  /// What gives `a` where the lane of a mask is all ones, and `b` where it is zero.
  ///
  /// @param bytes those of a lane of the mask and of the values
  public String select(ValueType type, int bytes) {
    ValueType computed = CTypes.computed(type);
    ValueType mask = new ValueType(CTypes.integer(bytes), type.lanes());
    String value = type(computed);
    return define(name(computed, "select"), value, type(mask) + " mask, " + value + " a, " + value + " b",
        "return (" + value + ") ((mask & (" + type(mask) + ") a) | (~mask & (" + type(mask) + ") b));");
  }

  /// What makes a mask with lanes of other bytes.
  public String convertMask(int lanes, int from, int to) {
    return convert(new ValueType(CTypes.integer(from), lanes), new ValueType(CTypes.integer(to), lanes));
  }

  public String broadcast(ValueType type) {
    ValueType computed = CTypes.computed(type);
    StringJoiner values = new StringJoiner(", ", "return (" + type(computed) + ") {", "};");
    IntStream.range(0, type.lanes()).forEach(_ -> values.add("a"));
    return define(name(computed, "broadcast"), type(computed), CTypes.value(computed.element()) + " a", values.toString());
  }

  /// The type of vectors as they lie in memory.
  private String stored(ValueType type) {
    return type.element() == ElementType.BOOL ? vector("u8", "uint8_t", 1, type.lanes()) : bitType(type);
  }

  /// The type of a mask as it lies in memory: bytes that are 0 or 1.
  public String storedMask(ValueType type) {
    return stored(type);
  }

  /// What loads neighbours in memory, as they lie there.
  public String load(ValueType type) {
    String stored = stored(type);
    return define(stored + "_load", stored, "const " + CTypes.memory(type.element()) + " *p", stored + " a;\n  memcpy(&a, p, sizeof a);\n  return a;");
  }

  /// What stores neighbours in memory.
  public String store(ValueType type) {
    String stored = stored(type);
    return define(stored + "_store", "void", CTypes.memory(type.element()) + " *p, " + stored + " a", "memcpy(p, &a, sizeof a);");
  }

  /// What loads elements that are evenly spaced.
  public String loadStrided(ValueType type) {
    String stored = stored(type);
    return define(stored + "_load_strided", stored, "const " + CTypes.memory(type.element()) + " *p, int64_t stride",
        lanes(stored, type.lanes(), "p[lane * stride]"));
  }

  public String storeStrided(ValueType type) {
    String stored = stored(type);
    return define(stored + "_store_strided", "void", CTypes.memory(type.element()) + " *p, int64_t stride, " + stored + " a",
        "for (int lane = 0; lane < " + type.lanes() + "; lane++) {\n    p[lane * stride] = a[lane];\n  }");
  }

  /// What loads the elements at the places in a vector.
  public String gather(ValueType type, ElementType places) {
    String stored = stored(type);
    return define(stored + "_gather_" + places.text(), stored,
        "const " + CTypes.memory(type.element()) + " *p, " + type(type.with(places)) + " at", lanes(stored, type.lanes(), "p[at[lane]]"));
  }

  public String scatter(ValueType type, ElementType places) {
    String stored = stored(type);
    return define(stored + "_scatter_" + places.text(), "void",
        CTypes.memory(type.element()) + " *p, " + type(type.with(places)) + " at, " + stored + " a",
        "for (int lane = 0; lane < " + type.lanes() + "; lane++) {\n    p[at[lane]] = a[lane];\n  }");
  }

  /// What gives the numbers `base, base + stride, ..`.
  public String ramp(int stride, int lanes) {
    ValueType type = new ValueType(ElementType.I32, lanes);
    String steps = IntStream.range(0, lanes).mapToObj(lane -> Integer.toString(lane * stride)).collect(Collectors.joining(", "));
    return define(name(type, "ramp" + (stride < 0 ? "_minus_" + -(long) stride : "_" + stride)), type(type), "int32_t base",
        "return " + binary(BinaryOp.ADD, type) + "(" + broadcast(type) + "(base), (" + type(type) + ") {" + steps + "});");
  }

  /// What combines the lanes, halves of them at a time; those of a mask if `type` is an integer and `op` one on bits.
  public String reduce(BinaryOp op, ValueType type) {
    ValueType computed = CTypes.computed(type);
    String name = name(type, "reduce_" + word(op));
    if (definitions.containsKey(name)) {
      return name;
    }
    int lanes = type.lanes() / 2;
    ValueType half = new ValueType(type.element(), lanes);
    String halfType = type(half);
    String combined = combined(op, half, "low", "high");
    String rest = lanes == 1 ? combined : reduce(op, half) + "(" + combined + ")";
    String bytes = Integer.toString(lanes * computed.element().bytes());
    return define(name, CTypes.value(type.element()), type(type) + " a", halfType + " low, high;\n  memcpy(&low, &a, " + bytes
        + ");\n  memcpy(&high, (const char *) &a + " + bytes + ", " + bytes + ");\n  return " + rest + ";");
  }

  /// `a op b`, rounded.
  public String combined(BinaryOp op, ValueType type, String a, String b) {
    ElementType element = type.element();
    String operation = switch (op) {
      case ADD, SUB, MUL, DIV -> element.isFloat() ? a + " " + op.text() + " " + b : binary(op, type) + "(" + a + ", " + b + ")";
      case AND -> a + " & " + b;
      case OR -> a + " | " + b;
      case XOR -> a + " ^ " + b;
      case MOD, MIN, MAX, POW, SHL, SHR -> binary(op, type) + "(" + a + ", " + b + ")";
      case EQ, NE, LT, LE, GT, GE -> throw new InternalException(op + " combines nothing");
    };
    return CTypes.isRounded(element) ? round(type) + "(" + operation + ")" : operation;
  }

  /// What interleaves the lower (upper) halves.
  public String zip(ValueType type, boolean upper) {
    ValueType computed = CTypes.computed(type);
    return define(name(computed, upper ? "zip_upper" : "zip_lower"), type(computed), parameters(computed, 2), LaneMoves.zip(type.lanes(), upper));
  }

  /// What gives lanes of tables of as many vectors, by their numbers.
  public String permute(ValueType type, int tables) {
    ValueType computed = CTypes.computed(type);
    String vectors = IntStream.range(0, tables).mapToObj(i -> ", " + type(computed) + " " + OPERANDS[i]).collect(Collectors.joining());
    return define(name(computed, tables == 1 ? "permute" : "permute_" + tables), type(computed), type(type.with(ElementType.I32)) + " at" + vectors,
        lanes(type(computed), type.lanes(), LaneMoves.permuted(type.lanes(), List.of(OPERANDS).subList(0, tables))));
  }

  /// What gives for each byte of numbers the byte of a table whose number its lowest bits are.
  ///
  /// @param tables how many vectors the table is
  public String permuteBytes(ValueType type, int tables) {
    int bytes = type.lanes() * Integer.BYTES;
    List<String> vectors = List.of(OPERANDS).subList(0, tables);
    String parameters = vectors.stream().map(vector -> ", " + type(type) + " " + vector).collect(Collectors.joining());
    return define(name(type, tables == 1 ? "permute_bytes" : "permute_bytes_" + tables), type(type), type(type) + " at" + parameters,
        LaneMoves.permuteBytes(bytes, type(new ValueType(ElementType.U8, bytes)), vectors));
  }

  /// What adds numbers of 16 bits, of which each lane holds two.
  public String addHalves(ValueType type) {
    String halves = vector("u16", "uint16_t", 2, 2 * type.lanes());
    return define(name(type, "add_halves"), type(type), type(type) + " a, " + type(type) + " b",
        "return (" + type(type) + ") ((" + halves + ") a + (" + halves + ") b);");
  }

  /// What adds to each lane of one operand the products of as many neighbouring lanes of the two others as these have for each. Numbers of
  /// `f16` and `bf16` are taken as their bits.
  public String dot(DotShape shape) {
    ValueType sums = new ValueType(shape.sum(), shape.lanes());
    int lanes = shape.lanes() * shape.terms();
    String left = bitType(new ValueType(shape.left(), lanes));
    String right = bitType(new ValueType(shape.right(), lanes));
    String name = name(sums, "dot_" + shape.terms() + "_" + shape.left() + "_" + shape.right());
    Optional<Instruction> instruction = target.dot(shape);
    String parameters = type(sums) + " " + instruction.map(Instruction::sum).orElse("c") + ", " + left + " "
        + instruction.map(Instruction::left).orElse("a") + ", " + right + " " + instruction.map(Instruction::right).orElse("b");
    return define(name, type(sums), parameters, instruction.map(Instruction::body).orElseGet(() -> lanes(type(sums), shape.lanes(), ProductBodies.lane(shape, this::number))));
  }

  /// What adds the product of two tiles to a third. Numbers of `f16` and `bf16` are taken as their bits.
  public String tileProduct(TileShape shape) {
    String sums = type(shape.sums());
    String name = name(shape.sums(), "product_" + shape.left() + "_" + shape.right() + "_" + shape.rows() + "_" + shape.steps() + "_" + shape.packed());
    return define(name, sums, sums + " c, " + bitType(shape.lefts()) + " a, " + bitType(shape.rights()) + " b", ProductBodies.tiles(shape, sums, this::number));
  }

  /// The number that bits of `type` stand for.
  private String number(ElementType type, String bits) {
    return CTypes.isRounded(type) ? fromBits(ValueType.scalar(type)) + "(" + bits + ")" : bits;
  }

  /// What loads `count` neighbours in memory and repeats them, as they lie there.
  public String loadRepeated(ValueType type, int count) {
    String stored = stored(type);
    int bytes = count * type.element().bytes();
    String parameters = "const " + CTypes.memory(type.element()) + " *p";
    String name = stored + "_load_repeated_" + count;
    if (type.lanes() % count != 0 || bytes != 2 && bytes != 4 && bytes != 8) {
      String values = IntStream.range(0, type.lanes()).mapToObj(lane -> "p[" + lane % count + "]").collect(Collectors.joining(", "));
      return define(name, stored, parameters, "return (" + stored + ") {" + values + "};");
    }
    ValueType words = new ValueType(CTypes.integer(bytes), type.lanes() / count);
    String word = CTypes.value(words.element());
    return define(name, stored, parameters, word + " a;\n  memcpy(&a, p, sizeof a);\n  return (" + stored + ") " + broadcast(words) + "(a);");
  }

  // Scalars.

  private String scalar(UnaryOp op, ElementType type) {
    String value = CTypes.value(type);
    return define(CTypes.computed(type).text() + "_" + word(op), value, value + " a", ScalarBodies.of(op, type));
  }

  private String scalar(BinaryOp op, ElementType type) {
    String value = CTypes.value(type);
    return define(CTypes.computed(type).text() + "_" + word(op), value, value + " a, " + value + " b", ScalarBodies.of(op, type, target.isExact()));
  }

  // Definitions.

  private static String word(UnaryOp op) {
    return op.name().toLowerCase(Locale.ROOT);
  }

  static String word(BinaryOp op) {
    return op.name().toLowerCase(Locale.ROOT);
  }

  private static String name(ValueType type, String word) {
    return type.element().text() + (type.isVector() ? "x" + type.lanes() : "") + "_" + word;
  }

  private String parameters(ValueType type, int count) {
    return IntStream.range(0, count).mapToObj(i -> type(type) + " " + OPERANDS[i]).collect(Collectors.joining(", "));
  }

  /// A function of `count` operands of one type.
  private String lanewise(String name, ValueType type, int count, Supplier<String> scalar) {
    if (!type.isVector()) {
      return scalar.get();
    }
    if (target.has(name)) {
      return define(name, type(type), parameters(type, count), "");
    }
    String operands = IntStream.range(0, count).mapToObj(i -> OPERANDS[i] + "[lane]").collect(Collectors.joining(", "));
    return define(name, type(type), parameters(type, count), lanes(type(type), type.lanes(), scalar.get() + "(" + operands + ")"));
  }

  private String converted(String name, String result, String source, int lanes, String scalar) {
    return define(name, result, source + " a", lanes(result, lanes, scalar + "(a[lane])"));
  }

  /// A vector whose lanes are `element`, in which `[lane]` and `lane *` stand for the number of the lane.
  private static String lanes(String type, int lanes, String element) {
    StringBuilder text = new StringBuilder("return (" + type + ") {");
    for (int lane = 0; lane < lanes; lane++) {
      text.append(lane == 0 ? "" : ",").append(lane % 4 != 0 ? " " : lanes <= 4 ? "" : "\n      ")
          .append(element.replace("lane", Integer.toString(lane)));
    }
    return text.append("};").toString();
  }

  private String define(String name, String result, String parameters, String body) {
    String text = target.body(name).orElse(body);
    definitions.putIfAbsent(name, dialect.function() + " " + result + " " + name + "(" + parameters + ") {\n  " + text + "\n}");
    return name;
  }
}
