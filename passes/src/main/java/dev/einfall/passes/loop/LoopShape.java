package dev.einfall.passes.loop;

import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.lower.Schedule;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What a schedule makes of a nest, by the positions of its loops: 0 for the outermost.
///
/// @param parallel the loops that threads share
/// @param vector the loop that becomes vectors, if one does
/// @param unrolled the loops of which tiles are unrolled
/// @param order the loops in the order in which their tiles go, from the outermost, each once in a row
/// @param vectors how many elements of the vector loop are taken at a time; 0 if no schedule says
record LoopShape(Set<Integer> parallel, Set<Integer> vector, Set<Integer> unrolled, List<Integer> order, int vectors) {

  static LoopShape of(List<Stmt.For> nest, Schedule schedule) {
    Set<Integer> vector = bound(nest, schedule, Mapping.Binding.VECTORIZE);
    return new LoopShape(bound(nest, schedule, Mapping.Binding.PARALLEL), vector, bound(nest, schedule, Mapping.Binding.UNROLL),
        order(nest, schedule), vector.stream().mapToInt(position -> width(nest.get(position), schedule)).max().orElse(0));
  }

  private static Set<Integer> bound(List<Stmt.For> nest, Schedule schedule, Mapping.Binding binding) {
    return IntStream.range(0, nest.size()).filter(position ->
        schedule.bound(binding).stream().anyMatch(loop -> isTile(loop, nest.get(position)))).boxed().collect(Collectors.toSet());
  }

  private static List<Integer> order(List<Stmt.For> nest, Schedule schedule) {
    List<Integer> order = new ArrayList<>();
    for (String loop : schedule.order()) {
      IntStream.range(0, nest.size()).filter(position -> isTile(loop, nest.get(position)))
          .filter(position -> order.isEmpty() || order.getLast() != position).forEach(order::add);
    }
    return order;
  }

  private static boolean isTile(String loop, Stmt.For of) {
    String name = of.var().name();
    return loop.startsWith(name) && loop.substring(name.length()).chars().allMatch(Character::isDigit);
  }

  private static int width(Stmt.For loop, Schedule schedule) {
    return schedule.splits().stream().filter(split -> split.rank().equals(loop.var().name())).mapToInt(split -> split.factors().getFirst())
        .findFirst().orElse(0);
  }

  /// Two nests of which one is to follow the other iteration by iteration.
  record Nests(List<Stmt.For> first, List<Stmt.For> second) {

    /// Whether both have as many iterations, and the second loads nothing in its innermost loop but what the first has there.
    boolean goThroughTheSame() {
      if (first.size() != second.size() || IntStream.range(0, first.size()).anyMatch(i -> !first.get(i).extent().equals(second.get(i).extent()))
          || LoopPiece.hasLoops(innermost(first)) || LoopPiece.hasLoops(innermost(second))) {
        return false;
      }
      List<Expr.Load> needed = loads(renamed()).filter(varies()).toList();
      Set<Expr.Load> there = Stream.concat(loads(innermost(first)), innermost(first).nodes()
          .filter(Stmt.Store.class::isInstance).map(node -> new Expr.Load(((Stmt.Store) node).buffer(), ((Stmt.Store) node).indices())))
          .collect(Collectors.toSet());
      return !needed.isEmpty() && there.containsAll(needed);
    }

    private static Stmt innermost(List<Stmt.For> nest) {
      return nest.getLast().body();
    }

    /// The innermost statements of the second nest with the counters of the first.
    private Stmt renamed() {
      Stmt body = innermost(second);
      for (int i = 0; i < first.size(); i++) {
        body = Rewrites.substitute(body, second.get(i).var(), new Expr.Ref(first.get(i).var()));
      }
      return body;
    }

    private Predicate<Expr.Load> varies() {
      return load -> load.indices().stream().anyMatch(index -> Rewrites.uses(index, first.getLast().var()));
    }

    private static Stream<Expr.Load> loads(Stmt body) {
      return body.nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes).filter(Expr.Load.class::isInstance).map(Expr.Load.class::cast);
    }

    /// Why one schedule cannot do for both.
    Optional<String> obstacle(Schedule schedule, Numerics numerics) {
      LoopShape one = LoopShape.of(first, schedule);
      LoopShape other = LoopShape.of(second, schedule);
      if (!one.parallel.equals(other.parallel)) {
        return Optional.of("threads share one of them only");
      }
      if (!one.vector.equals(other.vector) || !one.order.equals(other.order)) {
        return Optional.of("their vectors go along other ranks, or in another order");
      }
      if (!one.vector.containsAll(one.unrolled) || !other.vector.containsAll(other.unrolled)) {
        return Optional.of("one computes tiles of several rows");
      }
      if (one.vectors != other.vectors && !one.vector.contains(first.size() - 1)) {
        return Optional.of("one goes through rows of more vectors than the other");
      }
      if (one.vector.stream().anyMatch(position -> isInOrder(first, position, numerics) != isInOrder(second, position, numerics))) {
        return Optional.of("the strict contract keeps the order of a sum, so that it is not vectorized");
      }
      return hasFunctions(first) && hasFunctions(second) ? Optional.of("both compute functions, whose constants fill the registers")
          : Optional.empty();
    }

    /// Whether the iterations of the loop at `position` must follow one another.
    private static boolean isInOrder(List<Stmt.For> nest, int position, Numerics numerics) {
      return innermost(nest).nodes().anyMatch(node -> node instanceof Stmt.Store store
          && store.indices().stream().noneMatch(index -> Rewrites.uses(index, nest.get(position).var()))
          && Accumulation.inAnyOrder(store, numerics).isEmpty());
    }

    private static boolean hasFunctions(List<Stmt.For> nest) {
      return innermost(nest).nodes().flatMap(Stmt::exprs).flatMap(Expr::nodes).anyMatch(node -> node instanceof Expr.Unary unary
          && switch (unary.op()) {
            case EXP, LOG, TANH, ERF, SIN, COS -> true;
            case NEG, NOT, ABS, SIGN, SQRT, RSQRT, FLOOR, CEIL, ROUND, POPCOUNT -> false;
          });
    }

    /// Whether the second nest takes fewer vectors at a time.
    boolean secondTakesFewer(Schedule schedule) {
      return LoopShape.of(second, schedule).vectors < LoopShape.of(first, schedule).vectors;
    }
  }
}
