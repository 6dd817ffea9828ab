package dev.einfall.tests.algebra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.passes.algebra.Canonical;
import dev.einfall.passes.algebra.Polynomial;
import dev.einfall.passes.algebra.SignAnalysis;
import dev.einfall.passes.algebra.Written;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Equal functions have one canonical form, as far as the algebra knows laws; different functions never do.
class CanonicalTest {
  private static final Canonical CANONICAL = new Canonical(SignAnalysis.OF_FORMS);

  @ParameterizedTest
  @CsvSource(delimiter = '~', value = {
      "exp(x[m]) * exp(y[m])                          ~ exp(x[m] + y[m])",
      "exp(x[m] - r[]) / exp(s[] - r[])               ~ exp(x[m] - s[])",
      "(x[m] - y[m]) * (x[m] - y[m])                  ~ x[m] * x[m] - 2 * x[m] * y[m] + y[m] * y[m]",
      "x[m] / 3 + x[m] / 3 + x[m] / 3                 ~ x[m]",
      "sqrt(x[m]) * sqrt(x[m])                        ~ x[m]",
      "rsqrt(x[m]) * sqrt(x[m])                       ~ 1.0",
      "rsqrt(x[m] + y[m]) * rsqrt(y[m] + x[m])        ~ 1.0 / (x[m] + y[m])",
      "sqrt(x[m] * x[m] * 4)                          ~ 2 * sqrt(x[m] * x[m])",
      "exp(2 * log(x[m]) + y[m])                      ~ x[m] * x[m] * exp(y[m])",
      "log(exp(x[m] - r[]))                           ~ x[m] - r[]",
      "max(x[m] + t[], y[m] + t[])                    ~ max(y[m], x[m]) + t[]",
      "max(max(x[m], y[m]), z[m])                     ~ max(x[m], max(z[m], y[m]))",
      "max(2 * x[m], 2 * y[m])                        ~ 2 * max(x[m], y[m])",
      "max(x[m] * exp(t[]), y[m] * exp(t[]))          ~ exp(t[]) * max(x[m], y[m])",
      "max(x[m], -inf)                                ~ x[m]",
      "abs(x[m] - y[m])                               ~ abs(y[m] - x[m])",
      "abs(3 * x[m])                                  ~ 3 * abs(-x[m])",
      "abs(x[m] * x[m])                               ~ x[m] * x[m]",
      "where(x[m] + t[] < y[m] + t[], x[m], y[m])     ~ where(y[m] > x[m], x[m], y[m])",
      "where(exp(x[m]) / exp(t[]) < exp(y[m] - t[]), 1.0, 0.0) ~ where(x[m] < y[m], 1.0, 0.0)",
      "where(c[m], x[m] + t[], y[m] + t[])            ~ where(c[m], x[m], y[m]) + t[]",
      "where(c[m], x[m] * t[], y[m] * t[])            ~ where(c[m], x[m], y[m]) * t[]",
      "tanh((x[m] + y[m]) / 2)                        ~ tanh(0.5 * y[m] + x[m] / 2)",
      "pow(x[m], 3.0)                                 ~ x[m] * x[m] * x[m]",
      "exp(-inf) + x[m]                               ~ x[m]",
      "x[m] - inf                                     ~ -inf"})
  void equalFunctionsHaveOneForm(String left, String right) {
    List<Expr> terms = Terms.of(left, right);
    assertEquals(normal(terms.get(0)), normal(terms.get(1)));
    Expr written = Written.of(CANONICAL.of(terms.get(0)), ElementType.F32);
    assertEquals(normal(terms.get(0)), normal(written), () -> CascadePrinter.print(written));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '~', value = {
      "max(x[m] * t[], y[m] * t[])          ~ max(x[m], y[m]) * t[]",
      "sqrt(x[m] * x[m])                    ~ x[m]",
      "exp(x[m] * y[m])                     ~ exp(x[m]) * exp(y[m])",
      "x[m] / 3                             ~ x[m] * 0.33333334",
      "abs(x[m] + y[m])                     ~ abs(x[m]) + abs(y[m])",
      "log(x[m] + y[m])                     ~ log(x[m]) + log(y[m])",
      "where(x[m] * t[] < y[m] * t[], 1.0, 0.0) ~ where(x[m] < y[m], 1.0, 0.0)",
      "round(x[m] + t[])                    ~ round(x[m]) + t[]"})
  void differentFunctionsHaveDifferentForms(String left, String right) {
    List<Expr> terms = Terms.of(left, right);
    assertNotEquals(normal(terms.get(0)), normal(terms.get(1)));
  }

  private static Polynomial normal(Expr expr) {
    return CANONICAL.normal(CANONICAL.of(expr));
  }
}
