package dev.einfall.backends.jvm;

import static dev.einfall.ir.ElementType.BOOL;

import dev.einfall.backends.kernel.LinearIndex;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.ValueType;
import java.util.List;
import java.util.Optional;

/// What the backend computes with the Vector API. Everything else on vectors is right too, but computed lane by lane
/// through memory.
public final class VectorSupport {
  /// How many vectors `selectFrom` takes lanes of.
  private static final int MOST_TABLES = 2;

  private VectorSupport() {}

  /// Whether values of this type can stay in a vector register: `f32 f64 i32 i64` of 64 to 512 bits, and `bool` of 2 to
  /// 16 lanes (a mask).
  public static boolean holds(ValueType type) {
    ValueType held = type.element() == BOOL ? type.with(ElementType.I32) : type;
    return Species.of(held).isPresent();
  }

  /// Whether the operation at the root of `expr`, a vector or a [Expr.ReduceLanes], maps to the Vector API; its operands
  /// are asked about one by one.
  public static boolean supports(Expr expr) {
    return switch (expr) {
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Dot _, Expr.TileProduct _ -> false;
      case Expr.Ref _, Expr.Ramp _, Expr.Broadcast _ -> holds(expr.type());
      case Expr.Load load -> supportsLoad(load);
      case Expr.Unary unary -> holds(unary.type()) && supportsUnary(unary);
      case Expr.Binary binary -> holds(binary.left().type()) && supportsBinary(binary);
      case Expr.Fma fma -> holds(fma.type());
      case Expr.Select select -> holds(select.type()) && select.type().element() != BOOL;
      case Expr.Cast cast -> holds(cast.type()) && (holds(cast.operand().type()) || supportsWidening(cast));
      case Expr.Bitcast bitcast -> holds(bitcast.type()) && bitcast.type().element() != BOOL
          && holds(bitcast.operand().type());
      case Expr.Zip zip -> holds(zip.type());
      case Expr.Permute permute -> holds(permute.type()) && permute.type().element().bytes() == Integer.BYTES && permute.tables().size() <= MOST_TABLES;
      case Expr.PermuteBytes permute -> holds(permute.type()) && (permute.tables().size() <= MOST_TABLES || permute.length() == 4 * PermuteEmitter.MOST_LANES);
      case Expr.AddHalves add -> holds(add.type());
      case Expr.ReduceLanes reduce -> holds(reduce.operand().type()) && supportsReduction(reduce);
    };
  }

  /// Whether an access with these indices is to neighbours in memory, in order.
  public static boolean isContiguous(Buffer buffer, List<Expr> indices) {
    return LinearIndex.flat(buffer, indices).filter(index -> index.lane() == 1).isPresent();
  }

  private static boolean supportsLoad(Expr.Load load) {
    ValueType type = load.type();
    if (type.element() == BOOL) {
      return isContiguous(load.buffer(), load.indices()) && holds(type) && Species.inMemory(type).isPresent();
    }
    boolean register = load.buffer().space() == Buffer.Space.REGISTER;
    return holds(type) && (register || isContiguous(load.buffer(), load.indices()));
  }

  private static boolean supportsUnary(Expr.Unary unary) {
    return switch (unary.op()) {
      case NEG, NOT, ABS, SQRT, FLOOR, CEIL, ROUND, POPCOUNT -> true;
      // As of scalars: in double precision, rounded once.
      case RSQRT -> unary.type().element() == ElementType.F64;
      case SIGN, EXP, LOG, TANH, ERF, SIN, COS -> false;
    };
  }

  private static boolean supportsBinary(Expr.Binary binary) {
    ElementType element = binary.left().type().element();
    return switch (binary.op()) {
      case ADD, SUB, MUL, MIN, MAX, AND, OR, XOR, SHL, SHR -> true;
      case DIV -> element.isFloat();
      case EQ, NE, LT, LE, GT, GE -> element != BOOL;
      case MOD, POW -> false;
    };
  }

  private static boolean supportsReduction(Expr.ReduceLanes reduce) {
    return switch (reduce.op()) {
      case ADD, MUL, MIN, MAX -> true;
      case AND, OR -> reduce.operand().type().element() == BOOL;
      case SUB, DIV, MOD, POW, EQ, NE, LT, LE, GT, GE, XOR, SHL, SHR -> false;
    };
  }

  /// Whether `cast` is of elements loaded from neighbours in memory that are narrower than any vector we compute with.
  static boolean supportsWidening(Expr.Cast cast) {
    boolean wide = cast.element() == ElementType.F32 || cast.element() == ElementType.I32;
    return wide && cast.operand() instanceof Expr.Load(Buffer buffer, List<Expr> indices)
        && switch (buffer.type()) {
          case I8, U8, I16 -> true;
          case BF16, F16 -> cast.element() == ElementType.F32;
          case F64, F32, I64, I32, BOOL -> false;
        }
        && buffer.space() != Buffer.Space.REGISTER
        && isContiguous(buffer, indices)
        && memorySpecies(cast).isPresent();
  }

  private static Optional<Species> memorySpecies(Expr.Cast cast) {
    return Species.inMemory(cast.operand().type());
  }
}
