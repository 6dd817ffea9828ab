package dev.einfall.ir.cascade;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.ExprText;
import dev.einfall.ir.Lines;
import dev.einfall.ir.Names;
import dev.einfall.ir.Size;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Prints the cascade level as a program of the language that reads back as the same cascade.
///
/// ```
/// def linear(X: f32[M, K]) -> f32[M, 10] {
///   weight W: f32[10, K] = "linear.weight"
///   Y[m, n] = sum[k](X[m, k] * W[n, k])
///   return Y
/// }
/// ```
///
/// A recurrence prints as an `update` block. The range of a rank is printed where no index says it: after the rank where it
/// stands alone on the left or in the brackets of a reduction, and else behind the statement:
///
/// ```
/// update H from H_1 for t in 0..T while any[d](H[t, d] > 0.0) {
///   H[t + 1, d] = H[t, d] * X[t, d]
/// }
/// update Y from Y_1 {
///   Y[2 * i] = 1.0 for i in 0..N
/// }
/// ```
///
/// A part of a cascade prints too, with its free ranks and tensors under their own names.
public final class CascadePrinter {

  /// Words with a meaning of their own, which name no tensor or rank.
  private static final List<String> RESERVED = List.of(
      "def", "for", "in", "or", "return", "true", "false", "inf", "nan", "weights", "tokenizer", "weight", "map",
      "flatten", "split", "order", "parallel", "unroll", "vectorize", "fuse", "over", "schedule", "import", "const", "if", "else", "reduce", "update",
      "from", "while", "where", "identity", "associative", "commutative");

  private static final int LINE_LENGTH = 110;

  private final Names tensors;
  private final Names ranks;
  private final Names combiners = new Names(RESERVED);
  private final Shorthand shorthand;

  private CascadePrinter(Collection<String> sizes) {
    this(sizes, Shorthand.none());
  }

  private CascadePrinter(Collection<String> sizes, Shorthand shorthand) {
    this.shorthand = shorthand;
    tensors = new Names(RESERVED);
    List<String> taken = new ArrayList<>(RESERVED);
    taken.addAll(sizes);
    ranks = new Names(taken);
  }

  public static String print(Cascade cascade) {
    return print(cascade, Shorthand.none());
  }

  /// A program that reads back as another cascade: that which `shorthand` stands for.
  public static String print(Cascade cascade, Shorthand shorthand) {
    CascadePrinter printer = new CascadePrinter(sizes(cascade), shorthand);
    Lines lines = new Lines();
    printer.cascade(cascade, lines);
    return lines.toString();
  }

  /// A printer of parts of `cascade`, under the names that they have in the whole.
  public static CascadePrinter of(Cascade cascade) {
    CascadePrinter printer = new CascadePrinter(sizes(cascade));
    printer.cascade(cascade, new Lines());
    return printer;
  }

  /// The text of `definition`, without an end of line.
  public String text(Definition definition) {
    Lines lines = new Lines();
    definition(definition, lines);
    return lines.toString().stripTrailing();
  }

  public static String print(Definition definition) {
    Lines lines = new Lines();
    new CascadePrinter(List.of()).definition(definition, lines);
    return lines.toString();
  }

  public static String print(Expr expr) {
    CascadePrinter printer = new CascadePrinter(List.of());
    return printer.text(expr, printer.ranks);
  }

  private static Collection<String> sizes(Cascade cascade) {
    Stream<Tensor> declared = Stream.concat(
        cascade.inputs().stream(), cascade.weights().stream().map(Cascade.Weight::tensor));
    Stream<Tensor> all = Stream.concat(declared, cascade.definitions().stream().flatMap(definition -> definition.tensors().stream()));
    return all.flatMap(tensor -> tensor.shape().stream())
        .flatMap(size -> size.names().stream())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private void cascade(Cascade cascade, Lines lines) {
    cascade.combiners().forEach(combiner -> combiner(combiner, lines));
    List<String> parameters = cascade.inputs().stream().map(this::declaration).toList();
    cascade.weights().forEach(weight -> name(weight.tensor()));
    cascade.definitions().forEach(definition -> definition.tensors().forEach(this::name));
    String name = combiners.of(cascade, cascade.name());
    head("def " + name + "(", parameters, ") -> " + results(cascade.outputs()), lines);
    lines.inside(() -> body(cascade, lines));
    lines.add("}");
  }

  private static void head(String start, List<String> parameters, String end, Lines lines) {
    String line = start + String.join(", ", parameters) + end + " {";
    if (line.length() <= LINE_LENGTH) {
      lines.add(line);
    } else {
      lines.add(start);
      lines.inside(() -> lines.inside(() -> lines.add(String.join(",\n    ", parameters))));
      lines.add(end + " {");
    }
  }

  /// One result of the tensor's own name stays unnamed.
  private String results(List<Cascade.Output> outputs) {
    if (outputs.size() == 1 && outputs.getFirst().name().equals(name(outputs.getFirst().tensor()))) {
      return type(outputs.getFirst().tensor());
    }
    return "(" + outputs.stream()
        .map(output -> output.name() + ": " + type(output.tensor()))
        .collect(Collectors.joining(", ")) + ")";
  }

  private void body(Cascade cascade, Lines lines) {
    cascade.weights().forEach(weight ->
        lines.add("weight " + weight(weight.tensor()) + " = " + key(weight.key())));
    cascade.definitions().forEach(definition -> definition(definition, lines));
    // Before the nests: in a group that goes in tiles, `parallel p` of a nest is the loop over these.
    cascade.mapping().groups().forEach(group ->
        lines.add("map " + name(group.members().getLast()) + " { fuse " + names(group.members()) + shared(group) + " }"));
    cascade.mapping().nests().forEach(nest ->
        lines.block("map " + name(nest.tensor()), () -> nest(nest, lines)));
    cascade.mapping().layouts().forEach(layout ->
        lines.add("map " + name(layout.tensor()) + " { layout " + String.join(" ", layout.ranks()) + " }"));
    cascade.mapping().schedules().forEach(schedule -> lines.add("map " + name(schedule.tensor()) + " { schedule "
        + schedule.way().text() + (schedule.way().takesNumber() ? " " + schedule.number() : "") + " }"));
    lines.add("return " + cascade.outputs().stream()
        .map(output -> name(output.tensor()))
        .collect(Collectors.joining(", ")));
  }

  private static String shared(Mapping.Group group) {
    String ranks = group.shared().isEmpty() ? "" : " over " + String.join(" ", group.shared());
    return ranks + (group.tile() == 1 ? "" : " by " + group.tile());
  }

  /// A string without placeholders: braces are escaped.
  private static String key(String key) {
    return Lines.quoted(key).replace("{", "\\{").replace("}", "\\}");
  }

  private static void nest(Mapping.Nest nest, Lines lines) {
    nest.flattened().forEach(flatten -> lines.add("flatten " + String.join(" ", flatten.ranks())));
    nest.splits().forEach(split -> lines.add("split " + split.rank() + " "
        + split.factors().stream().map(Object::toString).collect(Collectors.joining(" "))));
    if (!nest.order().isEmpty()) {
      lines.add("order " + String.join(" ", nest.order()));
    }
    for (Mapping.Binding binding : Mapping.Binding.values()) {
      List<String> loops = nest.bindings().stream()
          .filter(bound -> bound.binding() == binding)
          .map(Mapping.Bound::loop)
          .toList();
      if (!loops.isEmpty()) {
        lines.add(binding.name().toLowerCase(java.util.Locale.ROOT) + " " + String.join(" ", loops));
      }
    }
  }

  private void combiner(Combiner combiner, Lines lines) {
    Names scope = ranks.inner();
    String head = "reduce " + combiners.of(combiner, combiner.name()) + "("
        + operands(combiner.left(), scope) + ", " + operands(combiner.right(), scope) + ")";
    String promises = (combiner.associative() ? " associative" : "") + (combiner.commutative() ? " commutative" : "");
    lines.add(head + " = " + tuple(combiner.combined(), scope) + " identity " + tuple(combiner.identity(), scope) + promises);
  }

  private static String operands(List<Var> operands, Names scope) {
    String list = operands.stream().map(operand -> scope.of(operand, operand.name()) + ": " + operand.type())
        .collect(Collectors.joining(", "));
    return operands.size() == 1 ? list : "(" + list + ")";
  }

  private String tuple(List<Expr> components, Names scope) {
    String list = components.stream().map(component -> text(component, scope)).collect(Collectors.joining(", "));
    return components.size() == 1 ? list : "(" + list + ")";
  }

  private void definition(Definition definition, Lines lines) {
    switch (definition) {
      case Einsum einsum when shorthand.calls().containsKey(einsum.tensor()) -> lines.add(call(shorthand.calls().get(einsum.tensor())));
      case Einsum einsum -> lines.add(einsum(einsum));
      case Recurrence recurrence -> recurrence(recurrence, lines);
    }
  }

  private String call(Shorthand.Call call) {
    Stream<String> arguments = Stream.concat(call.arguments().stream().map(this::name), call.sizes().stream().map(Size::toString));
    return call.results().stream().map(this::name).collect(Collectors.joining(", ")) + " = " + call.function() + "("
        + arguments.collect(Collectors.joining(", ")) + ")";
  }

  private void recurrence(Recurrence recurrence, Lines lines) {
    Names scope = ranks.inner();
    String states = recurrence.states().stream().map(state -> switch (state.start()) {
      case Recurrence.Start.Copy(Tensor base) -> name(state.tensor()) + " from " + name(base);
      case Recurrence.Start.Fill(Expr value) -> declaration(state.tensor()) + " from " + text(value, scope);
    }).collect(Collectors.joining(", "));
    String steps = recurrence.steps().isEmpty() ? "" : " for " + ranges(recurrence.steps(), scope);
    String condition = recurrence.condition().map(expr -> " while " + text(expr, scope)).orElse("");
    lines.block("update " + states + steps + condition,
        () -> recurrence.updates().forEach(update -> lines.add(update(update, scope.inner()))));
  }

  private static String ranges(List<Rank> ranks, Names scope) {
    return ranks.stream().map(rank -> scope.of(rank, rank.name()) + " in 0.." + rank.size()).collect(Collectors.joining(", "));
  }

  private String update(Recurrence.Update update, Names scope) {
    List<Rank> inner = update.inner();
    boolean combines = update.combination().isPresent();
    List<String> indices = new ArrayList<>();
    for (int i = 0; i < update.indices().size(); i++) {
      boolean isFirst = update.indices().indexOf(update.indices().get(i)) == i;
      indices.add(update.indices().get(i) instanceof Expr.Coordinate(Rank rank) && update.ranks().contains(rank) && isFirst
          ? left(rank, update, scope) : text(update.indices().get(i), scope));
    }
    List<Rank> behind = combines ? List.of() : inner.stream().filter(rank -> !isEvident(rank, List.of(update.value()))).toList();
    String suffix = behind.isEmpty() ? "" : " for " + ranges(behind, scope);
    String place = name(update.tensor()) + "[" + String.join(", ", indices) + "] = ";
    String value = update.combination()
        .map(with -> combination(with) + "[" + binders(inner, update.value(), scope) + "](" + text(update.value(), scope) + ")")
        .orElseGet(() -> text(update.value(), scope));
    return place + value + suffix + update.where().map(where -> " where " + text(where, scope)).orElse("");
  }

  /// A rank that stands alone on the left takes the size of the dimensions there, unless it is written where it stands first.
  private static String left(Rank rank, Recurrence.Update update, Names scope) {
    Stream.Builder<Size> sizes = Stream.builder();
    for (int i = 0; i < update.indices().size(); i++) {
      if (update.indices().get(i).equals(new Expr.Coordinate(rank))) {
        sizes.add(update.tensor().shape().get(i));
      }
    }
    boolean evident = Stream.concat(sizes.build(), sizes(rank, List.of(update.value()), false).stream())
        .allMatch(rank.size()::equals);
    return scope.of(rank, rank.name()) + (evident ? "" : " in 0.." + rank.size());
  }

  private String combination(Combination combination) {
    return switch (combination) {
      case Reduction reduction -> reduction.text();
      case Combiner combiner -> combiners.of(combiner, combiner.name());
    };
  }

  private String einsum(Einsum einsum) {
    Names scope = ranks.inner();
    String indices = binders(einsum.ranks(), einsum.value(), scope);
    repeatedRanks(einsum.value()).forEach(rank -> scope.of(rank, rank.name()));
    return name(einsum.tensor()) + "[" + indices + "] = " + text(einsum.value(), scope);
  }

  /// The ranks of reductions that stand in several places: they have one name in all.
  private static List<Rank> repeatedRanks(Expr value) {
    Map<Expr, Integer> counts = new LinkedHashMap<>();
    value.nodes().filter(node -> !node.bound().isEmpty()).forEach(node -> counts.merge(node.computation(), 1, Integer::sum));
    return counts.keySet().stream().filter(node -> counts.get(node) > 1).flatMap(node -> node.bound().stream()).toList();
  }

  /// The ranks that `value` binds, with a range where no index of `value` gives it.
  private static String binders(List<Rank> ranks, Expr value, Names scope) {
    return binders(ranks, List.of(value), scope);
  }

  private static String binders(List<Rank> ranks, List<Expr> values, Names scope) {
    return ranks.stream()
        .map(rank -> scope.of(rank, rank.name()) + (isEvident(rank, values) ? "" : " in 0.." + rank.size()))
        .collect(Collectors.joining(", "));
  }

  /// Whether the reader finds the range of `rank`: all positions at which it stands alone have its size. Accesses with
  /// `or` count where there is no other.
  private static boolean isEvident(Rank rank, List<Expr> values) {
    List<Size> certain = sizes(rank, values, false);
    List<Size> sizes = certain.isEmpty() ? sizes(rank, values, true) : certain;
    return !sizes.isEmpty() && sizes.stream().allMatch(rank.size()::equals);
  }

  private static List<Size> sizes(Rank rank, List<Expr> values, boolean withOutside) {
    return values.stream().flatMap(Expr::nodes)
        .flatMap(node -> node instanceof Expr.Access access && access.outside().isPresent() == withOutside
            ? positions(rank, access) : Stream.empty())
        .toList();
  }

  private static Stream<Size> positions(Rank rank, Expr.Access access) {
    Stream.Builder<Size> sizes = Stream.builder();
    for (int i = 0; i < access.indices().size(); i++) {
      if (access.indices().get(i) instanceof Expr.Coordinate(Rank index) && index == rank) {
        sizes.add(access.tensor().shape().get(i));
      }
    }
    return sizes.build();
  }

  private String text(Expr expr, Names scope) {
    return expr(expr, scope).text();
  }

  private ExprText expr(Expr expr, Names scope) {
    return switch (expr) {
      case Expr.FloatLiteral literal -> ExprText.literal(literal.type(), literal.value(), false);
      case Expr.IntLiteral literal -> ExprText.literal(literal.type(), literal.value(), false);
      case Expr.Coordinate(Rank rank) -> ExprText.atom(scope.of(rank, rank.name()));
      case Expr.Extent(Size size) -> ExprText.size(size);
      case Expr.Access access -> access(access, scope);
      case Expr.Unary unary -> ExprText.unary(unary.op(), prefixed(unary.operand(), scope));
      case Expr.Binary binary ->
          ExprText.binary(binary.op(), expr(binary.left(), scope), expr(binary.right(), scope));
      case Expr.Select(Expr condition, Expr whenTrue, Expr whenFalse) ->
          ExprText.call("where", expr(condition, scope), expr(whenTrue, scope), expr(whenFalse, scope));
      case Expr.Cast(ElementType type, Expr operand) -> ExprText.call(type.text(), typed(operand, scope));
      case Expr.Bitcast(ElementType type, Expr operand) -> ExprText.call("bitcast_" + type.text(), typed(operand, scope));
      case Expr.Reduce reduce -> {
        Names inner = scope.inner();
        String indices = binders(reduce.ranks(), reduce.body(), inner);
        yield ExprText.call(reduce.reduction().text() + "[" + indices + "]", expr(reduce.body(), inner));
      }
      case Expr.Fold fold -> fold(fold, scope);
      case Expr.Ref(Var var) -> ExprText.atom(scope.of(var, var.name()));
    };
  }

  /// The components of a tuple are told apart by a position behind the brackets, counted from 0.
  private ExprText fold(Expr.Fold fold, Names scope) {
    Names inner = scope.inner();
    String indices = binders(fold.ranks(), fold.bodies(), inner);
    String component = fold.bodies().size() == 1 ? "" : "." + fold.component();
    return ExprText.call(combination(fold.combiner()) + "[" + indices + "]" + component,
        fold.bodies().stream().map(body -> expr(body, inner)).toList());
  }

  private ExprText access(Expr.Access access, Names scope) {
    String element = name(access.tensor()) + "["
        + access.indices().stream().map(index -> text(index, scope)).collect(Collectors.joining(", ")) + "]";
    return access.outside()
        .map(value -> new ExprText(element + " or " + outside(value, scope), 0))
        .orElseGet(() -> ExprText.atom(element));
  }

  /// After `or` stands a number or something in parentheses.
  private String outside(Expr value, Names scope) {
    ExprText text = expr(value, scope);
    boolean isBare = value instanceof Expr.FloatLiteral || value instanceof Expr.IntLiteral;
    return isBare ? text.text() : "(" + text.text() + ")";
  }

  /// The operand of a prefix sign: `-(2)`, since `-2` is a literal.
  private ExprText prefixed(Expr operand, Names scope) {
    ExprText text = expr(operand, scope);
    boolean isNumber = operand instanceof Expr.FloatLiteral
        || operand instanceof Expr.IntLiteral(ElementType type, long _) && !type.isBool();
    return isNumber ? new ExprText(text.text(), 0) : text;
  }

  /// The operand of a cast: `f32(i32(3))`, since `f32(3)` is a literal.
  private ExprText typed(Expr operand, Names scope) {
    return switch (operand) {
      case Expr.Extent(Size size) when size.constant().isPresent() -> ExprText.literal(ElementType.I32, size.value(), true);
      case Expr.FloatLiteral literal -> ExprText.literal(literal.type(), literal.value(), true);
      case Expr.IntLiteral literal -> ExprText.literal(literal.type(), literal.value(), true);
      case Expr other -> expr(other, scope);
    };
  }

  private String declaration(Tensor tensor) {
    return name(tensor) + ": " + type(tensor);
  }

  private String weight(Tensor tensor) {
    return name(tensor) + ": " + type(tensor, shorthand.types().getOrDefault(tensor, tensor.type().text()));
  }

  private static String type(Tensor tensor) {
    return type(tensor, tensor.type().text());
  }

  private static String type(Tensor tensor, String element) {
    return element + "[" + tensor.shape().stream().map(Size::toString).collect(Collectors.joining(", ")) + "]";
  }

  /// The name of `tensor`.
  public String name(Tensor tensor) {
    return tensors.of(tensor, tensor.name());
  }

  private String names(List<Tensor> members) {
    return members.stream().map(this::name).collect(Collectors.joining(" "));
  }
}
