package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/// The chain of products that ends in one Einsum, and what other orders of it cost.
final class ProductChain {
  private static final double WORTHWHILE = 0.9;
  private static final int MOST_TERMS = 4;

  private final Uses uses;
  private final Einsum root;
  private final Map<Tensor, Einsum> definitions;
  private final Set<Tensor> constant;

  ProductChain(Uses uses, Einsum root) {
    this.uses = uses;
    this.root = root;
    this.definitions = uses.einsums();
    this.constant = uses.constants();
  }

  /// Other Einsums that compute the same.
  ///
  /// @param taken the Einsums whose values went into these
  /// @param share their cost, as a part of that of the source
  record Reordered(List<Einsum> einsums, List<Einsum> taken, double share) {}

  /// The Einsums in the best order with what nothing else needs, if that saves a tenth.
  Optional<Reordered> cheaper() {
    return isOpen() ? reordered(this::isOwn).or(this::distributed).filter(other -> other.share <= WORTHWHILE) : Optional.empty();
  }

  /// The same if others did not need what they share with this chain.
  Optional<Reordered> cheaperAlone() {
    return isOpen() ? reordered(_ -> true).filter(other -> other.share <= WORTHWHILE) : Optional.empty();
  }

  /// The tensors that `other` takes in although something else needs them.
  List<Tensor> shared(Reordered other) {
    return other.taken.stream().map(Einsum::tensor).filter(tensor -> !constant.contains(tensor) && !isOwn(tensor)).distinct().toList();
  }

  private boolean isOpen() {
    return !constant.contains(root.tensor()) && !uses.cascade().mapping().speaksOf(root.tensor())
        && ProductNetwork.isProduct(root.value()) && !ProductNetwork.isView(root.value());
  }

  private Optional<Reordered> reordered(Predicate<Tensor> mayTake) {
    Optional<ProductNetwork> network = network(mayTake);
    boolean hasSum = network.isPresent() && network.get().outputs() < network.get().ranks().size();
    if (!hasSum || network.get().factors().size() < 3) {
      return Optional.empty();
    }
    List<Einsum> einsums = ContractionWriter.write(root, network.get(), ContractionOrder.of(network.get(), constant));
    return Optional.of(compared(einsums, network.get().expanded())).filter(other -> other.share <= WORTHWHILE);
  }

  private Optional<ProductNetwork> network(Predicate<Tensor> mayTake) {
    return ProductNetwork.of(root, access -> producer(access, mayTake));
  }

  private Optional<Einsum> producer(Expr.Access access, Predicate<Tensor> mayTake) {
    Tensor tensor = access.tensor();
    Einsum producer = definitions.get(tensor);
    boolean product = producer != null && ProductNetwork.isProduct(producer.value()) && ProductNetwork.isView(access);
    // The product that reads what bytes stand for decodes it in its registers, and scales it there.
    boolean free = product && (constant.contains(tensor) || mayTake.test(tensor) && !Decoding.isDecoded(producer));
    return free ? Optional.of(producer) : Optional.empty();
  }

  private boolean isOwn(Tensor tensor) {
    return uses.isForOne(tensor);
  }

  /// A product for each term of a factor that is a sum: `(W + B * A) * x` as `W * x + B * (A * x)`.
  private Optional<Reordered> distributed() {
    List<Expr.Access> sums = ProductNetwork.of(root, _ -> Optional.empty()).stream()
        .flatMap(network -> network.factors().stream()).filter(factor -> !factor.isDivisor())
        .flatMap(factor -> Exprs.accesses(factor.value()).filter(factor.value()::equals)).filter(this::isSum).toList();
    if (sums.size() != 1 || !(root.value() instanceof Expr.Reduce)) {
      return Optional.empty();
    }
    Expr.Access sum = sums.getFirst();
    List<Expr> terms = new ArrayList<>();
    List<Boolean> subtracted = new ArrayList<>();
    collect(ProductNetwork.inlined(sum, definitions.get(sum.tensor())), false, terms, subtracted);
    return terms.size() > MOST_TERMS ? Optional.empty() : Optional.of(distributed(sum, terms, subtracted));
  }

  private boolean isSum(Expr.Access access) {
    Einsum producer = definitions.get(access.tensor());
    return producer != null && ProductNetwork.isView(access) && isOwn(access.tensor()) && !constant.contains(access.tensor())
        && producer.value() instanceof Expr.Binary(BinaryOp op, _, _) && (op == BinaryOp.ADD || op == BinaryOp.SUB);
  }

  private static void collect(Expr value, boolean isSubtracted, List<Expr> terms, List<Boolean> subtracted) {
    if (value instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && (op == BinaryOp.ADD || op == BinaryOp.SUB)) {
      collect(left, isSubtracted, terms, subtracted);
      collect(right, isSubtracted ^ op == BinaryOp.SUB, terms, subtracted);
    } else {
      terms.add(value);
      subtracted.add(isSubtracted);
    }
  }

  private Reordered distributed(Expr.Access sum, List<Expr> terms, List<Boolean> subtracted) {
    List<Einsum> written = new ArrayList<>();
    Set<Einsum> taken = Exprs.identitySet();
    List<Einsum> sources = new ArrayList<>(List.of(definitions.get(sum.tensor())));
    Expr total = null;
    for (int i = 0; i < terms.size(); i++) {
      Expr term = terms.get(i);
      Expr value = Exprs.rewrite(root.value(), node -> node.equals(sum) ? term : node);
      Set<Rank> free = Exprs.freeRanks(value);
      List<Rank> outer = root.ranks().stream().filter(free::contains).toList();
      Einsum product = copy(value, outer);
      ProductChain chain = new ProductChain(uses, product);
      chain.network(chain::isOwn).stream().flatMap(network -> network.expanded().stream()).filter(taken::add).forEach(sources::add);
      written.addAll(chain.reordered(chain::isOwn).map(Reordered::einsums).orElse(List.of(product)));
      Expr element = new Expr.Access(product.tensor(), Exprs.coordinates(outer));
      boolean isNegative = subtracted.get(i);
      total = total == null ? element : new Expr.Binary(isNegative ? BinaryOp.SUB : BinaryOp.ADD, total, element);
    }
    written.add(root.withValue(total));
    return compared(written, sources);
  }

  /// An Einsum over ranks of its own with a value in terms of `outer`, ranks of the root.
  private Einsum copy(Expr value, List<Rank> outer) {
    List<Rank> ranks = outer.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
    Map<Rank, Expr> renamed = new IdentityHashMap<>();
    for (int i = 0; i < ranks.size(); i++) {
      renamed.put(outer.get(i), new Expr.Coordinate(ranks.get(i)));
    }
    Tensor tensor = new Tensor(root.tensor().name() + "_term", root.tensor().type(), ranks.stream().map(Rank::size).toList(), root.span());
    return new Einsum(tensor, ranks, Exprs.substitute(Exprs.freshRanks(value), renamed), root.span());
  }

  /// `written` beside the root and the Einsums that it took in, of which those that are read still count on both sides.
  private Reordered compared(List<Einsum> written, List<Einsum> taken) {
    double before = cost(root, constant);
    double after = 0;
    Set<Tensor> known = Exprs.identitySet();
    known.addAll(constant);
    Set<Tensor> live = Exprs.identitySet();
    for (Einsum einsum : written) {
      boolean isConstant = einsum.tensor() != root.tensor() && einsum.reads().allMatch(known::contains);
      if (isConstant) {
        known.add(einsum.tensor());
      }
      after += isConstant ? 0 : cost(einsum, known);
      einsum.reads().forEach(live::add);
    }
    for (Einsum einsum : taken) {
      double cost = cost(einsum, constant);
      before += cost;
      if (live.contains(einsum.tensor())) {
        after += cost;
        einsum.reads().forEach(live::add);
      }
    }
    return new Reordered(written, taken, after / before);
  }

  /// What `einsum` costs at each call. Views, and the moves of what is elementwise, other passes save.
  private static double cost(Einsum einsum, Set<Tensor> constant) {
    if (constant.contains(einsum.tensor()) || ProductNetwork.isView(einsum.value())) {
      return 0;
    }
    Work work = Work.of(einsum);
    return number(work.operations()) + (Exprs.hasReduction(einsum.value()) ? ContractionOrder.BYTE * number(work.bytes()) : 0);
  }

  private static double number(Size size) {
    return size.constant().orElseThrow();
  }
}
