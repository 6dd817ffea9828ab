package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.UnaryOp;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// The linear functions in the value of one Einsum, on their way into products with weights of their own.
final class LinearFolding {
  private final Uses uses;
  private final Einsum einsum;
  private final Consumer<Diagnostic> remarks;
  private final Map<Tensor, Einsum> definitions;
  private final Set<Tensor> constant;
  private final List<Einsum> written = new ArrayList<>();
  /// Products that would be branches if nothing else needed them.
  private final List<Tensor> shared = new ArrayList<>();

  LinearFolding(Uses uses, Einsum einsum, Consumer<Diagnostic> remarks) {
    this.uses = uses;
    this.einsum = einsum;
    this.remarks = remarks;
    this.definitions = uses.einsums();
    this.constant = uses.constants();
  }

  /// The Einsums that folded values read.
  List<Einsum> written() {
    return written;
  }

  /// A sum of branches and constants. A branch of a tensor that is needed elsewhere is that tensor's element.
  private record Sum(List<LinearBranch> branches, List<Expr> constants, boolean isScaled) {
    Sum plus(Sum other) {
      List<LinearBranch> all = new ArrayList<>(branches);
      all.addAll(other.branches);
      List<Expr> numbers = new ArrayList<>(constants);
      numbers.addAll(other.constants);
      return new Sum(all, numbers, isScaled || other.isScaled);
    }

    Sum scaled(Expr factor) {
      boolean scalesProduct = branches.stream().anyMatch(LinearBranch::hasWeights);
      return new Sum(branches.stream().map(branch -> branch.scaled(factor)).toList(),
          constants.stream().map(number -> LinearBranch.times(number, factor)).toList(), isScaled || scalesProduct);
    }
  }

  /// `value` by fewer operations, if it is a sum of linear functions that can be folded.
  Optional<Expr> folded(Expr value) {
    Optional<Sum> sum = sum(value);
    sum.ifPresent(found -> found.branches.forEach(this::remarkShared));
    if (sum.isEmpty() || sum.get().branches.stream().noneMatch(branch -> !branch.summed().isEmpty())) {
      return Optional.empty();
    }
    List<LinearBranch> merged = merged(sum.get().branches);
    if (!sum.get().isScaled && merged.size() == sum.get().branches.size() || !isSmall(merged, sum.get().branches)) {
      return Optional.empty();
    }
    List<Expr> terms = new ArrayList<>();
    merged.forEach(branch -> terms.add(write(branch)));
    if (!sum.get().constants.isEmpty()) {
      terms.add(bias(added(sum.get().constants)));
    }
    return Optional.of(added(terms));
  }

  /// A scaled element of a product that would be scaled in its weights if nothing else needed it.
  private void remarkShared(LinearBranch branch) {
    if (branch.summed().isEmpty() && !(branch.kernel() instanceof Expr.FloatLiteral) && shared.remove(branch.input().tensor())) {
      remarks.accept(Diagnostic.remark(einsum.span(),
          "what scales `" + branch.input().tensor().name() + "` is not folded into its weights: it is needed elsewhere too"));
    }
  }

  private static Expr added(List<Expr> terms) {
    return terms.stream().reduce((a, b) -> new Expr.Binary(BinaryOp.ADD, a, b)).orElseThrow();
  }

  private Optional<Sum> sum(Expr value) {
    if (LinearBranch.isConstant(value, constant)) {
      return Optional.of(new Sum(List.of(), List.of(value), false));
    }
    return switch (value) {
      case Expr.Access access -> Optional.of(element(access));
      case Expr.Unary(UnaryOp op, Expr operand) when op == UnaryOp.NEG ->
          sum(operand).map(sum -> sum.scaled(Expr.literal(value.type(), -1)));
      case Expr.Binary(BinaryOp op, Expr left, Expr right) -> switch (op) {
        case ADD -> sum(left).flatMap(a -> sum(right).map(a::plus));
        case SUB -> sum(left).flatMap(a -> sum(right).map(b -> a.plus(b.scaled(Expr.literal(value.type(), -1)))));
        case MUL -> LinearBranch.isConstant(right, constant) ? sum(left).map(sum -> sum.scaled(right))
            : LinearBranch.isConstant(left, constant) ? sum(right).map(sum -> sum.scaled(left)) : Optional.empty();
        case DIV -> LinearBranch.isConstant(right, constant)
            ? sum(left).map(sum -> sum.scaled(new Expr.Binary(BinaryOp.DIV, Expr.literal(value.type(), 1), right))) : Optional.empty();
        case MOD, MIN, MAX, POW, EQ, NE, LT, LE, GT, GE, AND, OR, XOR, SHL, SHR -> Optional.empty();
      };
      case Expr.FloatLiteral _, Expr.IntLiteral _, Expr.Coordinate _, Expr.Extent _, Expr.Ref _, Expr.Unary _, Expr.Select _, Expr.Cast _, Expr.Bitcast _,
          Expr.Reduce _, Expr.Fold _ -> Optional.empty();
    };
  }

  /// What `access` reads, as a function of what that is computed from where nothing else needs it.
  private Sum element(Expr.Access access) {
    Sum itself = sum(LinearBranch.element(access));
    Einsum producer = definitions.get(access.tensor());
    if (producer == null || !ProductNetwork.isView(access)) {
      return itself;
    }
    boolean isOwn = uses.isForOne(access.tensor());
    if (producer.value() instanceof Expr.Reduce) {
      Optional<LinearBranch> branch = LinearBranch.of(ProductNetwork.inlined(access, producer), constant);
      branch.filter(_ -> !isOwn).ifPresent(_ -> shared.add(access.tensor()));
      return branch.filter(_ -> isOwn).map(LinearFolding::sum).orElse(itself);
    }
    return isOwn && !Exprs.hasReduction(producer.value()) ? sum(ProductNetwork.inlined(access, producer)).orElse(itself) : itself;
  }

  private static Sum sum(LinearBranch branch) {
    return new Sum(List.of(branch), List.of(), false);
  }

  /// The branches with those that fit into the window of another added to it.
  private static List<LinearBranch> merged(List<LinearBranch> branches) {
    List<LinearBranch> open = new ArrayList<>(branches);
    open.sort(Comparator.comparingLong((LinearBranch branch) -> Exprs.volume(branch.summed())).reversed());
    List<LinearBranch> result = new ArrayList<>();
    while (!open.isEmpty()) {
      LinearBranch base = open.removeFirst();
      if (base.summed().isEmpty() || !LinearBranch.isWindow(base.input())) {
        result.add(base);
        continue;
      }
      BranchMerge merge = new BranchMerge(base);
      open.removeIf(branch -> LinearBranch.isWindow(branch.input()) && merge.add(branch));
      result.add(merge.merged());
    }
    return result;
  }

  /// Whether the products are computed over the ranks of before, and the weights are not much larger than what they are made of.
  private boolean isSmall(List<LinearBranch> merged, List<LinearBranch> branches) {
    Set<Tensor> sources = new LinkedHashSet<>();
    branches.forEach(branch -> Exprs.accesses(branch.kernel()).map(Expr.Access::tensor).forEach(sources::add));
    double before = sources.stream().mapToDouble(tensor -> tensor.shape().stream().mapToDouble(Size::value).reduce(1, (a, b) -> a * b)).sum();
    List<LinearBranch> products = merged.stream().filter(LinearBranch::hasWeights).toList();
    double after = products.stream().mapToDouble(branch -> Exprs.volume(kernelRanks(branch))).sum();
    boolean small = after <= 2 * before && products.stream().allMatch(branch -> branch.hasRanksOf(branch.kernel()));
    if (!small) {
      remarks.accept(Diagnostic.remark(einsum.span(), "what scales the products in `" + einsum.tensor().name()
          + "` is not folded into their weights: it depends on ranks that these do not have"));
    }
    return small;
  }

  private List<Rank> kernelRanks(LinearBranch branch) {
    Set<Rank> free = Exprs.freeRanks(branch.kernel());
    List<Rank> ranks = new ArrayList<>(branch.summed().stream().filter(free::contains).toList());
    einsum.ranks().stream().filter(free::contains).forEach(ranks::add);
    return ranks;
  }

  /// The value of `branch`, from Einsums of its own for the kernel and the sum.
  private Expr write(LinearBranch branch) {
    if (branch.summed().isEmpty()) {
      return LinearBranch.times(branch.input(), branch.kernel());
    }
    Expr kernel = branch.kernel() instanceof Expr.Access || !branch.hasWeights() ? branch.kernel()
        : define("weights", branch.kernel(), kernelRanks(branch));
    Expr sum = new Expr.Reduce(Reduction.SUM, branch.summed(), LinearBranch.times(branch.input(), kernel));
    Set<Rank> free = Exprs.freeRanks(sum);
    return define("sum", sum, einsum.ranks().stream().filter(free::contains).toList());
  }

  private Expr bias(Expr value) {
    Set<Rank> free = Exprs.freeRanks(value);
    return Exprs.operations(value) == 0 ? value : define("bias", value, einsum.ranks().stream().filter(free::contains).toList());
  }

  /// Adds an Einsum for `value` and gives the access to it.
  private Expr define(String what, Expr value, List<Rank> ranks) {
    Map<Rank, Expr> renamed = new IdentityHashMap<>();
    List<Rank> own = ranks.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    for (int i = 0; i < own.size(); i++) {
      renamed.put(ranks.get(i), new Expr.Coordinate(own.get(i)));
    }
    Tensor tensor = new Tensor(einsum.tensor().name() + "_" + what, value.type(), own.stream().map(Rank::size).toList(), einsum.span());
    written.add(new Einsum(tensor, own, Exprs.freshRanks(Exprs.substitute(value, renamed)), einsum.span()));
    return new Expr.Access(tensor, Exprs.coordinates(ranks));
  }
}
