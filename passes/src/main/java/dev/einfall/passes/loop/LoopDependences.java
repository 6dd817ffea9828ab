package dev.einfall.passes.loop;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/// Which statements need to stay in their order.
final class LoopDependences {

  /// A load or store of an element.
  private record Access(Buffer buffer, List<Expr> indices, boolean writes) {}

  private LoopDependences() {}

  /// Whether two statements may be exchanged: neither stores to a buffer that the other one uses, and neither may end the run.
  static boolean areIndependent(Stmt one, Stmt other) {
    return !checks(one) && !checks(other) && !meet(accesses(one), accesses(other)) && !meet(accesses(other), accesses(one));
  }

  private static boolean meet(List<Access> writers, List<Access> users) {
    Set<Buffer> written = Collections.newSetFromMap(new IdentityHashMap<>());
    writers.stream().filter(Access::writes).forEach(access -> written.add(access.buffer));
    return users.stream().anyMatch(access -> written.contains(access.buffer));
  }

  private static boolean checks(Stmt statement) {
    return statement.nodes().anyMatch(Stmt.Require.class::isInstance);
  }

  /// Whether iteration `j` of `second` needs nothing to be done before that `first` does after its iteration `j`, and the other way
  /// round: where both use an element and one of them stores to it, `first` does so in the same iteration or an earlier one.
  static boolean allowOneLoop(Stmt.For first, Stmt.For second) {
    if (checks(first) || checks(second)) {
      return false;
    }
    List<Access> later = accesses(second.body());
    Set<Var> inside = Rewrites.bound(first.body());
    inside.addAll(Rewrites.bound(second.body()));
    return accesses(first.body()).stream().allMatch(earlier -> later.stream()
        .filter(access -> access.buffer == earlier.buffer && (access.writes || earlier.writes))
        .allMatch(access -> comesInTime(earlier, first.var(), access, second.var(), inside)));
  }

  /// Whether an index says that the iteration of `earlier` is no later one than that of `later`.
  private static boolean comesInTime(Access earlier, Var first, Access later, Var second, Set<Var> inside) {
    return IntStream.range(0, earlier.indices.size()).anyMatch(i -> {
      IndexSum one = IndexSum.of(earlier.indices.get(i));
      IndexSum other = IndexSum.of(Rewrites.substitute(later.indices.get(i), second, new Expr.Ref(first)));
      IndexSum distance = one.plus(other.times(-1));
      // Both use element `stride * iteration + offset`: the difference of their offsets says how many iterations later the second does.
      long stride = one.terms().getOrDefault(new Expr.Ref(first), 0L);
      boolean isKnown = distance.terms().isEmpty() && one.terms().keySet().stream().allMatch(term ->
          term.equals(new Expr.Ref(first)) || isFixed(term, first, inside));
      return isKnown && (stride == 0 ? distance.constant() != 0 : distance.constant() * Long.signum(stride) >= 0);
    });
  }

  /// Whether `term` is the same in all iterations.
  private static boolean isFixed(Expr term, Var counter, Set<Var> inside) {
    return term.nodes().noneMatch(node -> node instanceof Expr.Load
        || node instanceof Expr.Ref(Var var) && (var == counter || inside.contains(var)));
  }

  private static List<Access> accesses(Stmt statement) {
    List<Access> accesses = new ArrayList<>();
    statement.nodes().forEach(node -> {
      if (node instanceof Stmt.Store store) {
        accesses.add(new Access(store.buffer(), store.indices(), true));
      }
      node.exprs().flatMap(Expr::nodes).forEach(expr -> {
        if (expr instanceof Expr.Load load) {
          accesses.add(new Access(load.buffer(), load.indices(), false));
        }
      });
    });
    return accesses;
  }
}
