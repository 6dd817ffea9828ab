package dev.einfall.frontend;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads the reductions that a program defines, each once.
final class Combiners {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Map<Syntax.Combiner, Optional<Combiner>> read = new LinkedHashMap<>();

  Combiners(Elaboration elaboration) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
  }

  /// The reduction `name` that `file` sees, if there is one.
  ///
  /// @throws Diagnostics.Rejection if its definition is wrong
  Optional<Combiner> combiner(Syntax.Name name, FileScope file) {
    List<FileScope> files = file.filesWithReduction(name.text());
    if (files.size() > 1) {
      throw Constants.ambiguous(diagnostics, name, files);
    }
    return files.stream().findFirst().map(home -> home.reduction(name.text()))
        .map(declaration -> meaning(declaration, files.getFirst()).orElseThrow(diagnostics::reject));
  }

  private Optional<Combiner> meaning(Syntax.Combiner declaration, FileScope file) {
    if (!read.containsKey(declaration)) {
      read.put(declaration, diagnostics.attempt(() -> read(declaration, outside(declaration, file))));
    }
    return read.get(declaration);
  }

  /// A frame in which only the names of the file have a meaning.
  private static Frame outside(Syntax.Combiner declaration, FileScope file) {
    Syntax.Function none = new Syntax.Function(
        declaration.name(), List.of(), List.of(), List.of(), List.of(), declaration.span());
    return Frame.of(new Routine(none, file), Optional.empty(), Bindings.NONE, "");
  }

  private Combiner read(Syntax.Combiner declaration, Frame frame) {
    Sizes sizes = new Sizes(diagnostics, frame);
    List<ElementType> types = declaration.left().stream().map(component -> sizes.element(component.type())).toList();
    checkCounts(declaration, types.size());
    checkTypes(declaration, sizes, types);
    declaration.combined().forEach(this::checkIsMadeOfOperands);
    Map<String, Expr> operands = new LinkedHashMap<>();
    List<Var> left = operands(declaration.left(), types, operands);
    List<Var> right = operands(declaration.right(), types, operands);
    Scope scope = Scope.EMPTY.inner(operands, Optional.empty());
    List<Expr> combined = values(declaration.combined(), types, scope, frame);
    List<Expr> identity = values(declaration.identity(), types, Scope.EMPTY, frame);
    for (int i = 0; i < types.size(); i++) {
      checkIsNumber(identity.get(i), declaration.identity().get(i).span());
    }
    return new Combiner(
        declaration.name().text(), left, right, combined, identity, declaration.associative(), declaration.commutative(),
        declaration.span());
  }

  private void checkCounts(Syntax.Combiner declaration, int count) {
    checkCount(declaration, declaration.right().size(), count, declaration.right().getFirst().name().span(), "its second operand");
    checkCount(declaration, declaration.combined().size(), count, declaration.combined().getFirst().span(), "its value");
    checkCount(declaration, declaration.identity().size(), count, declaration.identity().getFirst().span(), "its identity");
  }

  private void checkCount(Syntax.Combiner declaration, int count, int wanted, Span span, String what) {
    if (count != wanted) {
      throw diagnostics.reject(span, "`" + declaration.name().text() + "` combines " + components(wanted) + ", and " + what
          + " has " + components(count),
          new Diagnostic.Note(declaration.left().getFirst().name().span(), "its first operand is here"));
    }
  }

  private static String components(int count) {
    return count == 1 ? "1 component" : count + " components";
  }

  private void checkTypes(Syntax.Combiner declaration, Sizes sizes, List<ElementType> types) {
    for (int i = 0; i < types.size(); i++) {
      Syntax.Name type = declaration.right().get(i).type();
      if (sizes.element(type) != types.get(i)) {
        throw diagnostics.reject(type.span(), "both operands have one type: this is " + type.text(),
            new Diagnostic.Note(declaration.left().get(i).type().span(), "and this " + types.get(i)));
      }
    }
  }

  private List<Var> operands(List<Syntax.Component> components, List<ElementType> types, Map<String, Expr> names) {
    List<Var> operands = new ArrayList<>();
    for (Syntax.Component component : components) {
      Var operand = new Var(component.name().text(), types.get(operands.size()));
      operands.add(operand);
      if (names.putIfAbsent(operand.name(), new Expr.Ref(operand)) != null) {
        throw diagnostics.reject(component.name().span(), "a second operand is called `" + operand.name() + "`");
      }
    }
    return operands;
  }

  private List<Expr> values(List<Syntax.Expr> values, List<ElementType> types, Scope scope, Frame frame) {
    Scalars scalars = new Scalars(elaboration, frame);
    List<Expr> exprs = new ArrayList<>();
    for (Syntax.Expr value : values) {
      exprs.add(scalars.arithmetic().as(scalars.value(value, scope), types.get(exprs.size())));
    }
    return exprs;
  }

  private void checkIsMadeOfOperands(Syntax.Expr value) {
    switch (value) {
      case Syntax.Expr.Access _, Syntax.Expr.Reduction _ ->
          throw diagnostics.reject(value.span(), "a reduction is made of its operands and numbers only");
      case Syntax.Expr.Call call -> call.arguments().forEach(this::checkIsMadeOfOperands);
      case Syntax.Expr.Prefix prefix -> checkIsMadeOfOperands(prefix.operand());
      case Syntax.Expr.Infix infix -> {
        checkIsMadeOfOperands(infix.left());
        checkIsMadeOfOperands(infix.right());
      }
      case Syntax.Expr.Whole _, Syntax.Expr.Real _, Syntax.Expr.Truth _, Syntax.Expr.Reference _, Syntax.Expr.Sequence _ -> { }
    }
  }

  private void checkIsNumber(Expr identity, Span span) {
    if (!(identity instanceof Expr.FloatLiteral || identity instanceof Expr.IntLiteral)) {
      throw diagnostics.reject(span, "the identity of a reduction is a number, such as `0` or `-inf`");
    }
  }
}
