package dev.einfall.frontend;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import dev.einfall.ir.UnaryOp;
import java.util.List;
import java.util.Optional;

/// What an `.ein` file says, before any name has a meaning: the reader's own tree, which never leaves it.
final class Syntax {
  private Syntax() {}

  /// A whole file.
  record File(Optional<Text> weights, Optional<Text> tokenizer, List<Import> imports,
      List<Statement.Constant> constants, List<Function> functions, List<Format> formats, List<Combiner> combiners) {}

  /// `import std.attention`.
  record Import(List<Name> path, Span span) {
    String name() {
      return String.join(".", path.stream().map(Name::text).toList());
    }
  }

  record Name(String text, Span span) {}

  /// @param types names of element types that a call gives
  record Function(Name name, List<Name> types, List<Parameter> parameters, List<Result> results, List<Statement> body,
      Span span) {}

  /// `format q4_0 { def encode(x: f32[..., N]) -> (scale: f16[..., N / 32], ...) { ... } def decode(...) -> f32[..., N] { ... } }`. Its functions
  /// are called `encode_q4_0`, `decode_q4_0` and, if there are such, `code_q4_0` and `measure_q4_0`, and are among those of the file.
  record Format(Name name, List<Function> functions, Span span) {
    static final String ENCODE = "encode";
    static final String DECODE = "decode";
    static final String CODE = "code";
    static final String MEASURE = "measure";

    /// How one of its functions is called.
    String function(String role) {
      return role + "_" + name.text();
    }
  }

  /// `reduce plus(a: f32, b: f32) = a + b identity 0 associative commutative`.
  record Combiner(Name name, List<Component> left, List<Component> right, List<Expr> combined, List<Expr> identity,
      boolean associative, boolean commutative, Span span) {}

  /// One component of a reduction's operand: `a: f32`.
  record Component(Name name, Name type) {}

  /// A parameter; the type of a size or function is that word.
  record Parameter(Kind kind, Name name, Type type) {
    /// What a call gives: a tensor, a value that is known when the program is read, or the name of a function.
    enum Kind { TENSOR, SIZE, FUNCTION }
  }

  record Result(Optional<Name> name, Type type) {}

  /// An element type, or a format with what it takes, and a shape. An empty dimension is `...`.
  record Type(Name element, List<Argument> arguments, List<Optional<Expr>> dimensions, Span span) {}

  /// `group = 64`.
  record Argument(Name name, Expr value) {}

  /// A string with `{expression}` in places.
  record Text(List<Part> parts, Span span) {}

  sealed interface Part {
    record Characters(String text) implements Part {}

    record Hole(Expr value) implements Part {}
  }

  sealed interface Statement {
    Span span();

    /// `weight W: f32[N, K] = "key"`.
    record Weight(Name name, Type type, Text key, Span span) implements Statement {}

    /// `Y[m, n] = value for m in 0..M`, in an `update` block `Y[m] = value where condition`, and in a recurrence
    /// `Y[t + 1] = value while condition`.
    record Definition(
        Target target, Expr value, List<Step> ranges, Optional<Expr> where, Optional<Expr> condition, Span span)
        implements Statement {
      Name name() {
        return target.name();
      }

      List<Subscript> indices() {
        return target.indices();
      }
    }

    /// `A[p], B[p] = top2[m](X[p, m], -inf)`.
    record Destructuring(List<Target> targets, Expr value, List<Step> ranges, Span span) implements Statement {}

    /// `K[t, d] := value where condition`.
    record Change(Target target, Expr value, List<Step> ranges, Optional<Expr> where, Span span) implements Statement {}

    /// `update H from H0 for t in 0..T while condition { ... }`.
    record Update(List<State> states, List<Step> steps, Optional<Expr> condition, List<Statement> body, Span span)
        implements Statement {}

    /// `a, b = f(x)`.
    record Assignment(List<Name> names, Expr value, Span span) implements Statement {}

    /// `for l in 0..6 in "prefix.{l}" { ... }`.
    record Loop(Name name, Expr from, Expr to, Optional<Text> prefix, List<Statement> body, Span span)
        implements Statement {}

    /// `const EPS = 1e-5`.
    record Constant(Name name, Expr value, Span span) implements Statement {}

    /// `if c { ... } else if d { ... } else { ... }`.
    record Choice(List<Branch> branches, List<Statement> otherwise, Span span) implements Statement {}

    /// `map Y { ... }`.
    record Map(Name name, List<Directive> directives, Span span) implements Statement {}

    record Return(List<Expr> values, Span span) implements Statement {}
  }

  /// The left side of a definition: a tensor and the indices of its elements.
  record Target(Name name, List<Subscript> indices, Span span) {}

  /// What a state of an `update` block starts as.
  sealed interface State {
    Name name();

    /// `H from H0`.
    record Copy(Name name, Name base, Span span) implements State {}

    /// `H: f32[N] from 0`.
    record Fill(Name name, Type type, Expr value, Span span) implements State {}
  }

  /// `t in 0..T` after `for`.
  record Step(Name name, Expr from, Expr to, Span span) {}

  record Branch(Expr condition, List<Statement> body) {}

  /// One line of a map block: `split n 32 16`, `order n1 m n0`, `fuse A B over p by 64`.
  ///
  /// @param shared the names behind `over`
  record Directive(Kind kind, List<Name> names, List<Name> shared, List<Long> numbers, Span span) {
    enum Kind { FLATTEN, SPLIT, ORDER, PARALLEL, UNROLL, VECTORIZE, FUSE, LAYOUT, SCHEDULE }
  }

  /// What stands between brackets.
  sealed interface Subscript {
    Span span();

    /// `...`.
    record Rest(Span span) implements Subscript {}

    /// `:`.
    record All(Span span) implements Subscript {}

    /// `i in 0..N`.
    record Ranged(Name name, Expr from, Expr to, Span span) implements Subscript {}

    /// `ids[t] in 0..V`: an index, and the range in which it lies.
    record Placed(Expr value, Expr from, Expr to, Span span) implements Subscript {}

    /// `2..5`.
    record Slice(Expr from, Expr to, Span span) implements Subscript {}

    record Index(Expr value) implements Subscript {
      @Override
      public Span span() {
        return value.span();
      }
    }
  }

  sealed interface Expr {
    Span span();

    record Whole(long value, Span span) implements Expr {}

    record Real(double value, Span span) implements Expr {}

    record Truth(boolean value, Span span) implements Expr {}

    record Reference(Name name) implements Expr {
      @Override
      public Span span() {
        return name.span();
      }
    }

    record Access(Name name, List<Subscript> subscripts, Optional<Expr> outside, Span span) implements Expr {}

    /// `sum[k where k <= i](X[k])`. A reduction of tuples has several bodies, and `component` tells which result is
    /// meant: `top2[m].1(X[m], -inf)`.
    record Reduction(Name name, List<Subscript> indices, Optional<Expr> filter, Optional<Long> component,
        List<Expr> bodies, Span span) implements Expr {}

    record Call(Name name, List<Expr> arguments, Optional<Text> prefix, Span span) implements Expr {}

    record Sequence(List<Subscript> elements, Span span) implements Expr {}

    record Prefix(UnaryOp op, Expr operand, Span span) implements Expr {}

    record Infix(BinaryOp op, Expr left, Expr right, Span span) implements Expr {}
  }
}
