package dev.einfall.backends.reference;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Tries what the reductions of a program promise, on random values above zero: that the identity changes nothing, and,
/// where it is declared, that the operands may be exchanged and that parts may be combined on their own. A promise that
/// fails is refuted; one that holds here is not proved.
public final class Promises {
  private static final int TRIALS = 200;
  private static final double TOLERANCE = 1e-9;

  private final Combiner combiner;
  private final ExprCompiler compiler;
  private final List<Value> combined;
  private final int[] slots;
  private final SplittableRandom random = new SplittableRandom(1);

  private Promises(Combiner combiner) {
    this.combiner = combiner;
    this.compiler = new ExprCompiler(Map.of(), new CascadeInterpreter.Sizes(Map.of()), List.of());
    this.slots = compiler.operands(combiner.operands());
    this.combined = combiner.combined().stream().map(compiler::compile).toList();
  }

  /// An error for every reduction of `cascade` that breaks a promise, with values that show it.
  public static List<Diagnostic> check(Cascade cascade) {
    return cascade.combiners().stream().flatMap(combiner -> new Promises(combiner).broken().stream()).toList();
  }

  private Optional<Diagnostic> broken() {
    List<Supplier<Optional<String>>> laws = new ArrayList<>();
    laws.add(this::identity);
    if (combiner.commutative()) {
      laws.add(this::commutative);
    }
    if (combiner.associative()) {
      laws.add(this::associative);
    }
    return laws.stream().flatMap(law -> IntStream.range(0, TRIALS).mapToObj(_ -> law.get()).flatMap(Optional::stream).limit(1))
        .findFirst().map(problem -> Diagnostic.error(combiner.span(), problem));
  }

  private Optional<String> identity() {
    double[] x = any();
    double[] identity = combiner.identity().stream().mapToDouble(Promises::number).toArray();
    return differs(x, combine(identity, x), "its identity changes a value: ", call(text(identity), text(x)) + " is ", "");
  }

  private Optional<String> commutative() {
    double[] x = any();
    double[] y = any();
    return differs(combine(x, y), combine(y, x), "it is declared commutative, but ",
        call(text(y), text(x)) + " is ", " and " + call(text(x), text(y)) + " is ");
  }

  private Optional<String> associative() {
    double[] x = any();
    double[] y = any();
    double[] z = any();
    return differs(combine(combine(x, y), z), combine(x, combine(y, z)), "it is declared associative, but ",
        call(text(x), call(text(y), text(z))) + " is ", " and " + call(call(text(x), text(y)), text(z)) + " is ");
  }

  private Optional<String> differs(double[] expected, double[] actual, String law, String left, String right) {
    boolean same = IntStream.range(0, expected.length).allMatch(i -> isClose(expected[i], actual[i]));
    String other = right.isEmpty() ? ", not " + text(expected) : right + text(expected);
    return same ? Optional.empty() : Optional.of("`" + combiner.name() + "`: " + law + left + text(actual) + other);
  }

  private static boolean isClose(double expected, double actual) {
    return Double.compare(expected, actual) == 0
        || Math.abs(expected - actual) <= TOLERANCE * Math.max(1, Math.abs(expected));
  }

  private String call(String left, String right) {
    return combiner.name() + "(" + left + ", " + right + ")";
  }

  private String text(double[] values) {
    List<ElementType> types = combiner.types();
    String list = IntStream.range(0, values.length)
        .mapToObj(i -> types.get(i).isFloat() ? Double.toString(values[i]) : Long.toString((long) values[i]))
        .collect(Collectors.joining(", "));
    return values.length == 1 ? list : "(" + list + ")";
  }

  private double[] any() {
    return combiner.types().stream().mapToDouble(this::any).toArray();
  }

  private double any(ElementType type) {
    return type.isBool() ? random.nextInt(2) : type.isFloat() ? random.nextInt(1, 64) / 16.0 : random.nextInt(1, 8);
  }

  private static double number(Expr literal) {
    return literal instanceof Expr.FloatLiteral number ? number.value() : ((Expr.IntLiteral) literal).value();
  }

  private double[] combine(double[] left, double[] right) {
    Frame frame = compiler.frame();
    double[] operands = Stream.of(left, right).flatMapToDouble(Arrays::stream).toArray();
    List<ElementType> types = combiner.types();
    for (int i = 0; i < operands.length; i++) {
      frame.numbers()[slots[i]] = operands[i];
      frame.integers()[slots[i]] = (long) operands[i];
    }
    return IntStream.range(0, combined.size()).mapToDouble(i -> types.get(i).isFloat()
        ? combined.get(i).number(frame, 0) : combined.get(i).integer(frame, 0)).toArray();
  }
}
