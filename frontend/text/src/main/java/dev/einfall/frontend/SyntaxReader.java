package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Expr;
import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.frontend.Syntax.Subscript;
import dev.einfall.grammar.EinfallLexer;
import dev.einfall.grammar.EinfallParser;
import dev.einfall.grammar.EinfallParser.*;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import dev.einfall.ir.UnaryOp;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.TerminalNode;

/// Reads the text of an `.ein` file into [Syntax]: the only class that sees ANTLR's parse tree of it.
final class SyntaxReader {
  private static final int MOST_NESTED = 250;

  private final Source source;
  private final Diagnostics diagnostics;
  private int depth;

  private SyntaxReader(Source source, Diagnostics diagnostics) {
    this.source = source;
    this.diagnostics = diagnostics;
  }

  /// @throws dev.einfall.ir.CompileException when the text does not follow the grammar
  static Syntax.File read(Source source, Diagnostics diagnostics) {
    SyntaxReader reader = new SyntaxReader(source, diagnostics);
    ProgramContext tree = reader.parser(0, source.text().length(), diagnostics).program();
    diagnostics.throwIfAny();
    Syntax.File file = reader.file(tree);
    diagnostics.throwIfAny();
    return file;
  }

  private EinfallParser parser(int start, int end, Diagnostics errors) {
    EinfallLexer lexer = new EinfallLexer(Characters.of(source, start, end));
    CommonTokenStream tokens = new CommonTokenStream(lexer);
    tokens.fill();
    Nesting.check(source, tokens.getTokens(), diagnostics);
    diagnostics.throwIfAny();
    EinfallParser parser = new EinfallParser(tokens);
    SyntaxErrors.handle(parser, source, errors);
    return parser;
  }

  private Syntax.File file(ProgramContext tree) {
    Optional<Syntax.Text> weights = Optional.empty();
    Optional<Syntax.Text> tokenizer = Optional.empty();
    List<Syntax.Import> imports = new ArrayList<>();
    List<Statement.Constant> constants = new ArrayList<>();
    List<Syntax.Function> functions = new ArrayList<>();
    List<Syntax.Format> formats = new ArrayList<>();
    List<Syntax.Combiner> combiners = new ArrayList<>();
    for (DeclarationContext declaration : tree.declaration()) {
      switch (declaration) {
        case ImportContext file -> imports.add(new Syntax.Import(file.name().stream().map(this::name).toList(), span(file)));
        case WeightsFileContext file -> weights = once(weights, text(file.STRING()), "weights");
        case TokenizerFileContext file -> tokenizer = once(tokenizer, text(file.STRING()), "tokenizer");
        case FileConstantContext constant -> constants.add(constant(constant.constant()));
        case FunctionDeclarationContext function -> functions.add(function(function.function()));
        case FormatContext format -> formats.add(format(format));
        case CombinerContext combiner -> combiners.add(combiner(combiner));
        default -> throw unknown(declaration);
      }
    }
    formats.forEach(format -> functions.addAll(format.functions()));
    return new Syntax.File(weights, tokenizer, imports, constants, functions, formats, combiners);
  }

  private Optional<Syntax.Text> once(Optional<Syntax.Text> first, Syntax.Text second, String what) {
    first.ifPresent(text -> diagnostics.report(second.span(), "a program names its " + what + " once",
        new Diagnostic.Note(text.span(), "here it has been named")));
    return first.or(() -> Optional.of(second));
  }

  private Syntax.Function function(FunctionContext function) {
    List<Syntax.Name> types =
        function.types() == null ? List.of() : function.types().name().stream().map(this::name).toList();
    List<Syntax.Parameter> parameters = function.parameter().stream().map(this::parameter).toList();
    List<Syntax.Result> results = function.results().result().stream()
        .map(result -> new Syntax.Result(Optional.ofNullable(result.name()).map(this::name), type(result.type())))
        .toList();
    return new Syntax.Function(
        name(function.name()), types, parameters, results, body(function.body()), span(function));
  }

  private Syntax.Format format(FormatContext format) {
    Syntax.Name name = name(format.name());
    List<Syntax.Function> functions = format.function().stream().map(this::function).map(function -> new Syntax.Function(
        new Syntax.Name(function.name().text() + "_" + name.text(), function.name().span()), function.types(), function.parameters(),
        function.results(), function.body(), function.span())).toList();
    return new Syntax.Format(name, functions, span(format));
  }

  private Syntax.Parameter parameter(ParameterContext parameter) {
    Syntax.Parameter.Kind kind = switch (parameter.type().getText()) {
      case "size" -> Syntax.Parameter.Kind.SIZE;
      case "function" -> Syntax.Parameter.Kind.FUNCTION;
      default -> Syntax.Parameter.Kind.TENSOR;
    };
    return new Syntax.Parameter(kind, name(parameter.name()), type(parameter.type()));
  }

  private Statement.Constant constant(ConstantContext constant) {
    return new Statement.Constant(name(constant.name()), expr(constant.expr()), span(constant));
  }

  private Syntax.Combiner combiner(CombinerContext combiner) {
    List<String> promises = combiner.promise().stream().map(ParserRuleContext::getText).toList();
    return new Syntax.Combiner(name(combiner.name()), operand(combiner.operand(0)), operand(combiner.operand(1)),
        exprs(combiner.components(0).expr()), exprs(combiner.components(1).expr()),
        promises.contains("associative"), promises.contains("commutative"), span(combiner));
  }

  private List<Syntax.Component> operand(OperandContext operand) {
    return operand.component().stream()
        .map(component -> new Syntax.Component(name(component.name(0)), name(component.name(1)))).toList();
  }

  private Syntax.Type type(TypeContext type) {
    List<Optional<Expr>> dimensions = type.dimension().stream()
        .map(dimension -> dimension instanceof OneDimensionContext one
            ? Optional.of(expr(one.expr())) : Optional.<Expr>empty())
        .toList();
    List<Syntax.Argument> arguments = type.arguments() == null ? List.of() : type.arguments().argument().stream()
        .map(argument -> new Syntax.Argument(name(argument.name()), expr(argument.expr()))).toList();
    return new Syntax.Type(name(type.name()), arguments, dimensions, span(type));
  }

  private List<Statement> body(BodyContext body) {
    return body.statement().stream().map(this::statement).toList();
  }

  private Statement statement(StatementContext statement) {
    Span span = span(statement);
    return switch (statement) {
      case WeightContext weight ->
          new Statement.Weight(name(weight.name()), type(weight.type()), text(weight.STRING()), span);
      case DefinitionContext definition -> definition(definition, span);
      case UpdateContext update -> new Statement.Update(update.state().stream().map(this::state).toList(),
          ranges(update.ranges()), Optional.ofNullable(update.expr()).map(this::expr), body(update.body()), span);
      case AssignmentContext assignment ->
          new Statement.Assignment(assignment.name().stream().map(this::name).toList(), expr(assignment.expr()), span);
      case BodyConstantContext constant -> constant(constant.constant());
      case ChoiceContext choice -> choice(choice, span);
      case StaticLoopContext loop -> new Statement.Loop(name(loop.name()), expr(loop.expr(0)), expr(loop.expr(1)),
          Optional.ofNullable(loop.STRING()).map(this::text), body(loop.body()), span);
      case MapBlockContext map ->
          new Statement.Map(name(map.name()), map.directives().directive().stream().map(this::directive).toList(), span);
      case ReturnContext end -> new Statement.Return(end.expr().stream().map(this::expr).toList(), span);
      default -> throw unknown(statement);
    };
  }

  private Statement definition(DefinitionContext definition, Span span) {
    List<Syntax.Target> targets = definition.target().stream().map(this::target).toList();
    Expr value = expr(definition.expr(0));
    List<Syntax.Step> ranges = ranges(definition.ranges());
    Optional<Expr> where = Optional.ofNullable(definition.where).map(this::expr);
    Optional<Expr> condition = Optional.ofNullable(definition.condition).map(this::expr);
    boolean changes = definition.op.getText().equals(":=");
    if (changes || targets.size() > 1) {
      condition.ifPresent(expr -> diagnostics.report(expr.span(),
          "`while` stands after one definition, as in `H[t + 1] = ... while ...`"));
    }
    if (targets.size() > 1) {
      where.ifPresent(expr -> diagnostics.report(expr.span(), "`where` stands after one definition, as in `H[t] = ... where ...`"));
    }
    if (changes && targets.size() > 1) {
      diagnostics.report(span(definition.op), "`:=` changes one tensor; several are taken apart by `=`");
    }
    return changes ? new Statement.Change(targets.getFirst(), value, ranges, where, span)
        : targets.size() > 1 ? new Statement.Destructuring(targets, value, ranges, span)
        : new Statement.Definition(targets.getFirst(), value, ranges, where, condition, span);
  }

  private List<Syntax.Step> ranges(RangesContext ranges) {
    return ranges == null ? List.of() : ranges.step().stream()
        .map(step -> new Syntax.Step(name(step.name()), expr(step.expr(0)), expr(step.expr(1)), span(step))).toList();
  }

  private Syntax.Target target(TargetContext target) {
    return new Syntax.Target(name(target.name()), subscripts(target.subscript()), span(target));
  }

  private Syntax.State state(StateContext state) {
    return switch (state) {
      case CopyStateContext copy -> new Syntax.State.Copy(name(copy.name(0)), name(copy.name(1)), span(state));
      case FilledStateContext fill ->
          new Syntax.State.Fill(name(fill.name()), type(fill.type()), expr(fill.expr()), span(state));
      default -> throw unknown(state);
    };
  }

  private Statement.Choice choice(ChoiceContext choice, Span span) {
    List<Syntax.Branch> branches = new ArrayList<>();
    for (int i = 0; i < choice.expr().size(); i++) {
      branches.add(new Syntax.Branch(expr(choice.expr(i)), body(choice.body(i))));
    }
    boolean hasElse = choice.body().size() > branches.size();
    return new Statement.Choice(branches, hasElse ? body(choice.body(branches.size())) : List.of(), span);
  }

  private Syntax.Directive directive(DirectiveContext directive) {
    Span span = span(directive);
    return switch (directive) {
      case FlattenContext flatten -> directive(Syntax.Directive.Kind.FLATTEN, flatten.ID(), List.of(), span);
      case SplitContext split ->
          directive(Syntax.Directive.Kind.SPLIT, List.of(split.ID()), split.INT(), span);
      case OrderContext order -> directive(Syntax.Directive.Kind.ORDER, order.ID(), List.of(), span);
      case ParallelContext loops -> directive(Syntax.Directive.Kind.PARALLEL, loops.ID(), List.of(), span);
      case UnrollContext loops -> directive(Syntax.Directive.Kind.UNROLL, loops.ID(), List.of(), span);
      case VectorizeContext loops -> directive(Syntax.Directive.Kind.VECTORIZE, loops.ID(), List.of(), span);
      case FuseContext fuse -> new Syntax.Directive(Syntax.Directive.Kind.FUSE, names(fuse.members), names(fuse.shared),
          numbers(fuse.INT() == null ? List.of() : List.of(fuse.INT())), span);
      case LayoutContext layout -> directive(Syntax.Directive.Kind.LAYOUT, layout.ID(), List.of(), span);
      case ScheduleContext schedule -> directive(Syntax.Directive.Kind.SCHEDULE, List.of(schedule.ID()),
          schedule.INT() == null ? List.of() : List.of(schedule.INT()), span);
      default -> throw unknown(directive);
    };
  }

  private Syntax.Directive directive(
      Syntax.Directive.Kind kind, List<TerminalNode> names, List<TerminalNode> numbers, Span span) {
    return new Syntax.Directive(kind, names(names.stream().map(TerminalNode::getSymbol).toList()), List.of(), numbers(numbers), span);
  }

  private List<Syntax.Name> names(List<Token> names) {
    return names.stream().map(name -> new Syntax.Name(name.getText(), span(name))).toList();
  }

  private List<Long> numbers(List<TerminalNode> numbers) {
    return numbers.stream().map(number -> whole(number.getText(), span(number.getSymbol()))).toList();
  }

  private List<Subscript> subscripts(List<SubscriptContext> subscripts) {
    return subscripts.stream().map(this::subscript).toList();
  }

  private Subscript subscript(SubscriptContext subscript) {
    Span span = span(subscript);
    return switch (subscript) {
      case RestContext _ -> new Subscript.Rest(span);
      case AllContext _ -> new Subscript.All(span);
      case IndexOrRangeContext index -> indexOrRange(exprs(index.expr()), span);
      default -> throw unknown(subscript);
    };
  }

  private static Subscript indexOrRange(List<Expr> exprs, Span span) {
    Expr first = exprs.getFirst();
    return switch (exprs.size()) {
      case 1 -> new Subscript.Index(first);
      case 2 -> new Subscript.Slice(first, exprs.get(1), span);
      default -> first instanceof Expr.Reference(Syntax.Name name)
          ? new Subscript.Ranged(name, exprs.get(1), exprs.get(2), span)
          : new Subscript.Placed(first, exprs.get(1), exprs.get(2), span);
    };
  }

  private List<Expr> exprs(List<ExprContext> exprs) {
    return exprs.stream().map(this::expr).toList();
  }

  private Expr expr(ExprContext expr) {
    if (depth == MOST_NESTED) {
      throw diagnosed(expr);
    }
    depth++;
    Expr result = node(expr);
    depth--;
    return result;
  }

  private RuntimeException diagnosed(ExprContext expr) {
    diagnostics.report(span(expr.getStart()), "this expression has more than " + MOST_NESTED
        + " operations in a row; name the parts in statements of their own");
    diagnostics.throwIfAny();
    return diagnostics.reject();
  }

  private Expr node(ExprContext expr) {
    Span span = span(expr);
    return switch (expr) {
      case ParenthesesContext inner -> expr(inner.expr());
      case NumberContext number -> number(number.getText(), span);
      case TruthContext truth -> new Expr.Truth(truth.getText().equals("true"), span);
      case ReductionOrAccessContext node -> reductionOrAccess(node, span);
      case CallContext call -> new Expr.Call(name(call.name()), call.expr().stream().map(this::expr).toList(),
          Optional.ofNullable(call.STRING()).map(this::text), span);
      case ListContext list -> new Expr.Sequence(subscripts(list.subscript()), span);
      case ReferenceContext reference -> new Expr.Reference(name(reference.name()));
      case PrefixContext prefix -> prefix(prefix, span);
      case InfixContext infix ->
          new Expr.Infix(Operators.infix(infix.op.getText()), expr(infix.expr(0)), expr(infix.expr(1)), span);
      default -> throw unknown(expr);
    };
  }

  private Expr reductionOrAccess(ReductionOrAccessContext node, Span span) {
    Optional<Expr> filter = Optional.ofNullable(node.filter).map(this::expr);
    List<Expr> bodies = exprs(node.expr().subList(filter.isPresent() ? 1 : 0, node.expr().size()));
    if (!bodies.isEmpty()) {
      Optional<Long> component =
          Optional.ofNullable(node.INT()).map(number -> whole(number.getText(), span(number.getSymbol())));
      return new Expr.Reduction(name(node.name()), subscripts(node.subscript()), filter, component, bodies, span);
    }
    filter.ifPresent(condition -> diagnostics.report(condition.span(),
        "a condition on indices stands in a reduction, as in `sum[k where k <= i](...)`"));
    return new Expr.Access(name(node.name()), subscripts(node.subscript()),
        Optional.ofNullable(node.outside()).map(this::outside), span);
  }

  /// A sign before a number belongs to the number.
  private Expr prefix(PrefixContext prefix, Span span) {
    if (prefix.op.getText().equals("!")) {
      return new Expr.Prefix(UnaryOp.NOT, expr(prefix.expr()), span);
    }
    return prefix.expr() instanceof NumberContext number
        ? number("-" + number.getText(), span)
        : new Expr.Prefix(UnaryOp.NEG, expr(prefix.expr()), span);
  }

  private Expr outside(OutsideContext outside) {
    Span span = span(outside);
    return switch (outside) {
      case OutsideNumberContext number -> number(number.getText(), span);
      case OutsideTruthContext truth -> new Expr.Truth(truth.getText().equals("true"), span);
      case OutsideCastContext cast ->
          new Expr.Call(name(cast.name()), List.of(expr(cast.expr())), Optional.empty(), span);
      case OutsideNameContext name -> new Expr.Reference(name(name.name()));
      case OutsideValueContext value -> expr(value.expr());
      default -> throw unknown(outside);
    };
  }

  private Expr number(String digits, Span span) {
    boolean isWhole = digits.chars().allMatch(c -> c == '-' || Character.isDigit(c));
    if (isWhole) {
      return new Expr.Whole(whole(digits, span), span);
    }
    return new Expr.Real(switch (digits) {
      case "inf" -> Double.POSITIVE_INFINITY;
      case "-inf" -> Double.NEGATIVE_INFINITY;
      case "nan", "-nan" -> Double.NaN;
      default -> Double.parseDouble(digits);
    }, span);
  }

  private long whole(String digits, Span span) {
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException _) {
      diagnostics.report(span, "this number does not fit an i64");
      return 0;
    }
  }

  private Syntax.Text text(TerminalNode string) {
    Token token = string.getSymbol();
    return new Syntax.Text(parts(token.getStartIndex() + 1, token.getStopIndex()), span(token));
  }

  /// The characters from `start` to `end`, cut at `{` and `}`.
  private List<Syntax.Part> parts(int start, int end) {
    List<Syntax.Part> parts = new ArrayList<>();
    StringBuilder characters = new StringBuilder();
    for (int i = start; i < end; i++) {
      char c = source.text().charAt(i);
      if (c == '{') {
        int close = source.text().indexOf('}', i);
        parts.add(new Syntax.Part.Characters(characters.toString()));
        parts.add(hole(i, close < 0 || close >= end ? end : close));
        characters.setLength(0);
        i = close < 0 ? end : close;
      } else {
        i += c == '\\' ? 1 : 0;
        characters.append(c == '\\' ? unescaped(source.text().charAt(i)) : c);
      }
    }
    parts.add(new Syntax.Part.Characters(characters.toString()));
    return parts;
  }

  private static char unescaped(char c) {
    return c == 'n' ? '\n' : c;
  }

  private Syntax.Part hole(int open, int close) {
    if (source.text().charAt(close) != '}') {
      throw abandoned(new Span(source, open, open + 1), "this `{` has no closing `}`; a brace itself is written `\\{`");
    }
    Diagnostics inside = new Diagnostics();
    EinfallParser parser = parser(open + 1, close, inside);
    ExprContext tree = parser.expr();
    if (parser.getCurrentToken().getType() != Token.EOF || inside.count() > 0) {
      throw abandoned(new Span(source, open, close + 1), "expected a number or a loop's name between the braces");
    }
    return new Syntax.Part.Hole(expr(tree));
  }

  private RuntimeException abandoned(Span span, String message) {
    diagnostics.report(span, message);
    diagnostics.throwIfAny();
    return diagnostics.reject();
  }

  private Syntax.Name name(NameContext name) {
    return new Syntax.Name(name.getText(), span(name));
  }

  private Span span(ParserRuleContext tree) {
    int start = tree.getStart().getStartIndex();
    return new Span(source, start, Math.max(start, tree.getStop().getStopIndex() + 1));
  }

  private Span span(Token token) {
    return new Span(source, token.getStartIndex(), token.getStopIndex() + 1);
  }

  /// The alternatives of a rule are not sealed in ANTLR's code, so the compiler cannot see that a switch has them all.
  private static RuntimeException unknown(ParserRuleContext tree) {
    return new dev.einfall.ir.InternalException("no case for " + tree.getClass().getSimpleName());
  }
}
