package dev.einfall.ir.loop;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.ExprText;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Lines;
import dev.einfall.ir.Names;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Prints the loop level as text that reads back as the same program.
///
/// ```
/// kernel scale(X: f32[100], Y: f32[100]) {
///   for i in 0..100 {
///     Y[i] = X[i] * 2.0
///   }
/// }
/// ```
///
/// A part of a kernel prints too, with its free variables and buffers under their own names.
public final class LoopPrinter {

  /// Words with a meaning of their own, which name no buffer or variable.
  private static final List<String> RESERVED = List.of(
      "kernel", "plan", "for", "parallel", "vectorized", "unrolled", "block", "thread", "warp", "warpgroup", "in", "if", "else", "alloc", "registers", "local",
      "shared", "barrier", "let", "require", "input", "weight", "constant", "output", "buffer", "at", "arena", "setup", "launch",
      "true", "false", "inf", "nan");

  private final Lines lines = new Lines();

  private LoopPrinter() {}

  public static String print(Kernel kernel) {
    LoopPrinter printer = new LoopPrinter();
    printer.kernel(kernel, kernel.name());
    return printer.lines.toString();
  }

  /// The kernels that the plan launches, each once, and then the plan.
  public static String print(KernelPlan plan) {
    Names kernelNames = new Names(RESERVED);
    StringBuilder text = new StringBuilder();
    for (Kernel kernel : PlanPrinter.kernels(plan)) {
      LoopPrinter printer = new LoopPrinter();
      printer.kernel(kernel, kernelNames.of(kernel, kernel.name()));
      text.append(printer.lines).append('\n');
    }
    return text + PlanPrinter.print(plan, kernelNames, new Names(RESERVED));
  }

  public static String print(Stmt statement) {
    LoopPrinter printer = new LoopPrinter();
    printer.statement(statement, new Names(RESERVED));
    return printer.lines.toString();
  }

  public static String print(Expr expr) {
    return text(expr, new Names(RESERVED));
  }

  /// A buffer as it is declared: `X: f32[100]`.
  static String declaration(Buffer buffer, Names names) {
    String extents = buffer.extents().stream().map(Object::toString).collect(Collectors.joining(", "));
    return name(buffer, names) + ": " + buffer.type() + "[" + extents + "]";
  }

  static String name(Buffer buffer, Names names) {
    return names.of(buffer, buffer.name());
  }

  private void kernel(Kernel kernel, String name) {
    Names names = new Names(RESERVED);
    String parameters = kernel.parameters().stream()
        .map(buffer -> declaration(buffer, names))
        .collect(Collectors.joining(", "));
    lines.block("kernel " + name + "(" + parameters + ")", () -> statement(kernel.body(), names));
  }

  /// A `let` stays in scope to the end of the block that it is printed in, so blocks share the scope of their parent.
  private void statement(Stmt statement, Names names) {
    switch (statement) {
      case Stmt.Block block -> block.statements().forEach(child -> statement(child, names));
      case Stmt.For loop -> loop(loop, names);
      case Stmt.Store store ->
          lines.add(access(store.buffer(), store.indices(), names) + " = " + text(store.value(), names));
      case Stmt.Barrier _ -> lines.add("barrier");
      case Stmt.Alloc alloc -> alloc(alloc, names);
      case Stmt.If branch -> branch(branch, names);
      case Stmt.Let _ -> lets(statement, names);
      case Stmt.Require check -> lines.add("require " + text(check.condition(), names) + ", "
          + Lines.quoted(check.message()) + ", " + text(check.value(), names));
    }
  }

  private void loop(Stmt.For loop, Names names) {
    String kind = loop.kind() == Stmt.For.Kind.SERIAL ? "" : loop.kind().name().toLowerCase(Locale.ROOT) + " ";
    String extent = text(loop.extent(), names);
    Names inner = names.inner();
    String var = inner.of(loop.var(), loop.var().name());
    lines.block(kind + "for " + var + " in 0.." + extent, () -> statement(loop.body(), inner));
  }

  private void alloc(Stmt.Alloc alloc, Names names) {
    Names inner = names.inner();
    String space = switch (alloc.buffer().space()) {
      case LOCAL -> "local";
      case SHARED -> "shared";
      case REGISTER -> "registers";
      case GLOBAL -> throw new InternalException("alloc of global " + alloc.buffer());
    };
    lines.block("alloc " + declaration(alloc.buffer(), inner) + " in " + space,
        () -> statement(alloc.body(), inner));
  }

  private void branch(Stmt.If branch, Names names) {
    lines.add("if " + text(branch.condition(), names) + " {");
    lines.inside(() -> statement(branch.whenTrue(), names.inner()));
    if (!branch.whenFalse().equals(Stmt.NOTHING)) {
      lines.add("} else {");
      lines.inside(() -> statement(branch.whenFalse(), names.inner()));
    }
    lines.add("}");
  }

  /// A chain of `let`s, which may be long, without recursion.
  private void lets(Stmt statement, Names names) {
    Stmt rest = statement;
    while (rest instanceof Stmt.Let(Var var, Expr value, Stmt body)) {
      String text = text(value, names);
      lines.add("let " + names.of(var, var.name()) + ": " + var.type() + " = " + text);
      rest = body;
    }
    statement(rest, names);
  }

  private static String access(Buffer buffer, List<Expr> indices, Names names) {
    return name(buffer, names) + "["
        + indices.stream().map(index -> text(index, names)).collect(Collectors.joining(", ")) + "]";
  }

  private static String text(Expr expr, Names names) {
    return expr(expr, names).text();
  }

  private static ExprText expr(Expr expr, Names names) {
    return switch (expr) {
      case Expr.FloatLiteral literal -> ExprText.literal(literal.element(), literal.value(), false);
      case Expr.IntLiteral literal -> ExprText.literal(literal.element(), literal.value(), false);
      case Expr.Ref(Var var) -> ExprText.atom(names.of(var, var.name()));
      case Expr.Load load -> ExprText.atom(access(load.buffer(), load.indices(), names));
      case Expr.Unary unary -> ExprText.unary(unary.op(), prefixed(unary.operand(), names));
      case Expr.Binary binary ->
          ExprText.binary(binary.op(), expr(binary.left(), names), expr(binary.right(), names));
      case Expr.Fma fma -> call("fma", names, fma.a(), fma.b(), fma.c());
      case Expr.Select select -> call("select", names, select.condition(), select.whenTrue(), select.whenFalse());
      case Expr.Cast(ElementType element, Expr operand) -> ExprText.call(element.text(), typed(operand, names));
      case Expr.Bitcast(ElementType element, Expr operand) -> call("bitcast_" + element, names, operand);
      case Expr.Ramp(Expr base, int stride, int lanes) ->
          call("ramp", names, base, Expr.index(stride), Expr.index(lanes));
      case Expr.Broadcast(Expr operand, int lanes) -> call("broadcast", names, operand, Expr.index(lanes));
      case Expr.ReduceLanes reduce ->
          call("reduce_" + reduce.op().name().toLowerCase(Locale.ROOT), names, reduce.operand());
      case Expr.Zip zip -> call(zip.upper() ? "zip_high" : "zip_low", names, zip.left(), zip.right());
      case Expr.Permute permute -> call("permute", names, permute.operands().toArray(Expr[]::new));
      case Expr.PermuteBytes permute -> call("permute_bytes", names, permute.operands().toArray(Expr[]::new));
      case Expr.AddHalves add -> call("add_halves", names, add.left(), add.right());
      case Expr.Dot dot -> call("dot", names, dot.sum(), dot.left(), dot.right());
      case Expr.TileProduct(Expr sum, Expr left, Expr right, TileShape shape) ->
          call("tile_product", names, sum, left, right, Expr.index(shape.rows()), Expr.index(shape.packed()));
    };
  }

  private static ExprText call(String function, Names names, Expr... operands) {
    return ExprText.call(function, List.of(operands).stream().map(operand -> expr(operand, names)).toList());
  }

  /// The operand of a prefix sign: `-(2)`, since `-2` is a literal.
  private static ExprText prefixed(Expr operand, Names names) {
    ExprText text = expr(operand, names);
    return isNumber(operand) ? new ExprText(text.text(), 0) : text;
  }

  /// The operand of a cast: `f32(i32(3))`, since `f32(3)` is a literal.
  private static ExprText typed(Expr operand, Names names) {
    return switch (operand) {
      case Expr.FloatLiteral literal -> ExprText.literal(literal.element(), literal.value(), true);
      case Expr.IntLiteral literal -> ExprText.literal(literal.element(), literal.value(), true);
      case Expr other -> expr(other, names);
    };
  }

  private static boolean isNumber(Expr expr) {
    return expr instanceof Expr.FloatLiteral || expr instanceof Expr.IntLiteral(ElementType type, long _) && !type.isBool();
  }
}
