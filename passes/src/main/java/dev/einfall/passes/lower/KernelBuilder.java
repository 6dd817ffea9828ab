package dev.einfall.passes.lower;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/// Builds the kernel of one Einsum or fusion group, and its schedule under the names of the kernel's loops.
final class KernelBuilder {
  /// A kernel, the tensors that stand for its parameters, and its schedule.
  record Result(Kernel kernel, List<Tensor> tensors, Schedule schedule) {}

  private final List<Einsum> members;
  private final int shared;
  private final Predicate<Tensor> isLocal;
  private final Mapping mapping;
  private final Map<Tensor, Buffer> parameters = new LinkedHashMap<>();
  private final Map<Tensor, Buffer> locals = new LinkedHashMap<>();
  private final Set<String> names = new HashSet<>();
  private final List<Mapping.Split> splits = new ArrayList<>();
  private final List<String> order = new ArrayList<>();
  private final List<Mapping.Bound> bindings = new ArrayList<>();
  private final List<String> reductions = new ArrayList<>();

  KernelBuilder(List<Einsum> members, int shared, Predicate<Tensor> isLocal, Mapping mapping) {
    this.members = members;
    this.shared = shared;
    this.isLocal = isLocal;
    this.mapping = mapping;
  }

  Result build() {
    List<Rank> rows = members.getFirst().ranks().subList(0, shared);
    List<Var> outer = rows.stream().map(rank -> Var.counter(unique(rank.name()))).toList();
    outer.forEach(counter -> order.add(counter.name()));
    members.stream().map(Einsum::tensor).filter(isLocal).forEach(tensor -> locals.put(tensor, local(tensor)));
    List<Stmt> statements = new ArrayList<>();
    for (Einsum member : members) {
      statements.add(nest(member, outer));
    }
    Stmt body = Stmt.block(statements);
    for (Buffer buffer : List.copyOf(locals.values()).reversed()) {
      body = new Stmt.Alloc(buffer, body);
    }
    for (int i = outer.size() - 1; i >= 0; i--) {
      body = loop(outer.get(i), rows.get(i), body, members.getFirst());
    }
    Einsum last = members.getLast();
    List<Tensor> tensors = ordered();
    Kernel kernel = new Kernel(last.tensor().name(), tensors.stream().map(parameters::get).toList(), body, last.span());
    return new Result(kernel, tensors, new Schedule(splits, order, bindings, reductions));
  }

  /// The tensors of the parameters: those that are read, then those that are written.
  private List<Tensor> ordered() {
    List<Tensor> written = members.stream().map(Einsum::tensor).filter(parameters::containsKey).toList();
    List<Tensor> tensors = new ArrayList<>(parameters.keySet());
    tensors.removeAll(written);
    tensors.addAll(written);
    return tensors;
  }

  private Buffer local(Tensor tensor) {
    List<Size> extents = tensor.shape().subList(shared, tensor.shape().size());
    return new Buffer(tensor.name(), tensor.type(), extents.stream().map(Size::value).toList(), Buffer.Space.LOCAL);
  }

  /// The loops of one Einsum inside the shared ones.
  private Stmt nest(Einsum einsum, List<Var> outer) {
    Map<Rank, Var> counters = new IdentityHashMap<>();
    for (int i = 0; i < outer.size(); i++) {
      counters.put(einsum.ranks().get(i), outer.get(i));
    }
    List<Rank> own = einsum.ranks().subList(outer.size(), einsum.ranks().size());
    own.forEach(rank -> counters.put(rank, Var.counter(unique(rank.name()))));
    reducedRanks(einsum).forEach(rank -> {
      counters.put(rank, Var.counter(unique(rank.name())));
      reductions.add(counters.get(rank).name());
    });
    ValueBuilder values = new ValueBuilder(einsum.span(), counters, this::access);
    Stmt body = values.statement(einsum.value(), output(einsum, counters));
    for (Rank rank : own.reversed()) {
      body = loop(counters.get(rank), rank, Stmt.block(values.checksFor(rank, own, body)), einsum);
    }
    schedule(einsum, counters);
    return Stmt.block(values.checksOutside(own, body));
  }

  private static List<Rank> reducedRanks(Einsum einsum) {
    List<Rank> ranks = new ArrayList<>();
    einsum.value().nodes().flatMap(node -> node.bound().stream()).distinct().forEach(ranks::add);
    return ranks;
  }

  private static Stmt loop(Var counter, Rank rank, Stmt body, Einsum einsum) {
    return new Stmt.For(counter, dev.einfall.ir.loop.Expr.index(rank.size().value()), Stmt.For.Kind.SERIAL, body, einsum.span());
  }

  private ValueBuilder.Place output(Einsum einsum, Map<Rank, Var> counters) {
    return access(einsum.tensor(), einsum.ranks().stream()
        .<dev.einfall.ir.loop.Expr>map(rank -> new dev.einfall.ir.loop.Expr.Ref(counters.get(rank))).toList());
  }

  /// The buffer of a tensor, and the indices that are left in it: a local buffer has no shared ranks.
  private ValueBuilder.Place access(Tensor tensor, List<dev.einfall.ir.loop.Expr> indices) {
    Buffer local = locals.get(tensor);
    if (local != null) {
      return new ValueBuilder.Place(local, indices.subList(shared, indices.size()));
    }
    Buffer buffer = parameters.computeIfAbsent(tensor, _ -> new Buffer(
        tensor.name(), tensor.type(), tensor.shape().stream().map(Size::value).toList(), Buffer.Space.GLOBAL));
    return new ValueBuilder.Place(buffer, indices);
  }

  /// Adds the Einsum's mapping under the names of this kernel's loops.
  private void schedule(Einsum einsum, Map<Rank, Var> counters) {
    mapping.nest(einsum.tensor()).ifPresent(nest -> {
      Map<String, String> renamed = new LinkedHashMap<>();
      counters.forEach((rank, counter) -> renamed.put(rank.name(), counter.name()));
      for (Mapping.Split split : nest.splits()) {
        splits.add(new Mapping.Split(renamed.get(split.rank()), split.factors()));
        for (int level = 0; level <= split.factors().size(); level++) {
          renamed.put(split.rank() + level, renamed.get(split.rank()) + level);
        }
      }
      nest.order().stream().map(renamed::get).filter(name -> !order.contains(name)).forEach(order::add);
      for (Mapping.Bound bound : nest.bindings()) {
        Mapping.Bound here = new Mapping.Bound(renamed.get(bound.loop()), bound.binding());
        if (!bindings.contains(here)) {
          bindings.add(here);
        }
      }
    });
  }

  private String unique(String name) {
    String candidate = name;
    for (char letter = 'a'; !names.add(candidate); letter++) {
      candidate = name + letter;
    }
    return candidate;
  }
}
