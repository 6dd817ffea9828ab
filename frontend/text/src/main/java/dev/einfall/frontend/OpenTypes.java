package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Reduction;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds the types of tensors that are defined by each other. The checks are made later, when these are known.
final class OpenTypes {

  /// What is known of a type, from the least: numbers alone are open.
  private enum Level { UNKNOWN, WHOLE, REAL, TYPED }

  private record Kind(Level level, ElementType type) {
    static final Kind UNKNOWN = new Kind(Level.UNKNOWN, ElementType.F32);
    static final Kind WHOLE = new Kind(Level.WHOLE, ElementType.I32);
    static final Kind REAL = new Kind(Level.REAL, ElementType.F32);

    static Kind of(ElementType type) {
      return new Kind(Level.TYPED, type);
    }

    Kind join(Kind other) {
      return other.level.compareTo(level) > 0 ? other : this;
    }
  }

  private final Elaboration elaboration;
  private final Frame frame;
  private final Map<String, Kind> kinds = new LinkedHashMap<>();

  OpenTypes(Elaboration elaboration, Frame frame) {
    this.elaboration = elaboration;
    this.frame = frame;
  }

  /// The element type of each tensor that `statements` define.
  Map<String, ElementType> types(List<Statement.Definition> statements) {
    statements.forEach(statement -> kinds.put(statement.name().text(), Kind.UNKNOWN));
    boolean changes = true;
    while (changes) {
      changes = false;
      for (Statement.Definition statement : statements) {
        Kind before = kinds.get(statement.name().text());
        Kind after = before.join(kind(statement.value()));
        kinds.put(statement.name().text(), after);
        changes |= !after.equals(before);
      }
    }
    Map<String, ElementType> types = new LinkedHashMap<>();
    kinds.forEach((name, kind) -> types.put(name, kind.type()));
    return types;
  }

  private Kind kind(Expr expr) {
    return switch (expr) {
      case Expr.Whole _, Expr.Sequence _ -> Kind.WHOLE;
      case Expr.Real _ -> Kind.REAL;
      case Expr.Truth _ -> Kind.of(ElementType.BOOL);
      case Expr.Reference(Syntax.Name name) -> reference(name.text());
      case Expr.Access access -> tensor(access.name().text()).orElse(Kind.UNKNOWN);
      case Expr.Reduction reduction -> reduction(reduction);
      case Expr.Call call -> call(call);
      case Expr.Prefix prefix -> kind(prefix.operand());
      case Expr.Infix infix -> infix.op().isComparison() ? Kind.of(ElementType.BOOL)
          : kind(infix.left()).join(kind(infix.right()));
    };
  }

  private Kind reference(String name) {
    return frame.known(name).map(known -> switch (known) {
      case Static.Whole _ -> Kind.WHOLE;
      case Static.Real _ -> Kind.REAL;
      case Static.Truth _ -> Kind.of(ElementType.BOOL);
    }).or(() -> tensor(name)).orElse(Kind.WHOLE);
  }

  private Optional<Kind> tensor(String name) {
    return Optional.ofNullable(kinds.get(name))
        .or(() -> frame.tensor(name).flatMap(tensor -> tensor).map(tensor -> Kind.of(tensor.type())));
  }

  private Kind reduction(Expr.Reduction reduction) {
    String name = reduction.name().text();
    if (Reduction.named(name).filter(Reduction::isPosition).isPresent()) {
      return Kind.WHOLE;
    }
    List<FileScope> files = frame.file().filesWithReduction(name);
    long component = reduction.component().orElse(0L);
    if (files.size() == 1) {
      return elaboration.combiner(reduction.name(), frame.file())
          .filter(combiner -> component < combiner.types().size())
          .map(combiner -> Kind.of(combiner.types().get((int) component))).orElse(Kind.UNKNOWN);
    }
    return kind(reduction.bodies().getFirst());
  }

  private Kind call(Expr.Call call) {
    String name = call.name().text();
    Optional<ElementType> type = frame.element(name).or(() -> Scalars.bitcast(name));
    if (type.isPresent()) {
      return Kind.of(type.get());
    }
    List<Expr> operands = name.equals(Scalars.WHERE) && call.arguments().size() == 3
        ? call.arguments().subList(1, 3) : call.arguments();
    Kind kind = operands.stream().map(this::kind).reduce(Kind.UNKNOWN, Kind::join);
    boolean isReal = UnaryOp.function(name).filter(op -> !op.accepts(ElementType.I32)).isPresent()
        || BinaryOp.function(name).filter(op -> !op.accepts(ElementType.I32)).isPresent();
    return isReal ? Kind.REAL.join(kind) : kind;
  }
}
