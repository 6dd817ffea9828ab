package dev.einfall.tests.random;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Makes a sample that fails smaller while it still fails: fewer outputs, Einsums turned into inputs, expressions
/// replaced by their parts or by literals, smaller sizes.
public final class Shrinking {
  private static final int MOST_TRIES = 400;

  private final Predicate<Sample> fails;
  private int tries;

  private Shrinking(Predicate<Sample> fails) {
    this.fails = fails;
  }

  /// The smallest sample found for which `fails` holds, as it does for `sample`.
  public static Sample shrink(Sample sample, Predicate<Sample> fails) {
    return new Shrinking(fails).run(sample);
  }

  private Sample run(Sample sample) {
    Sample smallest = sample;
    for (Optional<Sample> next = Optional.of(sample); next.isPresent(); next = smaller(smallest)) {
      smallest = next.get();
    }
    return smallest;
  }

  private Optional<Sample> smaller(Sample sample) {
    return Stream.of(fewerOutputs(sample), earlierInputs(sample), simplerValues(sample), smallerSizes(sample))
        .flatMap(candidates -> candidates)
        .filter(candidate -> tries++ < MOST_TRIES && fails.test(candidate)).findFirst();
  }

  private static Stream<Sample> fewerOutputs(Sample sample) {
    List<Cascade.Output> outputs = sample.cascade().outputs();
    return outputs.size() == 1 ? Stream.empty() : outputs.stream().map(output -> {
      Cascade old = sample.cascade();
      return sample.with(Pruning.prune(new Cascade(
          old.name(), old.inputs(), old.weights(), old.definitions(), List.of(output), old.mapping()), false));
    });
  }

  /// Each Einsum that is not an output, given as an input instead.
  private static Stream<Sample> earlierInputs(Sample sample) {
    Cascade old = sample.cascade();
    return old.einsums().stream()
        .filter(einsum -> old.outputs().stream().noneMatch(output -> output.tensor() == einsum.tensor()))
        .map(einsum -> {
          List<Tensor> inputs = new ArrayList<>(old.inputs());
          inputs.add(einsum.tensor());
          List<Definition> rest = old.definitions().stream().filter(other -> other != einsum).toList();
          return sample.with(Pruning.prune(
              new Cascade(old.name(), inputs, old.weights(), rest, old.outputs(), old.mapping()), false));
        });
  }

  private static Stream<Sample> simplerValues(Sample sample) {
    List<Definition> definitions = sample.cascade().definitions();
    return sample.cascade().einsums().stream().flatMap(einsum ->
        simpler(einsum.value(), new LinkedHashSet<>(einsum.ranks())).map(value -> {
          List<Definition> changed = new ArrayList<>(definitions);
          changed.set(definitions.indexOf(einsum), einsum.withValue(value));
          return sample.with(Pruning.prune(sample.cascade().withDefinitions(changed), false));
        })).filter(Shrinking::isValid);
  }

  private static boolean isValid(Sample sample) {
    try {
      CascadeVerifier.verify(sample.cascade());
      return true;
    } catch (dev.einfall.ir.InternalException _) {
      return false;
    }
  }

  /// `expr` with one node replaced by a literal or by an operand of the same type, outermost first.
  private static Stream<Expr> simpler(Expr expr, Set<Rank> scope) {
    boolean isLiteral = expr instanceof Expr.FloatLiteral || expr instanceof Expr.IntLiteral;
    Stream<Expr> literal = isLiteral ? Stream.empty() : Stream.of(Expr.literal(expr.type(), 1));
    Stream<Expr> operands = expr.children().filter(child -> child.type() == expr.type() && uses(child, scope));
    List<Expr> children = expr.children().toList();
    Set<Rank> inner = new LinkedHashSet<>(scope);
    inner.addAll(expr.bound());
    Stream<Expr> inside = children.stream().flatMap(child -> simpler(child, inner)
        .map(changed -> expr.mapChildren(old -> old == child ? changed : old)));
    return Stream.of(literal, operands, inside).flatMap(parts -> parts);
  }

  /// Whether the ranks that `expr` depends on are all in `scope`.
  private static boolean uses(Expr expr, Set<Rank> scope) {
    Set<Rank> known = new LinkedHashSet<>(scope);
    expr.nodes().forEach(node -> known.addAll(node.bound()));
    return expr.nodes().allMatch(node -> !(node instanceof Expr.Coordinate(Rank rank)) || known.contains(rank));
  }

  private static Stream<Sample> smallerSizes(Sample sample) {
    return sample.sizes().entrySet().stream().filter(entry -> entry.getValue() > 1).flatMap(entry ->
        Stream.of(1L, entry.getValue() / 2, entry.getValue() - 1).distinct().filter(value -> value < entry.getValue())
            .map(value -> {
              SortedMap<String, Long> sizes = new TreeMap<>(sample.sizes());
              sizes.put(entry.getKey(), value);
              return sample.with(sizes);
            }));
  }
}
