package dev.einfall.backends.jvm;

import dev.einfall.backends.kernel.Cell;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.Label;
import org.objectweb.asm.Opcodes;

/// Writes the code of statements.
final class StmtEmitter {
  private static final String ARITHMETIC = "dev/einfall/backends/jvm/Arithmetic";

  private final Frame frame;
  private final Code code;
  private final ScalarEmitter scalars;
  private final Rehearsing rehearsing;
  private final Calls calls;

  /// The local variables that shorten loops in rehearsals: loops run `cap` iterations, and those whose counter decides
  /// about branches `cap` at one of several places.
  record Rehearsing(int cap, int place) {}

  /// Writes what other methods do.
  interface Calls {

    /// Writes a call in the place of `stmt`, if it has a method of its own.
    ///
    /// @return whether it has
    boolean call(Stmt stmt);

    /// Writes that the team shares the iterations of `loop` from the number in `first` (inclusive) to that in `limit` (exclusive).
    void share(Stmt.For loop, int first, int limit);
  }

  StmtEmitter(Frame frame, Rehearsing rehearsing, Calls calls) {
    this.frame = frame;
    this.code = frame.code();
    this.scalars = new ScalarEmitter(frame);
    this.rehearsing = rehearsing;
    this.calls = calls;
  }

  void emit(Stmt stmt) {
    int mark = code.mark();
    switch (stmt) {
      case Stmt.Block block -> block.statements().forEach(this::emitOrCall);
      case Stmt.For loop when loop.kind() == Stmt.For.Kind.PARALLEL -> emitShared(loop);
      case Stmt.For loop -> emitFor(loop);
      case Stmt.Store store -> emitStore(store);
      case Stmt.Alloc alloc -> {
        if (alloc.buffer().space() == Buffer.Space.REGISTER) {
          emitRegisters(alloc);
        } else {
          emitOrCall(alloc.body());
        }
      }
      case Stmt.If branch -> emitIf(branch);
      case Stmt.Let let -> emitLet(let);
      case Stmt.Require check -> emitRequire(check);
      case Stmt.Barrier _ -> throw new InternalException("a barrier outside of a GPU");
    }
    code.release(mark);
  }

  private void emitOrCall(Stmt stmt) {
    if (!calls.call(stmt)) {
      emit(stmt);
    }
  }

  private void emitFor(Stmt.For loop) {
    code.line(loop.span().line());
    int var = code.local(1);
    int limit = -1;
    if (RehearsedIterations.isWhole(loop)) {
      code.constant(0);
      code.store(JvmType.INT, var);
    } else {
      limit = code.local(1);
      emitRange(loop, var, limit);
    }
    Label again = new Label();
    Label end = new Label();
    code.label(again);
    code.load(JvmType.INT, var);
    if (limit < 0) {
      scalars.emit(loop.extent());
    } else {
      code.load(JvmType.INT, limit);
    }
    code.jump(Opcodes.IF_ICMPGE, end);
    // C2 knows the sign of what a loop counts only when it has seen that it counts, and drops the checks of what is inside before, or not at
    // all. Of the copy it knows it at once; the loop itself goes on counting what it was, as C2 would see no counted loop otherwise.
    int counter = code.local(1);
    code.load(JvmType.INT, var);
    code.store(JvmType.INT, counter);
    frame.bind(loop.var(), counter);
    frame.tellSign(loop.var());
    emitOrCall(loop.body());
    code.increment(var);
    code.jump(Opcodes.GOTO, again);
    code.label(end);
  }

  private void emitShared(Stmt.For loop) {
    code.line(loop.span().line());
    int first = code.local(1);
    int limit = code.local(1);
    emitRange(loop, first, limit);
    calls.share(loop, first, limit);
  }

  /// Stores the first value of the counter to `var` and the bound to `limit`.
  private void emitRange(Stmt.For loop, int var, int limit) {
    scalars.emit(loop.extent());
    if (decides(loop)) {
      code.op(Opcodes.DUP);
      pushCap(loop);
      code.load(JvmType.INT, rehearsing.place());
      code.invokeStatic(ARITHMETIC, "first", "(III)I");
      code.op(Opcodes.DUP);
      code.store(JvmType.INT, var);
      pushCap(loop);
      code.op(Opcodes.IADD);
    } else {
      code.constant(0);
      code.store(JvmType.INT, var);
      pushCap(loop);
    }
    code.invokeStatic("java/lang/Math", "min", "(II)I");
    code.store(JvmType.INT, limit);
  }

  private void pushCap(Stmt.For loop) {
    code.load(JvmType.INT, rehearsing.cap());
    if (RehearsedIterations.isAround(loop)) {
      code.constant(3);
      code.op(Opcodes.ISHR);
    }
  }

  /// Whether a branch inside depends on the counter of `loop`.
  private static boolean decides(Stmt.For loop) {
    Expr counter = new Expr.Ref(loop.var());
    return loop.body().nodes().anyMatch(stmt -> stmt instanceof Stmt.If branch && mentions(branch.condition(), counter)
        || stmt.exprs().flatMap(Expr::nodes)
            .anyMatch(expr -> expr instanceof Expr.Select select && mentions(select.condition(), counter)));
  }

  private static boolean mentions(Expr expr, Expr part) {
    return expr.nodes().anyMatch(part::equals);
  }

  private void emitStore(Stmt.Store store) {
    boolean vector = store.value().type().isVector();
    if (store.buffer().space() == Buffer.Space.REGISTER) {
      emitForRegister(store.value());
      assign(store.value().type(), frame.slot(Cell.of(store.buffer(), store.indices())));
    } else if (vector) {
      scalars.vectors().store(store.buffer(), store.indices(), store.value());
    } else {
      scalars.memory().store(store.buffer(), store.indices(), store.value());
    }
  }

  /// The local variables of cells start as zero, because the JVM wants to see a value on every path. That makes stores of
  /// zero at the start of the body superfluous.
  private void emitRegisters(Stmt.Alloc alloc) {
    Map<ValueType, Integer> zeros = new LinkedHashMap<>();
    for (Cell cell : Cell.in(alloc.body(), alloc.buffer())) {
      ValueType type = cell.type();
      Integer zero = zeros.get(type);
      if (zero == null) {
        pushZero(type);
      } else {
        reload(type, zero);
      }
      int slot = local(type);
      assign(type, slot);
      frame.bind(cell, slot);
      zeros.putIfAbsent(type, slot);
    }
    emitOrCall(withoutZeroing(alloc.body(), alloc.buffer()));
  }

  private void pushZero(ValueType type) {
    if (type.isVector()) {
      scalars.vectors().zero(VectorEmitter.species(type));
    } else {
      code.constant(JvmType.of(type.element()), 0);
    }
  }

  /// `body` without the stores of zero to `buffer` with which it begins.
  private static Stmt withoutZeroing(Stmt body, Buffer buffer) {
    return switch (body) {
      case Stmt.Block(List<Stmt> statements) when !statements.isEmpty() -> {
        Stmt first = withoutZeroing(statements.getFirst(), buffer);
        Stmt rest = new Stmt.Block(statements.subList(1, statements.size()));
        yield first.equals(Stmt.NOTHING) ? withoutZeroing(rest, buffer) : first == statements.getFirst() ? body : Stmt.block(first, rest);
      }
      case Stmt.Store(Buffer stored, _, Expr value) when stored == buffer && isZero(value) -> Stmt.NOTHING;
      case Stmt.Block _, Stmt.Store _, Stmt.For _, Stmt.Let _, Stmt.If _, Stmt.Alloc _, Stmt.Require _, Stmt.Barrier _ -> body;
    };
  }

  /// Whether `value` is what registers start with.
  private static boolean isZero(Expr value) {
    return switch (value) {
      case Expr.Broadcast(Expr operand, _) -> isZero(operand);
      case Expr.FloatLiteral(_, double number) -> Double.doubleToRawLongBits(number) == 0;
      case Expr.IntLiteral(_, long number) -> number == 0;
      default -> false;
    };
  }

  private void emitIf(Stmt.If branch) {
    Label otherwise = new Label();
    scalars.jumpUnless(branch.condition(), otherwise);
    emitOrCall(branch.whenTrue());
    if (branch.whenFalse().equals(Stmt.NOTHING)) {
      code.label(otherwise);
      return;
    }
    Label end = new Label();
    code.jump(Opcodes.GOTO, end);
    code.label(otherwise);
    emitOrCall(branch.whenFalse());
    code.label(end);
  }

  private void emitLet(Stmt.Let let) {
    Var var = let.var();
    if (ByteVariables.isOne(let)) {
      scalars.vectors().emitAsBytes(let.value());
      int slot = local(var.type());
      assign(var.type(), slot);
      frame.bindBytes(var, slot);
      emitOrCall(let.body());
      return;
    }
    emitValue(let.value());
    int slot = local(var.type());
    assign(var.type(), slot);
    frame.bind(var, slot);
    frame.tellSign(var);
    emitOrCall(let.body());
  }

  private void emitRequire(Stmt.Require check) {
    Label holds = new Label();
    Label fails = new Label();
    scalars.jumpUnless(check.condition(), fails);
    code.jump(Opcodes.GOTO, holds);
    code.label(fails);
    code.poolConstant(check.message());
    ElementType element = check.value().type().element();
    ElementType wide = element.isFloat() ? ElementType.F64 : ElementType.I64;
    scalars.emit(new Expr.Cast(wide, check.value()));
    code.invokeStatic(ARITHMETIC, "fault",
        "(Ljava/lang/String;" + JvmType.of(wide).descriptor() + ")Ldev/einfall/backends/KernelFault;");
    code.op(Opcodes.ATHROW);
    code.label(holds);
  }

  private void emitValue(Expr value) {
    if (value.type().isVector()) {
      scalars.vectors().emitExact(value);
    } else {
      scalars.emit(value);
    }
  }

  /// What a register holds is cast where it is read: it may come from several places.
  private void emitForRegister(Expr value) {
    if (value.type().isVector()) {
      scalars.vectors().emit(value);
    } else {
      scalars.emit(value);
    }
  }

  private int local(ValueType type) {
    return code.local(type.isVector() ? 1 : JvmType.of(type.element()).slots());
  }

  private void reload(ValueType type, int slot) {
    if (type.isVector()) {
      code.loadReference(slot);
    } else {
      code.load(JvmType.of(type.element()), slot);
    }
  }

  private void assign(ValueType type, int slot) {
    if (type.isVector()) {
      code.storeReference(slot);
    } else {
      code.store(JvmType.of(type.element()), slot);
    }
  }
}
