package dev.einfall.frontend;

import dev.einfall.grammar.LoopsParser.*;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.loop.Expr;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.tree.TerminalNode;

/// Reads the expressions of loop text. Numbers are `i32` or `f32`; there are no conversions but written ones.
final class LoopExprs {
  private static final int MOST_NESTED = 1000;

  /// How many operands each takes.
  private static final Map<String, Integer> VECTOR_FUNCTIONS =
      Map.of("broadcast", 2, "add_halves", 2, "zip_low", 2, "zip_high", 2, "ramp", 3, "fma", 3, "select", 3, "dot", 3, "tile_product", 5);

  private final LoopErrors errors;
  private int depth;

  LoopExprs(LoopErrors errors) {
    this.errors = errors;
  }

  Expr expr(ExprContext tree, LoopScope scope) {
    if (depth == MOST_NESTED) {
      throw errors.reject(tree, "this expression has more than " + MOST_NESTED + " operations in a row");
    }
    depth++;
    try {
      return node(tree, scope);
    } finally {
      depth--;
    }
  }

  private Expr node(ExprContext tree, LoopScope scope) {
    return switch (tree) {
      case ParenthesesContext inner -> expr(inner.expr(), scope);
      case NumberContext number -> number(number, isWhole(number) ? ElementType.I32 : ElementType.F32);
      case TruthContext truth -> new Expr.IntLiteral(ElementType.BOOL, truth.getText().equals("true") ? 1 : 0);
      case LoadContext load -> {
        var buffer = errors.buffer(load.ID(), scope);
        List<Expr> indices = operands(load.expr(), scope);
        yield errors.checked(load, () -> new Expr.Load(buffer, indices));
      }
      case CallContext call -> call(call, scope);
      case ReferenceContext reference -> reference(reference.ID(), scope);
      case PrefixContext prefix -> {
        UnaryOp op = prefix.op.getText().equals("-") ? UnaryOp.NEG : UnaryOp.NOT;
        Expr operand = expr(prefix.expr(), scope);
        yield errors.checked(prefix, () -> new Expr.Unary(op, operand));
      }
      case InfixContext infix -> {
        BinaryOp op = Operators.infix(infix.op.getText());
        Expr left = expr(infix.expr(0), scope);
        Expr right = expr(infix.expr(1), scope);
        yield errors.checked(infix, () -> new Expr.Binary(op, left, right));
      }
      default -> throw LoopErrors.unknown(tree);
    };
  }

  private List<Expr> operands(List<ExprContext> trees, LoopScope scope) {
    return trees.stream().map(tree -> expr(tree, scope)).toList();
  }

  private static boolean isWhole(NumberContext number) {
    return number.INT() != null;
  }

  private Expr number(NumberContext number, ElementType type) {
    String text = number.getText();
    if (isWhole(number)) {
      long value = errors.whole(text, errors.span(number));
      if (type == ElementType.I32 && value != (int) value) {
        throw errors.reject(number, "this number does not fit an i32; write `i64(" + text + ")`");
      }
      return type.isFloat() ? new Expr.FloatLiteral(type, value) : new Expr.IntLiteral(type, value);
    }
    return new Expr.FloatLiteral(type, switch (text) {
      case "inf" -> Double.POSITIVE_INFINITY;
      case "-inf" -> Double.NEGATIVE_INFINITY;
      case "nan", "-nan" -> Double.NaN;
      default -> Double.parseDouble(text);
    });
  }

  private Expr reference(TerminalNode name, LoopScope scope) {
    return new Expr.Ref(scope.var(name.getText()).orElseThrow(() -> errors.reject(name, "no variable is called `"
        + name.getText() + "`" + Spelling.suggestion(name.getText(), scope.names()))));
  }

  private Expr call(CallContext tree, LoopScope scope) {
    String name = tree.ID().getText();
    Optional<ElementType> type = ElementType.named(name);
    if (type.isPresent()) {
      return cast(tree, type.get(), scope);
    }
    if (name.startsWith("bitcast_")) {
      Expr operand = operand(tree, scope);
      ElementType element = element(tree, name.substring("bitcast_".length()));
      return errors.checked(tree, () -> new Expr.Bitcast(element, operand));
    }
    if (name.startsWith("reduce_")) {
      Expr operand = operand(tree, scope);
      BinaryOp op = lanesOp(tree, name.substring("reduce_".length()));
      return errors.checked(tree, () -> new Expr.ReduceLanes(op, operand));
    }
    List<Expr> operands = operands(tree.expr(), scope);
    return name.startsWith("permute") && operands.size() > 1 ? permute(tree, name, operands.getFirst(), operands.subList(1, operands.size())) : function(tree, name, operands);
  }

  private Expr permute(CallContext tree, String name, Expr chosen, List<Expr> tables) {
    return switch (name) {
      case "permute" -> errors.checked(tree, () -> new Expr.Permute(chosen, tables));
      case "permute_bytes" -> errors.checked(tree, () -> new Expr.PermuteBytes(chosen, tables));
      default -> throw errors.reject(tree.ID(), "no function is called `" + name + "`");
    };
  }

  /// A cast of a literal is the literal of that type.
  private Expr cast(CallContext tree, ElementType type, LoopScope scope) {
    requireCount(tree, tree.expr().size(), 1);
    boolean isLiteral = tree.expr(0) instanceof NumberContext number && !type.isBool()
        && (type.isFloat() || isWhole(number));
    return isLiteral ? number((NumberContext) tree.expr(0), type) : new Expr.Cast(type, expr(tree.expr(0), scope));
  }

  private Expr operand(CallContext tree, LoopScope scope) {
    requireCount(tree, tree.expr().size(), 1);
    return expr(tree.expr(0), scope);
  }

  private ElementType element(CallContext tree, String name) {
    return ElementType.named(name).orElseThrow(() -> errors.reject(tree.ID(), "no type is called `" + name + "`"));
  }

  private BinaryOp lanesOp(CallContext tree, String name) {
    for (BinaryOp op : BinaryOp.values()) {
      if (op.name().toLowerCase(Locale.ROOT).equals(name) && op.isCommutative()) {
        return op;
      }
    }
    throw errors.reject(tree.ID(), "no operation combines lanes by `" + name + "`");
  }

  private Expr function(CallContext tree, String name, List<Expr> operands) {
    Optional<UnaryOp> unary = UnaryOp.function(name);
    Optional<BinaryOp> binary = BinaryOp.function(name);
    int count = unary.isPresent() ? 1 : binary.isPresent() ? 2 : VECTOR_FUNCTIONS.getOrDefault(name, 0);
    if (count == 0) {
      throw errors.reject(tree.ID(), "no function is called `" + name + "`");
    }
    requireCount(tree, operands.size(), count);
    return errors.checked(tree, () -> unary.isPresent() ? new Expr.Unary(unary.get(), operands.getFirst())
        : binary.isPresent() ? new Expr.Binary(binary.get(), operands.get(0), operands.get(1))
        : vector(tree, name, operands));
  }

  private Expr vector(CallContext tree, String name, List<Expr> operands) {
    return switch (name) {
      case "fma" -> new Expr.Fma(operands.get(0), operands.get(1), operands.get(2));
      case "select" -> new Expr.Select(operands.get(0), operands.get(1), operands.get(2));
      case "ramp" -> new Expr.Ramp(operands.get(0), constant(tree, operands.get(1)), constant(tree, operands.get(2)));
      case "dot" -> new Expr.Dot(operands.get(0), operands.get(1), operands.get(2));
      case "tile_product" -> Expr.TileProduct.of(operands.get(0), operands.get(1), operands.get(2), constant(tree, operands.get(3)),
          constant(tree, operands.get(4)));
      case "add_halves" -> new Expr.AddHalves(operands.get(0), operands.get(1));
      case "zip_low", "zip_high" -> new Expr.Zip(operands.get(0), operands.get(1), name.equals("zip_high"));
      default -> new Expr.Broadcast(operands.get(0), constant(tree, operands.get(1)));
    };
  }

  private int constant(ParserRuleContext tree, Expr expr) {
    if (expr instanceof Expr.IntLiteral(var _, long value)) {
      return Math.toIntExact(value);
    }
    throw errors.reject(tree, "expected a number of lanes, rows or steps, or a stride, here");
  }

  private void requireCount(CallContext tree, int given, int wanted) {
    if (given != wanted) {
      throw errors.reject(tree, "`" + tree.ID().getText() + "` takes " + wanted
          + (wanted == 1 ? " operand" : " operands") + ", not " + given);
    }
  }
}
