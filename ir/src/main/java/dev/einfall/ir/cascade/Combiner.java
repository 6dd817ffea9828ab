package dev.einfall.ir.cascade;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Span;
import java.util.List;
import java.util.stream.Stream;

/// A reduction that the program defines, over values of one or more components: two tuples become the tuple `combined`,
/// whose expressions read the operands as [Expr.Ref]; `identity` are literals.
///
/// ```
/// reduce top2((a1: f32, a2: f32), (b1: f32, b2: f32)) = (max(a1, b1), max(min(a1, b1), max(a2, b2)))
///   identity (-inf, -inf) associative commutative
/// ```
///
/// A fold starts with the identity and combines the values in row-major order from the left. `associative` and
/// `commutative` are the program's promises that combining parts, or in another order, gives as good a result.
public record Combiner(String name, List<Var> left, List<Var> right, List<Expr> combined, List<Expr> identity,
    boolean associative, boolean commutative, Span span) implements Combination {

  public Combiner {
    left = List.copyOf(left);
    right = List.copyOf(right);
    combined = List.copyOf(combined);
    identity = List.copyOf(identity);
    List<ElementType> types = left.stream().map(Var::type).toList();
    boolean fits = !types.isEmpty() && types.equals(right.stream().map(Var::type).toList())
        && types.equals(combined.stream().map(Expr::type).toList()) && types.equals(identity.stream().map(Expr::type).toList());
    if (!fits) {
      throw new IllegalArgumentException("the operands, the result and the identity of " + name + " differ in type");
    }
  }

  /// The element types of the components.
  public List<ElementType> types() {
    return left.stream().map(Var::type).toList();
  }

  /// The operands, first those on the left.
  public List<Var> operands() {
    return Stream.concat(left.stream(), right.stream()).toList();
  }
}
