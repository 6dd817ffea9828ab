package dev.einfall.backends.jvm;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.F32;
import static dev.einfall.ir.ElementType.I32;
import static dev.einfall.ir.ElementType.I64;

import dev.einfall.backends.kernel.Cell;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.ValueType;
import java.util.List;
import java.util.Optional;
import org.objectweb.asm.Opcodes;

/// Writes the code of vector expressions that [VectorSupport] accepts: each leaves a vector on the operand stack, or, if
/// its elements are `bool`, a mask.
final class VectorEmitter {
  private static final String VECTOR = "L" + Species.PACKAGE + "Vector;";
  private static final String MASK_CLASS = Species.PACKAGE + "VectorMask";
  private static final String MASK = "L" + MASK_CLASS + ";";
  private static final String OPERATORS = Species.PACKAGE + "VectorOperators";
  private static final String ORDER = "Ljava/nio/ByteOrder;";

  private final Frame frame;
  private final Code code;
  private final ScalarEmitter scalars;
  private final MemoryEmitter memory;
  private final RoundingEmitter rounding;
  private final PermuteEmitter permutes;

  VectorEmitter(Frame frame, ScalarEmitter scalars, MemoryEmitter memory) {
    this.frame = frame;
    this.code = frame.code();
    this.scalars = scalars;
    this.memory = memory;
    this.rounding = new RoundingEmitter(code);
    this.permutes = new PermuteEmitter(this, frame, code, rounding);
  }

  /// The species of vectors of `type`; for `bool`, that of the masks which variables hold.
  static Species species(ValueType type) {
    ValueType held = type.element() == BOOL ? type.with(I32) : type;
    return Species.of(held).orElseThrow(() -> new InternalException("no vectors of " + type));
  }

  /// Pushes the vector as an operand whose class C2 knows while it parses: the receiver of a method, or what a variable
  /// holds. It inlines the methods of vectors late, and until then knows only the abstract class of what they return; it would
  /// choose the method to call by a profile that all code in the JVM shares, and that shows one class only as long as nobody
  /// uses vectors of two widths. The cast itself disappears.
  void emitExact(Expr expr) {
    emit(expr);
    if (!isExact(expr)) {
      castExact(species(expr.type()), expr.type().element() == BOOL);
    }
  }

  /// Pushes the vector as what a method is given, which looks whether it is of the class of the receiver. Of what a loop carries on, C2 does not know that while it parses: it would compile
  /// the check, and what is done with a vector of another class needs an object.
  private void emitOperand(Expr expr) {
    if (expr instanceof Expr.Load load && load.buffer().space() == Buffer.Space.REGISTER) {
      emitExact(expr);
    } else {
      emit(expr);
    }
  }

  private void castExact(Species species, boolean isMask) {
    if (isMask) {
      code.castExactMask(species);
    } else {
      code.castExact(species);
    }
  }

  /// Variables hold what was cast.
  private static boolean isExact(Expr expr) {
    return expr instanceof Expr.Ref;
  }

  /// Pushes the vector or, of the species [#species], the mask.
  void emit(Expr expr) {
    Species species = species(expr.type());
    if (expr.type().element() == BOOL) {
      emitMask(expr, species);
      return;
    }
    switch (expr) {
      case Expr.Ref(var var) -> code.loadReference(frame.slot(var));
      case Expr.Load(Buffer buffer, var indices) when buffer.space() == Buffer.Space.REGISTER ->
          code.loadReference(frame.slot(Cell.of(buffer, indices)));
      case Expr.Load(Buffer buffer, var indices) -> load(species, buffer, indices);
      case Expr.Unary unary -> emitUnary(unary, species);
      case Expr.Binary binary -> emitBinary(binary, species);
      case Expr.Fma fma -> {
        boolean swap = !isExact(fma.a()) && isExact(fma.b());
        emitExact(swap ? fma.b() : fma.a());
        emitOperand(swap ? fma.a() : fma.b());
        emitOperand(fma.c());
        code.invokeVirtual(species.vectorClass(), "fma", "(" + VECTOR + VECTOR + ")" + species.descriptor());
      }
      case Expr.Select select -> {
        emitExact(select.whenFalse());
        emitOperand(select.whenTrue());
        emitMask(select.condition(), species);
        code.invokeVirtual(species.vectorClass(), "blend", "(" + VECTOR + MASK + ")" + species.descriptor());
      }
      case Expr.Cast cast -> emitCast(cast, species);
      case Expr.Bitcast(_, Expr.Load(Buffer buffer, var indices)) when buffer.space() != Buffer.Space.REGISTER -> load(species, buffer, indices);
      case Expr.Bitcast bitcast -> {
        emitExact(bitcast.operand());
        rounding.reinterpret(species(bitcast.operand().type()), species.element());
      }
      case Expr.Ramp ramp -> ramp(ramp, species);
      case Expr.Broadcast(Expr operand, _) -> broadcast(species, operand);
      case Expr.Zip zip -> {
        code.poolConstant(species.zip(zip.upper()));
        code.castExact(species);
        emitOperand(zip.left());
        emitOperand(zip.right());
        code.invokeVirtual(species.vectorClass(), "selectFrom", "(" + VECTOR + VECTOR + ")" + species.descriptor());
      }
      case Expr.Permute permute -> permutes.emit(permute, species);
      case Expr.PermuteBytes permute -> permutes.emitBytes(permute, species);
      case Expr.AddHalves(Expr left, Expr right) -> permutes.emitAddHalves(left, right, species);
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.ReduceLanes _, Expr.Dot _, Expr.TileProduct _ -> throw new InternalException("vector " + expr);
    }
  }

  /// Pushes the bytes of a vector of `i32`, as a vector of bytes.
  void emitAsBytes(Expr expr) {
    permutes.emitAsBytes(expr);
  }

  /// Pushes the zero vector of `species`.
  void zero(Species species) {
    pushSpecies(species);
    code.invokeStatic(species.vectorClass(), "zero", "(" + Species.DESCRIPTOR + ")" + species.descriptor());
  }

  void store(Buffer buffer, List<Expr> indices, Expr value) {
    Species species = species(value.type());
    emitExact(value);
    memory.pushEverything();
    memory.pushAddress(buffer, indices);
    pushOrder();
    code.invokeVirtual(species.vectorClass(), "intoMemorySegment", "(" + MemoryEmitter.SEGMENT + "J" + ORDER + ")V");
  }

  /// Pushes the scalar that the lanes combine to.
  void emitReduction(Expr.ReduceLanes reduce) {
    emitExact(reduce.operand());
    if (reduce.type().element() == BOOL) {
      code.invokeVirtual(MASK_CLASS, reduce.op() == BinaryOp.AND ? "allTrue" : "anyTrue", "()Z");
      return;
    }
    Species species = species(reduce.operand().type());
    String element = JvmType.of(species.element()).descriptor();
    if (roundsInOrder(reduce)) {
      foldHalves(reduce.op(), species);
      code.constant(0);
      code.invokeVirtual(species.vectorClass(), "lane", "(I)" + element);
      return;
    }
    pushOperator(reduce.op().name(), "Associative");
    code.invokeVirtual(species.vectorClass(), "reduceLanes", "(L" + OPERATORS + "$Associative;)" + element);
  }

  /// Whether the result depends on the order in which the lanes are combined. `reduceLanes` leaves that order open: the
  /// interpreter goes from the first lane to the last, C2 does not, and one program would give two results.
  private static boolean roundsInOrder(Expr.ReduceLanes reduce) {
    return reduce.type().element().isFloat() && (reduce.op() == BinaryOp.ADD || reduce.op() == BinaryOp.MUL);
  }

  /// Combines the upper half of the lanes of the vector on the stack with the lower half, until the first lane has all.
  private void foldHalves(BinaryOp op, Species species) {
    String vector = species.descriptor();
    for (int half = species.lanes() / 2; half > 0; half /= 2) {
      code.op(Opcodes.DUP);
      code.poolConstant(species.rotation(half));
      code.invokeVirtual(species.vectorClass(), "rearrange", "(" + Species.SHUFFLE + ")" + vector);
      code.invokeVirtual(species.vectorClass(), op == BinaryOp.ADD ? "add" : "mul", "(" + VECTOR + ")" + vector);
      code.castExact(species);
    }
  }

  /// Pushes what is in memory from there on as a vector of `species`.
  void load(Species species, Buffer buffer, List<Expr> indices) {
    pushSpecies(species);
    memory.pushEverything();
    memory.pushAddress(buffer, indices);
    pushOrder();
    code.invokeStatic(species.vectorClass(), "fromMemorySegment",
        "(" + Species.DESCRIPTOR + MemoryEmitter.SEGMENT + "J" + ORDER + ")" + species.descriptor());
  }

  /// `addIndex` takes no stride with which the lanes leave an `int`; a product wraps around.
  private void ramp(Expr.Ramp ramp, Species species) {
    exactBroadcast(species, ramp.base());
    if (Math.abs((long) ramp.stride()) * species.lanes() <= Integer.MAX_VALUE) {
      addIndex(ramp.stride(), species);
      return;
    }
    exactBroadcast(species, new Expr.IntLiteral(species.element(), 0));
    addIndex(1, species);
    code.castExact(species);
    broadcast(species, new Expr.IntLiteral(species.element(), ramp.stride()));
    code.invokeVirtual(species.vectorClass(), "mul", "(" + VECTOR + ")" + species.descriptor());
    code.castExact(species);
    code.invokeVirtual(species.vectorClass(), "add", "(" + VECTOR + ")" + species.descriptor());
  }

  private void addIndex(int stride, Species species) {
    code.constant(stride);
    code.invokeVirtual(species.vectorClass(), "addIndex", "(I)" + species.descriptor());
  }

  private void broadcast(Species species, Expr operand) {
    pushSpecies(species);
    scalars.emit(operand);
    code.invokeStatic(species.vectorClass(), "broadcast",
        "(" + Species.DESCRIPTOR + JvmType.of(species.element()).descriptor() + ")" + species.descriptor());
  }

  /// A broadcast whose methods are called.
  private void exactBroadcast(Species species, Expr operand) {
    broadcast(species, operand);
    code.castExact(species);
  }

  private void emitUnary(Expr.Unary unary, Species species) {
    switch (unary.op()) {
      case NEG, ABS, SQRT -> {
        emitExact(unary.operand());
        code.invokeVirtual(species.vectorClass(), unary.op().name().toLowerCase(java.util.Locale.ROOT),
            "()" + species.descriptor());
      }
      case RSQRT -> {
        exactBroadcast(species, new Expr.FloatLiteral(species.element(), 1));
        emitExact(unary.operand());
        code.invokeVirtual(species.vectorClass(), "sqrt", "()" + species.descriptor());
        arithmetic(species, "div");
      }
      case FLOOR, CEIL, ROUND -> {
        emitExact(unary.operand());
        rounding.emit(unary.op(), species);
      }
      case POPCOUNT -> {
        emitExact(unary.operand());
        pushOperator("BIT_COUNT", "Unary");
        code.invokeVirtual(species.vectorClass(), "lanewise", "(L" + OPERATORS + "$Unary;)" + species.descriptor());
      }
      case NOT, SIGN, EXP, LOG, TANH, ERF, SIN, COS -> throw new InternalException("vector " + unary);
    }
  }

  private void emitBinary(Expr.Binary binary, Species species) {
    Optional<Clamp> clamp = Clamp.of(binary);
    if (clamp.isPresent()) {
      emitClamp(clamp.get(), species);
      return;
    }
    Optional<BitShift> shift = BitShift.of(binary);
    if (shift.isPresent()) {
      emitExact(shift.get().operand());
      lanewise(species, shift.get().operator(), "Binary", new Expr.Broadcast(shift.get().distance(), species.lanes()));
      return;
    }
    boolean swap = binary.op().isCommutative() && !isExact(binary.left()) && isExact(binary.right());
    Expr left = swap ? binary.right() : binary.left();
    Expr right = swap ? binary.left() : binary.right();
    emitExact(left);
    switch (binary.op()) {
      case ADD, SUB, MUL, DIV, MIN, MAX -> {
        emitOperand(right);
        arithmetic(species, binary.op().name().toLowerCase(java.util.Locale.ROOT));
      }
      case AND, OR, XOR -> lanewise(species, binary.op().name(), "Associative", right);
      case SHL -> shift(species, "LSHL", right);
      case SHR -> shift(species, "ASHR", right);
      case MOD, POW, EQ, NE, LT, LE, GT, GE -> throw new InternalException("vector " + binary);
    }
  }

  private void emitClamp(Clamp clamp, Species species) {
    emitExact(clamp.operand());
    code.op(Opcodes.DUP);
    pushOperator(clamp.beyond().name(), "Comparison");
    broadcast(species, clamp.bound());
    compare(species);
    broadcast(species, clamp.bound());
    code.op(Opcodes.SWAP);
    code.invokeVirtual(species.vectorClass(), "blend", "(" + VECTOR + MASK + ")" + species.descriptor());
  }

  private void compare(Species species) {
    code.invokeVirtual(species.vectorClass(), "compare", "(L" + OPERATORS + "$Comparison;" + VECTOR + ")" + MASK);
  }

  private void arithmetic(Species species, String method) {
    code.invokeVirtual(species.vectorClass(), method, "(" + VECTOR + ")" + species.descriptor());
  }

  /// A shift of all lanes by one number takes that as it is: of a vector of distances, whose bits the Vector API masks by an operation inside of this one, HotSpot does not
  /// always know the class, and then keeps vectors as objects.
  private void shift(Species species, String operator, Expr distance) {
    if (distance instanceof Expr.Broadcast(Expr number, _) && species.element().bytes() >= Integer.BYTES) {
      lanewiseByNumber(species, operator, "Binary", number);
    } else {
      lanewise(species, operator, "Binary", distance);
    }
  }

  private void lanewise(Species species, String operator, String kind, Expr right) {
    if (right instanceof Expr.Broadcast(Expr.IntLiteral literal, _)) {
      lanewiseByNumber(species, operator, kind, literal);
    } else {
      pushOperator(operator, kind);
      emitOperand(right);
      code.invokeVirtual(species.vectorClass(), "lanewise", "(L" + OPERATORS + "$Binary;" + VECTOR + ")" + species.descriptor());
    }
  }

  private void lanewiseByNumber(Species species, String operator, String kind, Expr number) {
    pushOperator(operator, kind);
    scalars.emit(number);
    code.invokeVirtual(species.vectorClass(), "lanewise", "(L" + OPERATORS + "$Binary;" + JvmType.of(species.element()).descriptor() + ")" + species.descriptor());
  }

  private void emitCast(Expr.Cast cast, Species species) {
    ElementType from = cast.operand().type().element();
    if (from == BOOL && VectorSupport.holds(cast.operand().type())) {
      zero(species);
      code.castExact(species);
      code.constant(JvmType.of(species.element()), 1);
      emitMask(cast.operand(), species);
      code.invokeVirtual(species.vectorClass(), "blend",
          "(" + JvmType.of(species.element()).descriptor() + MASK + ")" + species.descriptor());
    } else if (VectorSupport.holds(cast.operand().type())) {
      emitExact(cast.operand());
      convert(species(cast.operand().type()), species);
    } else {
      emitWidening((Expr.Load) cast.operand(), species);
    }
  }

  private void emitWidening(Expr.Load narrow, Species species) {
    Species stored = Species.inMemory(narrow.type()).orElseThrow();
    Species ints = species.with(I32);
    load(stored, narrow.buffer(), narrow.indices());
    code.castExact(stored);
    switch (stored.element()) {
      case I8, I16 -> convert(stored, species);
      case U8 -> {
        convert(stored, ints, "ZERO_EXTEND_B2I");
        convert(ints, species);
      }
      case BF16 -> {
        convert(stored, ints, "ZERO_EXTEND_S2I");
        lanewise(ints, "LSHL", "Binary", new Expr.Broadcast(Expr.index(16), species.lanes()));
        code.castExact(ints);
        rounding.reinterpret(ints, F32);
      }
      case F16 -> {
        convert(stored, ints);
        rounding.widenHalves(ints);
      }
      case F64, F32, I64, I32, BOOL -> throw new InternalException("vector " + narrow);
    }
  }

  private void convert(Species from, Species to) {
    if (!from.equals(to)) {
      convert(from, to, from.letter() + "2" + to.letter());
    }
  }

  private void convert(Species from, Species to, String conversion) {
    pushOperator(conversion, "Conversion");
    pushSpecies(to);
    code.constant(0);
    code.invokeVirtual(from.vectorClass(), "convertShape",
        "(L" + OPERATORS + "$Conversion;" + Species.DESCRIPTOR + "I)" + VECTOR);
    code.castExact(to);
  }

  /// Pushes the mask `expr` for vectors of `species`.
  void emitMask(Expr expr, Species species) {
    switch (expr) {
      case Expr.Ref(var var) -> {
        code.loadReference(frame.slot(var));
        castMask(species.with(I32), species);
      }
      case Expr.Load load -> {
        Species stored = Species.inMemory(load.type()).orElseThrow();
        load(stored, load.buffer(), load.indices());
        code.castExact(stored);
        isNotZero(stored);
        castMask(stored, species);
      }
      case Expr.Unary(_, Expr operand) -> {
        emitMask(operand, species);
        code.castExactMask(species);
        code.invokeVirtual(MASK_CLASS, "not", "()" + MASK);
      }
      case Expr.Binary binary when binary.op().isComparison() -> {
        Species compared = species(binary.left().type());
        emitExact(binary.left());
        pushOperator(binary.op().name(), "Comparison");
        emitOperand(binary.right());
        compare(compared);
        castMask(compared, species);
      }
      case Expr.Binary binary -> {
        emitMask(binary.left(), species);
        code.castExactMask(species);
        emitMask(binary.right(), species);
        code.invokeVirtual(MASK_CLASS, binary.op().name().toLowerCase(java.util.Locale.ROOT), "(" + MASK + ")" + MASK);
      }
      case Expr.Cast(_, Expr operand) when operand.type().element() == BOOL -> emitMask(operand, species);
      case Expr.Cast(_, Expr operand) -> {
        emitExact(operand);
        isNotZero(species(operand.type()));
        castMask(species(operand.type()), species);
      }
      case Expr.Broadcast(Expr operand, _) -> {
        // A comparison is one instruction. `maskAll` is called through an interface, and may stay a call.
        Species ints = species.with(I32);
        exactBroadcast(ints, operand);
        isNotZero(ints);
        castMask(ints, species);
      }
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Fma _, Expr.Select _, Expr.Bitcast _, Expr.Ramp _,
          Expr.ReduceLanes _, Expr.Zip _, Expr.Permute _, Expr.PermuteBytes _, Expr.AddHalves _, Expr.Dot _, Expr.TileProduct _ -> throw new InternalException("mask " + expr);
    }
  }

  private void isNotZero(Species species) {
    pushOperator("NE", "Comparison");
    JvmType type = JvmType.of(species.element());
    code.constant(type, 0);
    String scalar = species.element() == BOOL ? "B" : type.descriptor();
    code.invokeVirtual(species.vectorClass(), "compare", "(L" + OPERATORS + "$Comparison;" + scalar + ")" + MASK);
  }

  private void castMask(Species from, Species to) {
    if (!from.equals(to)) {
      code.castExactMask(from);
      pushSpecies(to);
      code.invokeVirtual(MASK_CLASS, "cast", "(" + Species.DESCRIPTOR + ")" + MASK);
    }
  }

  private void pushSpecies(Species species) {
    code.getStatic(species.vectorClass(), species.constant(), Species.DESCRIPTOR);
  }

  private void pushOperator(String name, String kind) {
    code.getStatic(OPERATORS, name, "L" + OPERATORS + "$" + kind + ";");
  }

  private void pushOrder() {
    code.getStatic("java/nio/ByteOrder", "LITTLE_ENDIAN", ORDER);
  }

  /// The integers of the size of the elements of `species`.
  static Species integers(Species species) {
    return species.with(species.element().bytes() == 8 ? I64 : I32);
  }
}
