package dev.einfall.runtime.quantize;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A weight that is to be quantized.
///
/// @param order the dimensions of the weight, in the order in which it is stored: the last is grouped
/// @param products those that sum over it; none for a table
/// @param onlyMultiplied whether all that is multiplied with it can be had, and nothing else is done with it
/// @param lowRank whether a product of thin matrices is added to it
/// @param scaled whether it is stored scaled along its last dimension; one with a low rank is not
record Target(Cascade.Weight weight, Encoding encoding, List<Integer> order, List<Product> products, boolean onlyMultiplied, boolean lowRank,
    boolean scaled) {

  /// Those of `cascade`, in the order of its weights.
  static List<Target> of(Cascade cascade, Policy policy) {
    Map<Cascade.Weight, List<Product>> products = new LinkedHashMap<>();
    Product.of(cascade).forEach(product -> products.computeIfAbsent(product.weight(), _ -> new ArrayList<>()).add(product));
    Set<String> tables = policy.tables().isPresent() ? tables(cascade) : Set.of();
    List<Target> targets = new ArrayList<>();
    for (Cascade.Weight weight : cascade.weights()) {
      if (policy.keeps(weight.key())) {
        continue;
      }
      if (products.containsKey(weight) && policy.weights().isPresent()) {
        targets.add(of(weight, policy, products.get(weight), accesses(cascade, weight)));
      } else if (tables.contains(weight.key())) {
        List<Integer> order = IntStream.range(0, weight.tensor().shape().size()).boxed().toList();
        targets.add(new Target(weight, policy.tables().orElseThrow(), order, List.of(), false, false, false));
      }
    }
    return targets;
  }

  /// How often the cascade reads a weight.
  private static long accesses(Cascade cascade, Cascade.Weight weight) {
    return cascade.definitions().stream().flatMap(Definition::exprs).flatMap(Expr::nodes)
        .filter(node -> node instanceof Expr.Access access && access.tensor() == weight.tensor()).count();
  }

  private static Target of(Cascade.Weight weight, Policy policy, List<Product> products, long accesses) {
    int last = products.getFirst().position();
    List<Integer> order = new ArrayList<>(IntStream.range(0, weight.tensor().shape().size()).boxed().filter(i -> i != last).toList());
    order.add(last);
    boolean isOnlyMultiplied = accesses == products.size() && products.stream().allMatch(product -> product.position() == last && product.hasActivation());
    boolean lowRank = isOnlyMultiplied && policy.rank() > 0 && order.size() == 2 && products.stream().allMatch(product -> product.sum().ranks().size() == 1);
    return new Target(weight, policy.weights().orElseThrow(), order, products, isOnlyMultiplied, lowRank, isOnlyMultiplied && policy.scaled() && !lowRank);
  }

  /// The keys of the weights of which rows are looked up by data.
  private static Set<String> tables(Cascade cascade) {
    Set<Tensor> read = cascade.definitions().stream().flatMap(Definition::exprs).flatMap(Expr::nodes)
        .flatMap(node -> node instanceof Expr.Access access && isLookUp(access) ? Optional.of(access.tensor()).stream() : Optional.<Tensor>empty().stream())
        .collect(Collectors.toSet());
    return cascade.weights().stream().filter(weight -> read.contains(weight.tensor())).map(Cascade.Weight::key)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static boolean isLookUp(Expr.Access access) {
    return access.tensor().type().isFloat() && access.indices().size() >= 2 && access.indices().getLast() instanceof Expr.Coordinate
        && access.indices().stream().flatMap(Expr::nodes).anyMatch(Expr.Access.class::isInstance);
  }

  Target withEncoding(Encoding newEncoding) {
    return new Target(weight, newEncoding, order, products, onlyMultiplied, lowRank, scaled);
  }

  /// With scales that are not its own.
  Target withoutScales() {
    return new Target(weight, encoding, order, products, onlyMultiplied, lowRank, false);
  }

  /// The shape in which it is stored.
  List<Size> shape() {
    return order.stream().map(weight.tensor().shape()::get).toList();
  }

  /// How many elements are in a row: along the last dimension.
  int length() {
    return shape().getLast().value();
  }

  int rows() {
    return shape().subList(0, order.size() - 1).stream().mapToInt(Size::value).reduce(1, Math::multiplyExact);
  }

  /// What is multiplied with it, if that is one tensor that can be had.
  Optional<Product> calibrated() {
    return products.stream().filter(product -> product.hasActivation() && product.position() == order.getLast()).findFirst();
  }
}
