package dev.einfall.frontend;

import dev.einfall.grammar.LoopsParser.*;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.antlr.v4.runtime.tree.TerminalNode;

/// Reads the statements of loop text.
final class LoopStatements {
  private final LoopErrors errors;
  private final LoopExprs exprs;

  LoopStatements(LoopErrors errors) {
    this.errors = errors;
    this.exprs = new LoopExprs(errors);
  }

  Buffer declare(DeclarationContext tree, Buffer.Space space, LoopScope scope) {
    TerminalNode name = tree.ID(0);
    ElementType type = ElementType.named(tree.ID(1).getText()).orElseThrow(() -> errors.reject(tree.ID(1),
        "no type is called `" + tree.ID(1).getText() + "`"));
    List<Integer> extents = tree.INT().stream().map(errors::small).toList();
    requireNew(name, scope);
    Buffer buffer = errors.checked(tree, () -> {
      Buffer made = new Buffer(name.getText(), type, extents, space);
      made.bytes();
      return made;
    });
    scope.add(buffer);
    return buffer;
  }

  private void requireNew(TerminalNode name, LoopScope scope) {
    if (scope.has(name.getText())) {
      throw errors.reject(name, "`" + name.getText() + "` has a meaning here already");
    }
  }

  /// The statements of a block. A `let` has the rest of them as its body.
  Stmt block(BlockContext tree, LoopScope scope) {
    List<List<Stmt>> segments = new ArrayList<>(List.of(new ArrayList<>()));
    List<LetHead> lets = new ArrayList<>();
    for (StatementContext statement : tree.statement()) {
      if (statement instanceof LetContext let) {
        errors.attempt(() -> {
          lets.add(let(let, scope));
          segments.add(new ArrayList<>());
        });
      } else {
        errors.attempt(() -> segments.getLast().add(statement(statement, scope)));
      }
    }
    Stmt result = Stmt.block(segments.getLast());
    for (int i = lets.size() - 1; i >= 0; i--) {
      List<Stmt> before = segments.get(i);
      before.add(new Stmt.Let(lets.get(i).var(), lets.get(i).value(), result));
      result = Stmt.block(before);
    }
    return result;
  }

  private record LetHead(Var var, Expr value) {}

  private LetHead let(LetContext tree, LoopScope scope) {
    TerminalNode name = tree.ID(0);
    ValueType type = type(tree.ID(1));
    Expr value = exprs.expr(tree.expr(), scope);
    requireNew(name, scope);
    if (!value.type().equals(type)) {
      throw errors.reject(tree.expr(), "`" + name.getText() + "` is declared " + type + ", this is " + value.type());
    }
    Var var = new Var(name.getText(), type);
    scope.add(var);
    return new LetHead(var, value);
  }

  /// A type such as `f32` or `f32x16`.
  private ValueType type(TerminalNode node) {
    String text = node.getText();
    Optional<ElementType> scalar = ElementType.named(text);
    if (scalar.isPresent()) {
      return ValueType.scalar(scalar.get());
    }
    int cut = text.lastIndexOf('x');
    Optional<ElementType> element = cut < 0 ? Optional.empty() : ElementType.named(text.substring(0, cut));
    if (element.isEmpty() || !text.substring(cut + 1).matches("[1-9][0-9]{0,4}")) {
      throw errors.reject(node, "no type is called `" + text + "`");
    }
    return new ValueType(element.get(), Integer.parseInt(text.substring(cut + 1)));
  }

  private Stmt statement(StatementContext tree, LoopScope scope) {
    return switch (tree) {
      case ForContext loop -> loop(loop, scope);
      case AllocContext alloc -> alloc(alloc, scope);
      case IfContext branch -> {
        Expr condition = exprs.expr(branch.expr(), scope);
        Stmt whenTrue = block(branch.block(0), scope.inner());
        Stmt whenFalse = branch.block().size() == 1 ? Stmt.NOTHING : block(branch.block(1), scope.inner());
        yield errors.checked(branch.expr(), () -> new Stmt.If(condition, whenTrue, whenFalse));
      }
      case RequireContext check -> {
        Expr condition = exprs.expr(check.expr(0), scope);
        Expr value = exprs.expr(check.expr(1), scope);
        yield errors.checked(check, () -> new Stmt.Require(condition, LoopErrors.string(check.STRING()), value));
      }
      case StoreContext store -> store(store, scope);
      case BarrierContext _ -> new Stmt.Barrier();
      default -> throw LoopErrors.unknown(tree);
    };
  }

  private Stmt loop(ForContext tree, LoopScope scope) {
    Stmt.For.Kind kind = tree.kind == null ? Stmt.For.Kind.SERIAL
        : Stmt.For.Kind.valueOf(tree.kind.getText().toUpperCase(Locale.ROOT));
    if (errors.whole(tree.INT()) != 0) {
      throw errors.reject(tree.INT(), "a loop starts at 0");
    }
    Expr extent = exprs.expr(tree.expr(), scope);
    requireNew(tree.ID(), scope);
    LoopScope inner = scope.inner();
    Var var = Var.counter(tree.ID().getText());
    inner.add(var);
    Stmt body = block(tree.block(), inner);
    return errors.checked(tree.expr(), () -> new Stmt.For(var, extent, kind, body, errors.span(tree)));
  }

  private Stmt alloc(AllocContext tree, LoopScope scope) {
    LoopScope inner = scope.inner();
    Buffer.Space space = switch (tree.space.getText()) {
      case "local" -> Buffer.Space.LOCAL;
      case "shared" -> Buffer.Space.SHARED;
      default -> Buffer.Space.REGISTER;
    };
    Buffer buffer = declare(tree.declaration(), space, inner);
    return new Stmt.Alloc(buffer, block(tree.block(), inner));
  }

  private Stmt store(StoreContext tree, LoopScope scope) {
    Buffer buffer = errors.buffer(tree.ID(), scope);
    List<Expr> all = tree.expr().stream().map(expr -> exprs.expr(expr, scope)).toList();
    return errors.checked(tree, () -> new Stmt.Store(buffer, all.subList(0, all.size() - 1), all.getLast()));
  }
}
