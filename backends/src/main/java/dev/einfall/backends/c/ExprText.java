package dev.einfall.backends.c;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.backends.kernel.Cell;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// Writes expressions as C.
///
/// A vector of `bool` is a mask: integers that are all ones or zero, as large as what they select, so that a comparison of floats selects
/// floats without a conversion. `f16` and `bf16` are `float` (see [CTypes]); but what a variable holds that was loaded as a vector of them are their
/// bits, which are half as long, and which a dot takes as they are.
public final class ExprText {
  private final Vocabulary vocabulary;
  private final Predicate<Expr.Binary> isPlain;
  private final CNames names;
  private final AccessText accesses;
  private final Set<Var> counters = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<Var, Integer> masks = new IdentityHashMap<>();
  private final Set<Var> bits = Collections.newSetFromMap(new IdentityHashMap<>());

  public ExprText(Vocabulary vocabulary, CNames names) {
    this(vocabulary, names, _ -> false);
  }

  /// @param isPlain whether an operation on scalar integers does what C's own does: no result is too large, and no operand of a division negative
  public ExprText(Vocabulary vocabulary, CNames names, Predicate<Expr.Binary> isPlain) {
    this.vocabulary = vocabulary;
    this.isPlain = isPlain;
    this.names = names;
    this.accesses = new AccessText(this, vocabulary, names);
  }

  public AccessText accesses() {
    return accesses;
  }

  /// Says that `var` is an `int64_t`, which it needs no conversion to.
  void bindCounter(Var var) {
    counters.add(var);
  }

  boolean isCounter(Expr expr) {
    return expr instanceof Expr.Ref(Var var) && counters.contains(var);
  }

  /// The type of the variable that holds a value.
  public String type(Expr value) {
    return isMask(value.type()) ? vocabulary.type(new ValueType(CTypes.integer(maskBytes(value)), value.type().lanes()))
        : areBits(value) ? vocabulary.bitType(value.type()) : vocabulary.type(value.type());
  }

  /// Says that a variable holds `value`, which decides about the lanes of a mask, and gives what it is set to.
  String bind(Var var, Expr value) {
    if (isMask(value.type())) {
      masks.put(var, maskBytes(value));
    }
    if (areBits(value)) {
      bits.add(var);
      return bits(value);
    }
    return text(value);
  }

  /// Whether a variable with this value holds bits.
  private boolean areBits(Expr value) {
    return value.type().isVector() && CTypes.isRounded(value.type().element())
        && (value instanceof Expr.Load load && load.buffer().space() != Buffer.Space.REGISTER || value instanceof Expr.Ref(Var var) && bits.contains(var)
            || value instanceof Expr.Cast cast && cast.operand().type().element() == ElementType.F32
            || value instanceof Expr.Zip(Expr left, Expr right, boolean _) && areBits(left) && areBits(right));
  }

  /// A value as it lies in memory, or its lanes.
  String bits(Expr value) {
    ElementType type = value.type().element();
    if (!CTypes.isRounded(type)) {
      return text(value);
    }
    return switch (value) {
      case Expr.Load(Buffer buffer, List<Expr> indices) when areBits(value) -> accesses.bits(buffer, indices);
      case Expr.Ref(Var var) when areBits(value) -> names.of(var);
      case Expr.Zip(Expr left, Expr right, boolean upper) when areBits(value) -> {
        ValueType integers = value.type().with(ElementType.I16);
        String cast = "(" + vocabulary.type(integers) + ") ";
        yield "(" + vocabulary.bitType(value.type()) + ") " + vocabulary.zip(integers, upper) + "(" + cast + bits(left) + ", " + cast + bits(right) + ")";
      }
      // Making bits of it rounds it.
      case Expr.Cast(ElementType _, Expr operand) when operand.type().element() == ElementType.F32 -> vocabulary.bits(value.type()) + "(" + text(operand) + ")";
      default -> vocabulary.bits(value.type()) + "(" + text(value) + ")";
    };
  }

  private static boolean isMask(ValueType type) {
    return type.isVector() && type.element() == BOOL;
  }

  /// The text of any value.
  public String text(Expr expr) {
    ValueType type = expr.type();
    return isMask(type) ? mask(expr, maskBytes(expr)) : type.isVector() ? vector(expr) : scalar(expr);
  }

  /// The same where it is an operand: in parentheses unless it needs none.
  private String operand(Expr expr) {
    String text = text(expr);
    return isAtom(text) ? text : "(" + text + ")";
  }

  /// Whether `text` is a word, a call or in brackets as a whole.
  static boolean isAtom(String text) {
    int depth = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      depth += c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
      boolean word = Character.isLetterOrDigit(c) || c == '_' || c == '.' && i > 0;
      boolean bracket = c == '(' || c == '[' || c == ')' || c == ']';
      if (depth == 0 && !word && !bracket || depth == 1 && c == '(' && i == 0) {
        return false;
      }
    }
    return true;
  }

  // Scalars.

  private String scalar(Expr expr) {
    ElementType type = expr.type().element();
    return switch (expr) {
      case Expr.FloatLiteral(ElementType element, double value) -> number(element, value);
      case Expr.IntLiteral(ElementType element, long value) -> integer(element, value);
      case Expr.Ref(Var var) -> (counters.contains(var) ? "(int32_t) " : "") + names.of(var);
      case Expr.Load(Buffer buffer, List<Expr> indices) -> accesses.load(buffer, indices);
      case Expr.Unary(UnaryOp op, Expr operand) -> rounded(expr.type(), unary(op, operand));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) -> rounded(expr.type(), binary(op, left, right));
      case Expr.Fma(Expr a, Expr b, Expr c) -> rounded(expr.type(), fma(a, b, c));
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) ->
          operand(condition) + " ? " + operand(whenTrue) + " : " + operand(whenFalse);
      case Expr.Cast(ElementType element, Expr operand) -> cast(element, operand);
      case Expr.Bitcast(ElementType element, Expr operand) -> bitcast(element, operand);
      case Expr.ReduceLanes(BinaryOp op, Expr operand) -> type == BOOL
          ? vocabulary.reduce(op, new ValueType(CTypes.integer(maskBytes(operand)), operand.type().lanes())) + "(" + text(operand) + ") != 0"
          : vocabulary.reduce(op, operand.type()) + "(" + text(operand) + ")";
      case Expr.Ramp _, Expr.Broadcast _, Expr.Zip _, Expr.Permute _, Expr.PermuteBytes _, Expr.AddHalves _, Expr.Dot _, Expr.TileProduct _ -> throw new InternalException("a vector as a scalar");
    };
  }

  private static String number(ElementType element, double value) {
    if (Double.isNaN(value)) {
      return element == ElementType.F64 ? "(double) NAN" : "NAN";
    }
    if (Double.isInfinite(value)) {
      return (value < 0 ? "-" : "") + (element == ElementType.F64 ? "(double) INFINITY" : "INFINITY");
    }
    return switch (element) {
      case F64 -> Double.toString(value);
      case F32 -> Float.toString((float) value) + "f";
      case F16 -> Float.toString(Float.float16ToFloat(Float.floatToFloat16((float) value))) + "f";
      case BF16 -> Float.toString(SmallFloats.roundToBf16((float) value)) + "f";
      case I64, I32, I16, I8, U8, BOOL -> throw new InternalException("float literal of " + element);
    };
  }

  private static String integer(ElementType element, long value) {
    return switch (element) {
      case BOOL -> value != 0 ? "true" : "false";
      case I64 -> value == Long.MIN_VALUE ? "INT64_MIN" : "INT64_C(" + value + ")";
      case I32 -> value == Integer.MIN_VALUE ? "INT32_MIN" : Long.toString(value);
      case I16, I8, U8 -> Long.toString(value);
      case F64, F32, F16, BF16 -> throw new InternalException("int literal of " + element);
    };
  }

  /// The text of an operation on `type`, in parentheses where something follows that binds more tightly.
  private String rounded(ValueType type, String text) {
    return CTypes.isRounded(type.element()) ? vocabulary.round(type) + "(" + text + ")" : text;
  }

  private String unary(UnaryOp op, Expr operand) {
    boolean isSign = op == UnaryOp.NOT || op == UnaryOp.NEG && operand.type().element().isFloat();
    return isSign ? op.text() + operand(operand) : vocabulary.unary(op, operand.type()) + "(" + text(operand) + ")";
  }

  private String binary(BinaryOp op, Expr left, Expr right) {
    ValueType type = left.type();
    boolean sign = switch (op) {
      case ADD, SUB, MUL, DIV -> type.element().isFloat();
      case EQ, NE, LT, LE, GT, GE -> true;
      case AND, OR, XOR -> true;
      case MOD, MIN, MAX, POW, SHL, SHR -> false;
    };
    if (sign || !type.isVector() && type.element().isInteger() && op != BinaryOp.MIN && op != BinaryOp.MAX && isPlain.test(new Expr.Binary(op, left, right))) {
      return operand(left) + " " + sign(op, type.element()) + " " + operand(right);
    }
    if (op == BinaryOp.MIN || op == BinaryOp.MAX) {
      return minimum(op, left, right);
    }
    return vocabulary.binary(op, type) + "(" + text(left) + ", " + text(right) + ")";
  }

  private static String sign(BinaryOp op, ElementType type) {
    return switch (op) {
      case AND -> type == BOOL ? "&&" : "&";
      case OR -> type == BOOL ? "||" : "|";
      case XOR -> type == BOOL ? "!=" : "^";
      default -> op.text();
    };
  }

  private String minimum(BinaryOp op, Expr left, Expr right) {
    if (left.type().element().isFloat() && (isNumber(left) || isNumber(right))) {
      Expr number = isNumber(left) ? left : right;
      Expr other = isNumber(left) ? right : left;
      return vocabulary.minimumOfNumber(op, left.type()) + "(" + text(number) + ", " + text(other) + ")";
    }
    return vocabulary.binary(op, left.type()) + "(" + text(left) + ", " + text(right) + ")";
  }

  /// Whether a value is known not to be NaN.
  private static boolean isNumber(Expr expr) {
    return switch (expr) {
      case Expr.FloatLiteral(_, double value) -> !Double.isNaN(value);
      case Expr.Broadcast(Expr operand, _) -> isNumber(operand);
      default -> false;
    };
  }

  private String fma(Expr a, Expr b, Expr c) {
    return vocabulary.fma(a.type()) + "(" + text(a) + ", " + text(b) + ", " + text(c) + ")";
  }

  private String cast(ElementType element, Expr operand) {
    ElementType from = operand.type().element();
    if (from == element) {
      return text(operand);
    }
    if (element == BOOL) {
      return operand(operand) + " != 0";
    }
    if (from == BOOL) {
      return operand(operand) + " ? " + (element.isFloat() ? element == ElementType.F64 ? "1.0 : 0.0" : "1.0f : 0.0f" : "1 : 0");
    }
    return rounded(operand.type().with(element), converted(operand, element));
  }

  private String converted(Expr operand, ElementType element) {
    ElementType from = operand.type().element();
    return CTypes.computed(from) == CTypes.computed(element) ? text(operand)
        : vocabulary.convert(operand.type(), operand.type().with(element)) + "(" + text(operand) + ")";
  }

  /// Of the bits as they are in memory.
  private String bitcast(ElementType element, Expr operand) {
    ValueType from = operand.type();
    ValueType to = from.with(element);
    if (from.element() == element) {
      return text(operand);
    }
    if (from.element() == BOOL || element == BOOL) {
      return cast(element, operand);
    }
    String bits = CTypes.isRounded(from.element()) ? vocabulary.bits(from) + "(" + text(operand) + ")" : text(operand);
    String cast = vocabulary.bitcast(from, to) + "(" + bits + ")";
    return CTypes.isRounded(element) ? vocabulary.fromBits(to) + "(" + cast + ")" : cast;
  }

  // Vectors.

  private String vector(Expr expr) {
    ValueType type = expr.type();
    return switch (expr) {
      case Expr.Ref(Var var) -> bits.contains(var) ? vocabulary.fromBits(type) + "(" + names.of(var) + ")" : names.of(var);
      case Expr.Load(Buffer buffer, List<Expr> indices) -> accesses.load(buffer, indices);
      case Expr.Unary(UnaryOp op, Expr operand) -> rounded(type, unary(op, operand));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) -> rounded(type, binary(op, left, right));
      case Expr.Fma(Expr a, Expr b, Expr c) -> rounded(type, fma(a, b, c));
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) -> {
        int bytes = CTypes.bytes(type.element());
        yield vocabulary.select(type, bytes) + "(" + mask(condition, bytes) + ", " + text(whenTrue) + ", " + text(whenFalse) + ")";
      }
      case Expr.Cast(ElementType element, Expr operand) -> operand.type().element() == BOOL ? truths(element, operand)
          : operand.type().element() == element ? text(operand) : rounded(type, converted(operand, element));
      case Expr.Bitcast(ElementType element, Expr operand) -> bitcast(element, operand);
      case Expr.Ramp(Expr base, int stride, int lanes) -> vocabulary.ramp(stride, lanes) + "(" + text(base) + ")";
      case Expr.Broadcast(Expr operand, int _) -> vocabulary.broadcast(type) + "(" + text(operand) + ")";
      case Expr.Zip(Expr left, Expr right, boolean upper) -> vocabulary.zip(type, upper) + "(" + text(left) + ", " + text(right) + ")";
      case Expr.Permute permute -> vocabulary.permute(type, permute.tables().size()) + "("
          + permute.operands().stream().map(this::text).collect(Collectors.joining(", ")) + ")";
      case Expr.PermuteBytes permute -> vocabulary.permuteBytes(type, permute.tables().size()) + "("
          + permute.operands().stream().map(this::text).collect(Collectors.joining(", ")) + ")";
      case Expr.AddHalves(Expr left, Expr right) -> vocabulary.addHalves(type) + "(" + text(left) + ", " + text(right) + ")";
      case Expr.TileProduct(Expr sum, Expr left, Expr right, TileShape shape) ->
          vocabulary.tileProduct(shape) + "(" + text(sum) + ", " + bits(left) + ", " + bits(right) + ")";
      case Expr.Dot dot -> vocabulary.dot(dot.shape()) + "(" + text(dot.sum()) + ", " + bits(dot.left()) + ", " + bits(dot.right()) + ")";
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.ReduceLanes _ -> throw new InternalException("a scalar as a vector");
    };
  }

  /// A mask as numbers 0 and 1.
  private String truths(ElementType element, Expr mask) {
    int bytes = CTypes.bytes(element);
    ValueType integers = new ValueType(CTypes.integer(bytes), mask.type().lanes());
    String ones = "-" + mask(mask, bytes);
    ValueType result = integers.with(CTypes.computed(element));
    return integers.equals(result) ? ones : vocabulary.convert(integers, result) + "(" + ones + ")";
  }

  // Masks.

  /// The bytes of the lanes that the mask `expr` has by itself.
  private int maskBytes(Expr expr) {
    return switch (expr) {
      case Expr.Ref(Var var) -> masks.get(var);
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when op.isComparison() && left.type().element() != BOOL ->
          CTypes.bytes(left.type().element());
      case Expr.Binary(BinaryOp _, Expr left, Expr right) -> Math.max(maskBytes(left), maskBytes(right));
      case Expr.Unary(UnaryOp _, Expr operand) -> maskBytes(operand);
      case Expr.Cast(ElementType _, Expr operand) -> operand.type().element() == BOOL ? maskBytes(operand) : CTypes.bytes(operand.type().element());
      case Expr.Select(Expr _, Expr whenTrue, Expr _) -> maskBytes(whenTrue);
      case Expr.Load _, Expr.Broadcast _, Expr.Bitcast _ -> 1;
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Fma _, Expr.Ramp _, Expr.ReduceLanes _, Expr.Zip _, Expr.Permute _, Expr.PermuteBytes _, Expr.AddHalves _, Expr.Dot _, Expr.TileProduct _ ->
          throw new InternalException("no mask");
    };
  }

  /// The mask `expr` with lanes of `bytes` bytes.
  String mask(Expr expr, int bytes) {
    String type = vocabulary.type(new ValueType(CTypes.integer(bytes), expr.type().lanes()));
    return switch (expr) {
      case Expr.Binary(BinaryOp op, Expr left, Expr right) when left.type().element() == BOOL ->
          ofMasks(op, "(" + mask(left, bytes) + ")", "(" + mask(right, bytes) + ")");
      case Expr.Unary(UnaryOp _, Expr operand) -> "~(" + mask(operand, bytes) + ")";
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) -> vocabulary.select(new ValueType(CTypes.integer(bytes), expr.type().lanes()), bytes)
          + "(" + mask(condition, bytes) + ", " + mask(whenTrue, bytes) + ", " + mask(whenFalse, bytes) + ")";
      case Expr.Cast(ElementType _, Expr operand) when operand.type().element() == BOOL -> mask(operand, bytes);
      case Expr.Broadcast(Expr operand, int lanes) ->
          vocabulary.broadcast(new ValueType(CTypes.integer(bytes), lanes)) + "(" + operand(operand) + " ? -1 : 0)";
      default -> {
        int own = maskBytes(expr);
        String ownType = vocabulary.type(new ValueType(CTypes.integer(own), expr.type().lanes()));
        String text = switch (expr) {
          case Expr.Binary(BinaryOp op, Expr left, Expr right) -> "(" + ownType + ") (" + operand(left) + " " + op.text() + " " + operand(right) + ")";
          case Expr.Cast(ElementType _, Expr operand) -> "(" + ownType + ") (" + operand(operand) + " != 0)";
          case Expr.Bitcast(ElementType _, Expr operand) -> "(" + ownType + ") (" + operand(operand) + " != 0)";
          case Expr.Ref(Var var) -> names.of(var);
          case Expr.Load(Buffer buffer, List<Expr> indices) -> accesses.load(buffer, indices);
          default -> throw new InternalException("no mask: " + expr);
        };
        yield own == bytes ? text : vocabulary.convertMask(expr.type().lanes(), own, bytes) + "(" + text + ")";
      }
    };
  }

  private static String ofMasks(BinaryOp op, String a, String b) {
    return switch (op) {
      case AND -> a + " & " + b;
      case OR -> a + " | " + b;
      case XOR, NE -> a + " ^ " + b;
      case EQ -> "~(" + a + " ^ " + b + ")";
      case LT -> "~" + a + " & " + b;
      case LE -> "~" + a + " | " + b;
      case GT -> a + " & ~" + b;
      case GE -> a + " | ~" + b;
      case ADD, SUB, MUL, DIV, MOD, MIN, MAX, POW, SHL, SHR -> throw new InternalException(op + " of masks");
    };
  }

  /// An index in the 64 bits of an address.
  String wide(Expr index) {
    if (index instanceof Expr.Ref(Var var)) {
      return (counters.contains(var) ? "" : "(int64_t) ") + names.of(var);
    }
    return "(int64_t) " + operand(index);
  }
}
