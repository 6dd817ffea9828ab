package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// Rounds the factors of products with weights to numbers of half as many bits; their sums keep theirs.
///
/// ```
/// H[m, k] = max(A[m, k], 0.0)                      H_bf16[m, k] = bf16(max(A[m, k], 0.0))
/// Y[m, n] = sum[k](H[m, k] * W[k, n])       =>     W_bf16[k, n] = bf16(W[k, n])
///                                                  Y[m, n] = sum[k](f32(H_bf16[m, k]) * f32(W_bf16[k, n]))
/// ```
///
/// What such products alone read is made in that form; otherwise there are both forms. A factor of `bf16` is off by up to a part in 2^8, so the terms of
/// a sum are off by up to one in 2^7 each, and mostly cancel. Instructions add products by pairs: of an odd number of terms the last one is added
/// apart, with its weights as they were.
///
/// ```
/// Y[m, n] = sum[k](X[m, k] * W[k, n]), k in 0..33
///     =>  W_last[n] = W[32, n]
///         Y[m, n] = sum[k](f32(X_bf16[m, k]) * f32(W_bf16[k, n])) + f32(X_bf16[m, 32]) * W_last[n], k in 0..32
/// ```
///
/// For a GPU, the products in the steps of a recurrence are narrowed too, as those of attention are that goes through its keys once ([NarrowSteps]).
///
/// Declined are short sums, and products of what no weights determine that use a factor seldom, which would cost more than they save; and sums that
/// weights scale without having a rank of the result.
///
/// @param compute what the factors of products are rounded to
/// @param inSteps whether those in the steps of recurrences are
public record NarrowProducts(Compute compute, boolean inSteps) implements Pass.OnCascade {
  /// Shorter sums stay as they are.
  private static final int LEAST_TERMS = 32;
  /// Factors that no weights determine are rounded, and one of them is copied into panels, at every run: each must be used more often than this takes.
  private static final int LEAST_USES = 64;

  @Override
  public String name() {
    return "narrow-products";
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    return switch (compute) {
      case F32, I8 -> cascade;
      case BF16 -> new Narrowing(cascade, ElementType.BF16, inSteps, remarks).narrowed();
    };
  }

  /// The rounding of one cascade.
  private static final class Narrowing {
    private final Cascade cascade;
    private final ElementType type;
    private final Consumer<Diagnostic> remarks;
    private final Set<Expr> factors = new HashSet<>();
    private final Map<Expr, Expr.Access> odd = new LinkedHashMap<>();
    private final Map<Expr, Expr> sums = new HashMap<>();
    private final Map<Tensor, Tensor> narrow = new IdentityHashMap<>();
    private final Map<Recurrence, NarrowSteps> steps = new LinkedHashMap<>();
    private final boolean inSteps;

    Narrowing(Cascade cascade, ElementType type, boolean inSteps, Consumer<Diagnostic> remarks) {
      this.inSteps = inSteps;
      this.cascade = cascade;
      this.type = type;
      this.remarks = remarks;
    }

    Cascade narrowed() {
      Set<Tensor> constant = Constants.of(cascade);
      for (Einsum einsum : cascade.einsums()) {
        factors(einsum, constant).forEach(factors::add);
      }
      factors.forEach(factor -> addForm(((Expr.Access) factor).tensor()));
      if (inSteps) {
        // What a program has mapped has the loops that it asks for.
        cascade.definitions().stream().filter(definition -> definition.tensors().stream().noneMatch(cascade.mapping()::speaksOf))
            .filter(Recurrence.class::isInstance).map(Recurrence.class::cast).forEach(this::addSteps);
      }
      return narrow.isEmpty() ? cascade : cascade.withDefinitions(definitions());
    }

    private void addForm(Tensor tensor) {
      narrow.putIfAbsent(tensor, new Tensor(tensor.name() + "_" + type, type, tensor.shape(), tensor.span()));
    }

    private void addSteps(Recurrence recurrence) {
      NarrowSteps narrowed = new NarrowSteps(recurrence, type);
      if (!narrowed.outside().isEmpty()) {
        steps.put(recurrence, narrowed);
        narrowed.outside().forEach(this::addForm);
        remarks.accept(Diagnostic.remark(recurrence.span(), "the products in the steps of " + recurrence.tensors().getFirst().name() + " take their factors in " + type));
      }
    }

    /// The factors of the product that `einsum` is, if it is one that is worth it.
    private List<Expr.Access> factors(Einsum einsum, Set<Tensor> constant) {
      List<Expr.Reduce> reductions = Exprs.reductions(einsum.value()).distinct().toList();
      boolean isOne = reductions.size() == 1 && reductions.getFirst().reduction() == Reduction.SUM && reductions.getFirst().type() == ElementType.F32;
      if (!isOne || !(reductions.getFirst().body() instanceof Expr.Binary(BinaryOp op, Expr.Access left, Expr.Access right)) || op != BinaryOp.MUL
          || constant.contains(left.tensor()) && constant.contains(right.tensor()) || !isPlain(left) || !isPlain(right)) {
        return List.of();
      }
      boolean isOfWeights = constant.contains(left.tensor()) || constant.contains(right.tensor());
      Expr.Access weight = constant.contains(left.tensor()) ? left : right;
      if (isOfWeights ? !hasOwnRank(weight, weight == left ? right : left, einsum) : uses(left, einsum) < LEAST_USES || uses(right, einsum) < LEAST_USES) {
        return List.of();
      }
      List<Rank> ranks = reductions.getFirst().ranks();
      boolean isOdd = ranks.getLast().size().value() % 2 != 0;
      if (Exprs.volume(ranks) < LEAST_TERMS || isOdd && ranks.size() > 1) {
        tell(einsum, " stays in f32: its sums are of " + ranks.stream().map(rank -> String.valueOf(rank.size().value())).collect(Collectors.joining(" x ")) + " terms");
        return List.of();
      }
      tell(einsum, " takes its factors in " + type);
      if (isOdd) {
        odd.put(reductions.getFirst(), weight);
      }
      return List.of(left, right);
    }

    /// How often an element that `access` reads is a factor.
    private static long uses(Expr.Access access, Einsum einsum) {
      Set<Rank> own = Exprs.freeRanks(access);
      return Exprs.volume(einsum.ranks().stream().filter(rank -> !own.contains(rank)).toList());
    }

    /// Whether `weight` has a rank of the result that `other` has not, along which the other factor is used again.
    private static boolean hasOwnRank(Expr.Access weight, Expr.Access other, Einsum einsum) {
      Set<Rank> shared = Exprs.freeRanks(other);
      return Exprs.freeRanks(weight).stream().anyMatch(rank -> einsum.ranks().contains(rank) && rank.size().value() > 1 && !shared.contains(rank));
    }

    private void tell(Einsum einsum, String what) {
      remarks.accept(Diagnostic.remark(einsum.span(), "the product " + einsum.tensor().name() + what));
    }

    /// Whether no element is read at two places: windows are not, and ranks that stand for several of a tensor are.
    private static boolean isPlain(Expr.Access access) {
      return access.outside().isEmpty() && access.tensor().type() == ElementType.F32 && access.indices().stream().allMatch(Narrowing::isPlain);
    }

    private static boolean isPlain(Expr index) {
      return switch (index) {
        case Expr.Coordinate _ -> true;
        case Expr.Binary(BinaryOp op, Expr.Coordinate _, Expr.IntLiteral _) -> op == BinaryOp.DIV || op == BinaryOp.MOD;
        default -> false;
      };
    }

    private List<Definition> definitions() {
      List<Definition> result = new ArrayList<>();
      cascade.inputs().forEach(input -> addCopy(input, result));
      cascade.weights().forEach(weight -> addCopy(weight.tensor(), result));
      for (Definition definition : cascade.definitions()) {
        Definition changed = definition instanceof Recurrence recurrence && steps.containsKey(recurrence)
            ? steps.get(recurrence).narrowed(narrow::get) : definition.mapExprs(expr -> changed(expr, result));
        if (changed instanceof Einsum einsum && isReadNarrowOnly(einsum.tensor())) {
          result.add(new Einsum(narrow.get(einsum.tensor()), einsum.ranks(), new Expr.Cast(type, einsum.value()), einsum.span()));
        } else {
          result.add(changed);
          definition.tensors().forEach(tensor -> addCopy(tensor, result));
        }
      }
      return result;
    }

    /// @param before where tensors are defined that the changed expression reads
    private Expr changed(Expr expr, List<Definition> before) {
      if (expr instanceof Expr.Access access && factors.contains(access)) {
        return narrowed(access);
      }
      return odd.containsKey(expr) ? sums.computeIfAbsent(expr, _ -> withoutLast((Expr.Reduce) expr, before)) : expr.mapChildren(child -> changed(child, before));
    }

    private Expr narrowed(Expr.Access access) {
      return new Expr.Cast(ElementType.F32, new Expr.Access(narrow.get(access.tensor()), access.indices()));
    }

    /// The sum of all terms of `sum` but the last, and the last.
    private Expr withoutLast(Expr.Reduce sum, List<Definition> before) {
      Expr.Access weight = odd.get(sum);
      Rank whole = sum.ranks().getFirst();
      int last = whole.size().value() - 1;
      Rank even = new Rank(whole.name(), Size.of(last));
      Expr terms = sum.body().mapChildren(factor -> Exprs.substitute(narrowed((Expr.Access) factor), Map.of(whole, new Expr.Coordinate(even))));
      Expr term = sum.body().mapChildren(factor -> Exprs.substitute(factor.equals(weight) ? last(weight, whole, before) : narrowed((Expr.Access) factor),
          Map.of(whole, Expr.index(last))));
      return new Expr.Binary(BinaryOp.ADD, new Expr.Reduce(sum.reduction(), List.of(even), terms), term);
    }

    /// What `weight` reads at the last place of `rank`, as a tensor of its own.
    private static Expr last(Expr.Access weight, Rank rank, List<Definition> before) {
      List<Rank> outer = Exprs.freeRanks(weight).stream().filter(other -> other != rank).toList();
      List<Rank> ranks = outer.stream().map(other -> new Rank(other.name(), other.size())).toList();
      Map<Rank, Expr> places = new IdentityHashMap<>(Map.of(rank, Expr.index(rank.size().value() - 1)));
      for (int i = 0; i < ranks.size(); i++) {
        places.put(outer.get(i), new Expr.Coordinate(ranks.get(i)));
      }
      Tensor tensor = new Tensor(weight.tensor().name() + "_last", weight.type(), ranks.stream().map(Rank::size).toList(), weight.tensor().span());
      before.add(new Einsum(tensor, ranks, Exprs.substitute(weight, places), weight.tensor().span()));
      return new Expr.Access(tensor, Exprs.coordinates(outer));
    }

    /// Whether all that reads `tensor` are factors.
    private boolean isReadNarrowOnly(Tensor tensor) {
      return narrow.containsKey(tensor) && cascade.outputs().stream().noneMatch(output -> output.tensor() == tensor)
          && cascade.definitions().stream().allMatch(definition -> readsNarrowOnly(definition, tensor));
    }

    private boolean readsNarrowOnly(Definition definition, Tensor tensor) {
      return switch (definition) {
        case Recurrence recurrence -> (steps.containsKey(recurrence) ? steps.get(recurrence).narrowed(narrow::get) : recurrence).reads()
            .noneMatch(read -> read == tensor);
        case Einsum einsum -> einsum.exprs().flatMap(Exprs::accesses).filter(access -> access.tensor() == tensor).allMatch(factors::contains);
      };
    }

    private void addCopy(Tensor tensor, List<Definition> result) {
      if (narrow.containsKey(tensor)) {
        List<Rank> ranks = new ArrayList<>();
        for (int i = 0; i < tensor.shape().size(); i++) {
          ranks.add(new Rank("r" + i, tensor.shape().get(i)));
        }
        Expr value = new Expr.Cast(type, new Expr.Access(tensor, Exprs.coordinates(ranks)));
        result.add(new Einsum(narrow.get(tensor), ranks, value, tensor.span()));
      }
    }
  }
}
