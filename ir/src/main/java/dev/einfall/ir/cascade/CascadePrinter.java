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
/// A part of a cascade prints too, with its free ranks and tensors under their own names.
public final class CascadePrinter {

  /// Words with a meaning of their own, which name no tensor or rank.
  private static final List<String> RESERVED = List.of(
      "def", "for", "in", "or", "return", "true", "false", "inf", "nan", "weights", "tokenizer", "weight", "map",
      "split", "order", "parallel", "unroll", "vectorize", "fuse", "over");

  private static final int LINE_LENGTH = 110;

  private final Names tensors;
  private final Names ranks;

  private CascadePrinter(Collection<String> sizes) {
    tensors = new Names(RESERVED);
    List<String> taken = new ArrayList<>(RESERVED);
    taken.addAll(sizes);
    ranks = new Names(taken);
  }

  public static String print(Cascade cascade) {
    CascadePrinter printer = new CascadePrinter(sizes(cascade));
    Lines lines = new Lines();
    printer.cascade(cascade, lines);
    return lines.toString();
  }

  public static String print(Einsum einsum) {
    return new CascadePrinter(List.of()).einsum(einsum);
  }

  public static String print(Expr expr) {
    CascadePrinter printer = new CascadePrinter(List.of());
    return printer.text(expr, printer.ranks);
  }

  private static Collection<String> sizes(Cascade cascade) {
    Stream<Tensor> declared = Stream.concat(
        cascade.inputs().stream(), cascade.weights().stream().map(Cascade.Weight::tensor));
    Stream<Tensor> all = Stream.concat(declared, cascade.einsums().stream().map(Einsum::tensor));
    return all.flatMap(tensor -> tensor.shape().stream())
        .flatMap(size -> size.names().stream())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private void cascade(Cascade cascade, Lines lines) {
    List<String> parameters = cascade.inputs().stream().map(this::declaration).toList();
    cascade.weights().forEach(weight -> name(weight.tensor()));
    cascade.einsums().forEach(einsum -> name(einsum.tensor()));
    String name = new Names(RESERVED).of(cascade, cascade.name());
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
        lines.add("weight " + declaration(weight.tensor()) + " = " + key(weight.key())));
    cascade.einsums().forEach(einsum -> lines.add(einsum(einsum)));
    cascade.mapping().nests().forEach(nest ->
        lines.block("map " + name(nest.tensor()), () -> nest(nest, lines)));
    cascade.mapping().groups().forEach(group ->
        lines.add("map " + name(group.members().getLast()) + " { fuse " + names(group.members())
            + " over " + group.shared() + " }"));
    lines.add("return " + cascade.outputs().stream()
        .map(output -> name(output.tensor()))
        .collect(Collectors.joining(", ")));
  }

  /// A string without placeholders: braces are escaped.
  private static String key(String key) {
    return Lines.quoted(key).replace("{", "\\{").replace("}", "\\}");
  }

  private static void nest(Mapping.Nest nest, Lines lines) {
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

  private String einsum(Einsum einsum) {
    Names scope = ranks.inner();
    String indices = binders(einsum.ranks(), einsum.value(), scope);
    repeatedRanks(einsum.value()).forEach(rank -> scope.of(rank, rank.name()));
    return name(einsum.tensor()) + "[" + indices + "] = " + text(einsum.value(), scope);
  }

  /// The ranks that `value` binds, with a range where no index of `value` gives it.
  /// The ranks of reductions that stand in several places: they have one name in all.
  private static List<Rank> repeatedRanks(Expr value) {
    Map<Expr.Reduce, Integer> counts = new LinkedHashMap<>();
    value.nodes().forEach(node -> {
      if (node instanceof Expr.Reduce reduce) {
        counts.merge(reduce, 1, Integer::sum);
      }
    });
    return counts.keySet().stream().filter(reduce -> counts.get(reduce) > 1)
        .flatMap(reduce -> reduce.ranks().stream()).toList();
  }

  private static String binders(List<Rank> ranks, Expr value, Names scope) {
    return ranks.stream()
        .map(rank -> scope.of(rank, rank.name()) + (isEvident(rank, value) ? "" : " in 0.." + rank.size()))
        .collect(Collectors.joining(", "));
  }

  /// Whether the reader finds the range of `rank`: all positions at which it stands alone have its size. Accesses with
  /// `or` count where there is no other.
  private static boolean isEvident(Rank rank, Expr value) {
    List<Size> certain = sizes(rank, value, false);
    List<Size> sizes = certain.isEmpty() ? sizes(rank, value, true) : certain;
    return !sizes.isEmpty() && sizes.stream().allMatch(rank.size()::equals);
  }

  private static List<Size> sizes(Rank rank, Expr value, boolean withOutside) {
    return value.nodes()
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
      case Expr.Reduce reduce -> {
        Names inner = scope.inner();
        String indices = binders(reduce.ranks(), reduce.body(), inner);
        yield ExprText.call(reduce.reduction().text() + "[" + indices + "]", expr(reduce.body(), inner));
      }
    };
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

  private static String type(Tensor tensor) {
    return tensor.type() + "[" + tensor.shape().stream().map(Size::toString).collect(Collectors.joining(", ")) + "]";
  }

  private String name(Tensor tensor) {
    return tensors.of(tensor, tensor.name());
  }

  private String names(List<Tensor> members) {
    return members.stream().map(this::name).collect(Collectors.joining(" "));
  }
}
