package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Gives arithmetic that depends on few of an Einsum's ranks an Einsum of its own, so that it is done once for all
/// coordinates of the others.
///
/// ```
///                                                       Y_part[m] = (1.0 - M[m]) * -1000.0
/// Y[h, p, m] = X[h, p, m] + (1.0 - M[m]) * -1000.0  =>  Y[h, p, m] = X[h, p, m] + Y_part[m]
/// ```
///
/// The part must be needed unconditionally, and have at most one eighth of the points of the iteration space.
///
/// Where the contract allows it, a divisor of so few points becomes a factor: a division takes as long as ten multiplications.
///
/// ```
///                                                       Y_part[m] = 1.0 / D[m]
/// Y[m, n] = X[m, n] / D[m]                          =>  Y[m, n] = X[m, n] * Y_part[m]
/// ```
public record ExtractInvariants(Numerics numerics) implements Pass.OnCascade {
  private static final long RATIO = 8;

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public String name() {
    return "extract-invariants";
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Set<Tensor> constant = Constants.of(cascade);
    List<Definition> definitions = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      definitions.add(definition instanceof Einsum einsum && !constant.contains(einsum.tensor())
          && cascade.mapping().group(einsum.tensor()).isEmpty() ? new Extraction(einsum, numerics, definitions).extracted() : definition);
    }
    return cascade.withDefinitions(definitions);
  }

  /// The parts of one Einsum on their way into Einsums before it.
  private static final class Extraction {
    private final Einsum einsum;
    private final Numerics numerics;
    private final List<Definition> before;
    private final Map<Expr, Expr> parts = new LinkedHashMap<>();

    Extraction(Einsum einsum, Numerics numerics, List<Definition> before) {
      this.einsum = einsum;
      this.numerics = numerics;
      this.before = before;
    }

    Einsum extracted() {
      return einsum.withValue(extract(einsum.value(), einsum.ranks()));
    }

    /// `expr`, evaluated at every point of `scope`, with its invariant parts extracted.
    private Expr extract(Expr expr, List<Rank> scope) {
      Optional<List<Rank>> ranks = invariantRanks(expr, scope);
      if (ranks.isPresent()) {
        return parts.computeIfAbsent(expr, _ -> define(expr, ranks.get()));
      }
      return switch (expr) {
        case Expr.Reduce _, Expr.Fold _ -> {
          List<Rank> inside = new ArrayList<>(scope);
          inside.addAll(expr.bound());
          yield expr.mapChildren(body -> extract(body, inside));
        }
        case Expr.Binary(BinaryOp op, Expr left, Expr right) when op == BinaryOp.DIV && isFewDivisors(right, scope) ->
            new Expr.Binary(BinaryOp.MUL, extract(left, scope), inverse(right, scope));
        case Expr.Unary _, Expr.Binary _, Expr.Cast _, Expr.Bitcast _ -> expr.mapChildren(child -> extract(child, scope));
        case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Coordinate _, Expr.Extent _, Expr.Ref _, Expr.Access _, Expr.Select _ -> expr;
      };
    }

    /// Whether `divisor` has so few values that dividing 1 by each and multiplying is less work.
    private boolean isFewDivisors(Expr divisor, List<Rank> scope) {
      return numerics.allows(Numerics.REASSOCIATE) && divisor.type().isFloat() && divisor.type().bytes() >= 4
          && !Exprs.hasReduction(divisor) && Exprs.accesses(divisor).findAny().isPresent() && fewRanks(divisor, scope).isPresent();
    }

    private Expr inverse(Expr divisor, List<Rank> scope) {
      Expr inverse = new Expr.Binary(BinaryOp.DIV, Expr.literal(divisor.type(), 1), divisor);
      return parts.computeIfAbsent(inverse, _ -> define(inverse, fewRanks(divisor, scope).orElseThrow()));
    }

    /// The ranks that `expr` depends on, if it is arithmetic on elements and they are few.
    private Optional<List<Rank>> invariantRanks(Expr expr, List<Rank> scope) {
      boolean arithmetic = Exprs.operations(expr) > 0 && !expr.type().isBool()
          && !Exprs.hasReduction(expr) && Exprs.accesses(expr).findAny().isPresent();
      return arithmetic ? fewRanks(expr, scope) : Optional.empty();
    }

    private static Optional<List<Rank>> fewRanks(Expr expr, List<Rank> scope) {
      Set<Rank> free = Exprs.freeRanks(expr);
      List<Rank> ranks = scope.stream().filter(free::contains).toList();
      return !ranks.isEmpty() && Exprs.volume(ranks) * RATIO <= Exprs.volume(scope) ? Optional.of(ranks) : Optional.empty();
    }

    private Expr define(Expr expr, List<Rank> ranks) {
      List<Rank> own = ranks.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
      Map<Rank, Expr> renamed = new IdentityHashMap<>();
      for (int i = 0; i < own.size(); i++) {
        renamed.put(ranks.get(i), new Expr.Coordinate(own.get(i)));
      }
      Tensor tensor = new Tensor(einsum.tensor().name() + "_part", expr.type(),
          own.stream().map(Rank::size).toList(), einsum.span());
      before.add(new Einsum(tensor, own, Exprs.substitute(expr, renamed), einsum.span()));
      return new Expr.Access(tensor, Exprs.coordinates(ranks));
    }
  }
}
