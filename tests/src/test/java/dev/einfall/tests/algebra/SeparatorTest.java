package dev.einfall.tests.algebra;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.einfall.frontend.EinReader;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Combiner;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.passes.algebra.Canonical;
import dev.einfall.passes.algebra.Laws;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.Separation;
import dev.einfall.passes.algebra.Separator;
import dev.einfall.passes.algebra.SignAnalysis;
import dev.einfall.passes.algebra.Written;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Terms over rows come apart from the numbers `r` and `s`, which earlier reductions give.
class SeparatorTest {
  private static final Canonical CANONICAL = new Canonical(SignAnalysis.OF_FORMS);
  private static final Separator SEPARATOR = new Separator(CANONICAL, Terms.DEPENDENCE, ElementType.F32);

  @ParameterizedTest
  @CsvSource(delimiter = '~', value = {
      "x[m] * y[m] / r[]                    ~ 1.0 / r[] * (x[m] * y[m])",
      "x[m] * rsqrt(r[] + 1.0) * t[]        ~ rsqrt(r[] + 1.0) * t[] * (x[m])",
      "exp(x[m] - r[]) * y[m] / s[]         ~ exp(-r[]) / s[] * (exp(x[m]) y[m])",
      "exp((x[m] - r[]) * 0.5)              ~ exp(-(r[] * 0.5)) * (exp(x[m] * 0.5) 1.0)",
      "exp(where(c[m], x[m], -inf) - r[])   ~ exp(-r[]) * (exp(where(c[m], x[m], -inf)) 1.0)",
      "where(c[m], exp(x[m] - r[]), 0.0)    ~ exp(-r[]) * (exp(where(c[m], x[m], -inf)) 1.0)",
      "exp(where(c[m], x[m] - r[], -inf))   ~ exp(-r[]) * (exp(where(c[m], x[m], -inf)) 1.0)",
      "(x[m] - r[] / 4) * (x[m] - r[] / 4)  ~ 1.0 * ((x[m] - c0) * (x[m] - c0) for c0 = r[] * 0.25)",
      "(x[m] - r[]) * (y[m] - s[])          ~ 1.0 * ((x[m] - c0) * (y[m] - c1) for c0 = r[]; c1 = s[])",
      "(x[m] / s[] - 1) * (x[m] / s[] - 1)  ~ 1.0 / (s[] * s[]) * (x[m] * x[m] - x[m] * c0 * 2.0 + c0 * c0 for c0 = s[])",
      "exp(x[m] - r[]) * (x[m] - r[])       ~ exp(-r[]) * (exp(x[m]) x[m] - c0 for c0 = r[])",
      "exp(x[m] - r[]) + y[m]               ~ exp(-r[]) * (exp(x[m]) 1.0) + 1.0 * (y[m])",
      "exp(x[m] - log(r[]))                 ~ 1.0 / r[] * (exp(x[m]) 1.0)",
      "abs(x[m] - r[])                      ~ blocked: abs(x[m] - r[]) is the absolute value of a difference of both",
      "round(x[m] / s[])                    ~ blocked: round(x[m] / s[]) is round of both",
      "max(x[m] - r[], 0.0)                 ~ blocked: max(x[m] - r[], 0.0) is the max of both",
      "1 / (1 + exp(r[] - x[m]))            ~ blocked: 1.0 / (1.0 + exp(r[] - x[m])) divides by a sum of both",
      "where(x[m] > r[], x[m], 0.0)         ~ blocked: where(r[] < x[m], x[m], 0.0) chooses by a condition on both",
      "exp(x[m] * r[])                      ~ blocked: exp(x[m] * r[]) is an exponential of a product of both",
      "sqrt(x[m] + r[])                     ~ blocked: sqrt(x[m] + r[]) is a root of a sum of both"})
  void sumsComeApart(String term, String expected) {
    assertEquals(expected.replaceAll(" +", " "), text(SEPARATOR.separate(Laws.of(Reduction.SUM), CANONICAL.of(Terms.of(term).getFirst()))));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '~', value = {
      "x[m] - r[]                           ~ -r[] + 1.0 * (x[m])",
      "x[m] * sqrt(r[]) + s[]               ~ s[] + sqrt(r[]) * (x[m])",
      "exp(x[m] - r[]) / exp(s[])           ~ exp(-r[] - s[]) * outer (x[m])",
      "exp(x[m] - r[]) * y[m]               ~ exp(-r[]) * (exp(x[m]) y[m])",
      "x[m] * r[]                           ~ blocked: r[] has a factor that may be negative",
      "x[m] * exp(r[]) + y[m]               ~ blocked: x[m] * exp(r[]) + y[m] adds values of different kinds",
      "abs(x[m] - r[])                      ~ blocked: abs(x[m] - r[]) is the absolute value of a difference of both"})
  void maximaComeApart(String term, String expected) {
    assertEquals(expected.replaceAll(" +", " "), text(SEPARATOR.separate(Laws.of(Reduction.MAX), CANONICAL.of(Terms.of(term).getFirst()))));
  }

  @Test
  void combinersShiftAndScaleWhereTheirDefinitionShowsIt() {
    assertEquals(new Laws(false, false, false, true, false), laws(
        "reduce c(a: f32, b: f32) = max(a, b) + log(1 + exp(-abs(a - b))) identity -inf associative commutative", 0));
    assertEquals(new Laws(false, true, false, true, false), laws("""
        reduce c((a1: f32, a2: f32), (b1: f32, b2: f32)) = (max(a1, b1), max(min(a1, b1), max(a2, b2)))
          identity (-inf, -inf) associative commutative""", 0, 1));
    assertEquals(new Laws(false, true, false, true, false), laws("""
        reduce c((a: f32, i: i32), (b: f32, j: i32)) = (where(b > a, b, a), where(b > a, j, i))
          identity (-inf, 0) associative""", 0));
    assertEquals(new Laws(false, true, false, false, false), laws(
        "reduce c(a: f32, b: f32) = a + b identity 0 associative commutative", 0));
  }

  private static Laws laws(String definition, Integer... changed) {
    String types = definition.contains("i: i32") ? "X[m], m" : definition.contains("a2") ? "X[m], X[m]" : "X[m]";
    String left = types.contains(",") ? "A[], B[]" : "A[]";
    Expr.Fold fold = (Expr.Fold) EinReader.read(new Source("c.ein", definition + "\ndef f(X: f32[M]) -> f32 {\n  "
        + left + " = c[m](" + types + ")\n  return A\n}\n"), Optional.empty()).cascade().einsums().getFirst().value();
    Combiner combiner = fold.combiner();
    return Laws.of(combiner, Set.of(changed));
  }

  private static String text(Separation separation) {
    return switch (separation) {
      case Separation.Parts(Polynomial shift, var parts) -> (shift.isZero() ? "" : text(shift) + " + ")
          + parts.stream().map(SeparatorTest::text).collect(Collectors.joining(" + "));
      case Separation.Ties ties -> "ties of " + text(ties.value());
      case Separation.Blocked(String reason, Polynomial blocking) -> "blocked: " + text(blocking) + " " + reason;
    };
  }

  private static String text(Separation.Part part) {
    String variables = part.variables().stream().map(variable -> variable.var().name() + " = " + text(variable.value()))
        .collect(Collectors.joining("; "));
    return text(part.factor()) + (part.outer() ? " * outer (" : " * (")
        + (part.exponent().isZero() ? "" : "exp(" + text(part.exponent()) + ") ")
        + text(part.body()) + (variables.isEmpty() ? ")" : " for " + variables + ")");
  }

  private static String text(Polynomial value) {
    return CascadePrinter.print(Written.of(value, ElementType.F32));
  }
}
