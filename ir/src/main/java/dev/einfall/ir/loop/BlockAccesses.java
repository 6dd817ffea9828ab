package dev.einfall.ir.loop;

import dev.einfall.ir.loop.Stmt.For.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What the threads of a block load and store between two barriers. It says where a [Stmt.Barrier] is needed: the pass that places them and the
/// verifier that looks for missing ones ask the same questions.
///
/// Accesses are those to `GLOBAL` and `SHARED` buffers; registers and `LOCAL` buffers are a thread's own.
public record BlockAccesses(List<Access> accesses) {
  public static final BlockAccesses NONE = new BlockAccesses(List.of());
  /// Stands for the counter of every loop that is dealt to threads, warps or groups of these.
  private static final Var COUNTER = Var.counter("thread");

  /// A load or a store.
  ///
  /// @param indices by the counter of the `THREAD`, `WARP` or `WARPGROUP` loop around it and what stands outside of that loop; an index that depends on more is
  ///     empty
  /// @param extent that of the loop; empty outside of such loops, where all threads load the same
  /// @param kind that of the loop; `SERIAL` outside of such loops
  public record Access(Buffer buffer, List<Optional<Expr>> indices, Optional<Expr> extent, Kind kind, boolean writes) {

    /// Whether both may be of one element, one is a store, and not the same thread does both.
    private boolean conflictsWith(Access other) {
      return buffer == other.buffer && (writes || other.writes) && !isByTheSameThread(other);
    }

    private boolean isByTheSameThread(Access other) {
      if (extent.isEmpty() || other.extent.isEmpty() || kind != other.kind) {
        return false;
      }
      Expr one = Expr.index(1);
      boolean areFirst = extent.get().equals(one) && other.extent.get().equals(one);
      List<Expr> equal = IntStream.range(0, indices.size()).filter(i -> indices.get(i).equals(other.indices.get(i)))
          .mapToObj(indices::get).flatMap(Optional::stream).toList();
      return areFirst || CounterDigits.tell(equal, COUNTER, extent.equals(other.extent) ? extent.get() : Expr.index(Integer.MAX_VALUE));
    }

    private Access forgetting(Set<Var> changed) {
      return new Access(buffer, indices.stream().map(index -> index.filter(known ->
          known.nodes().noneMatch(node -> node instanceof Expr.Ref(Var var) && changed.contains(var)))).toList(), extent, kind, writes);
    }
  }

  public BlockAccesses {
    accesses = List.copyOf(accesses);
  }

  /// What all threads load to know `exprs`.
  public static BlockAccesses of(Stream<Expr> exprs) {
    List<Access> found = new ArrayList<>();
    exprs.flatMap(Expr::nodes).forEach(node -> {
      if (node instanceof Expr.Load load && isShared(load.buffer())) {
        found.add(new Access(load.buffer(), load.indices().stream().map(Optional::of).toList(), Optional.empty(), Kind.SERIAL, false));
      }
    });
    return new BlockAccesses(found);
  }

  /// What the iterations of a `THREAD`, `WARP` or `WARPGROUP` loop use, and what all threads load to know its extent.
  public static BlockAccesses of(Stmt.For loop) {
    List<Access> found = new ArrayList<>(of(Stream.of(loop.extent())).accesses);
    Set<Var> inside = bound(loop.body());
    Map<Var, Expr> lets = new IdentityHashMap<>();
    lets.put(loop.var(), new Expr.Ref(COUNTER));
    loop.body().nodes().forEach(statement -> {
      if (statement instanceof Stmt.Let(Var var, Expr value, Stmt _)) {
        lets.put(var, replaced(value, lets));
      } else if (statement instanceof Stmt.Store store && isShared(store.buffer())) {
        found.add(access(store.buffer(), store.indices(), loop, lets, inside, true));
      }
      statement.exprs().flatMap(Expr::nodes).forEach(node -> {
        if (node instanceof Expr.Load load && isShared(load.buffer())) {
          found.add(access(load.buffer(), load.indices(), loop, lets, inside, false));
        }
      });
    });
    return new BlockAccesses(found);
  }

  private static Access access(Buffer buffer, List<Expr> indices, Stmt.For loop, Map<Var, Expr> lets, Set<Var> inside, boolean writes) {
    List<Optional<Expr>> known = indices.stream().map(index -> Optional.of(replaced(index, lets)).filter(expr ->
        expr.nodes().noneMatch(node -> node instanceof Expr.Load || node instanceof Expr.Ref(Var var) && inside.contains(var)))).toList();
    return new Access(buffer, known, Optional.of(loop.extent()), loop.kind(), writes);
  }

  /// Both together.
  public BlockAccesses and(BlockAccesses other) {
    List<Access> all = new ArrayList<>(accesses);
    other.accesses.stream().filter(access -> !accesses.contains(access)).forEach(all::add);
    return new BlockAccesses(all);
  }

  /// Whether a thread may use an element in one of these that another thread uses in one of `other`, and one of both stores to it.
  public boolean conflictsWith(BlockAccesses other) {
    return accesses.stream().anyMatch(access -> other.accesses.stream().anyMatch(access::conflictsWith));
  }

  /// The same seen from the next iteration of `loop`, where what is bound there has other values.
  public BlockAccesses afterIteration(Stmt.For loop) {
    Set<Var> changed = bound(loop.body());
    changed.add(loop.var());
    return new BlockAccesses(accesses.stream().map(access -> access.forgetting(changed)).distinct().toList());
  }

  private static boolean isShared(Buffer buffer) {
    return buffer.space() == Buffer.Space.GLOBAL || buffer.space() == Buffer.Space.SHARED;
  }

  private static Expr replaced(Expr expr, Map<Var, Expr> values) {
    return expr instanceof Expr.Ref(Var var) ? values.getOrDefault(var, expr) : expr.mapChildren(child -> replaced(child, values));
  }

  private static Set<Var> bound(Stmt statement) {
    Set<Var> bound = Collections.newSetFromMap(new IdentityHashMap<>());
    statement.nodes().forEach(node -> {
      if (node instanceof Stmt.For loop) {
        bound.add(loop.var());
      } else if (node instanceof Stmt.Let let) {
        bound.add(let.var());
      }
    });
    return bound;
  }
}
