package dev.einfall.passes.reduce;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// Finds chains of reductions: one reads the result of another, and both go over the same elements of some tensor. That two ranks
/// are the same follows from the accesses: a rank that indexes a reduction's result is the rank of that result.
final class ChainSearch {
  /// Longer terms are not looked into.
  private static final int MOST_NODES = 600;
  /// What costs more is not computed twice, once in the chain and once for others.
  private static final long MOST_OPERATIONS = 8;

  private final Ancestry ancestry;
  private final Consumer<Diagnostic> remarks;
  private final Set<Tensor> settled;
  private final Map<Einsum, Expr> inlined = new IdentityHashMap<>();
  private final Map<Tensor, Optional<Expr>> whole = new IdentityHashMap<>();
  private final Map<Einsum, List<Expr.Access>> accesses = new IdentityHashMap<>();
  private final Map<Einsum, Map<Tensor, List<Expr.Access>>> accessesOf = new IdentityHashMap<>();
  private final Map<Fiber, List<Inner>> inner = new HashMap<>();
  private final Map<Place, Integer> places = new HashMap<>();

  /// @param settled tensors that are left as they are
  ChainSearch(Ancestry ancestry, Consumer<Diagnostic> remarks, Set<Tensor> settled) {
    this.ancestry = ancestry;
    this.settled = settled;
    this.remarks = remarks;
  }

  /// A reduction and one of the ranks that it goes over.
  private record Fiber(Einsum einsum, Rank rank) {
    /// That of the objects: the value of an Einsum is long.
    @Override
    public boolean equals(Object other) {
      return other instanceof Fiber that && einsum == that.einsum && rank == that.rank;
    }

    @Override
    public int hashCode() {
      return 31 * einsum.tensor().hashCode() + rank.hashCode();
    }
  }

  /// The chains of the cascade that are worth a try, in order.
  List<Chain> chains() {
    // In order, so that none has to wait for a long row of others.
    ancestry.cascade().einsums().stream().filter(einsum -> !Exprs.hasReduction(einsum.value())).forEach(this::whole);
    List<Einsum> reductions = ancestry.cascade().einsums().stream()
        .filter(einsum -> !einsum.value().bound().isEmpty() && !settled.contains(einsum.tensor())
            && !ancestry.cascade().mapping().speaksOf(einsum.tensor())).toList();
    Map<Fiber, Fiber> leaders = new LinkedHashMap<>();
    for (Einsum later : reductions) {
      for (Einsum earlier : reductions) {
        if (earlier != later && ancestry.dependsOn(later.tensor(), earlier.tensor())) {
          link(earlier, later, leaders);
        }
      }
    }
    Map<Fiber, List<Fiber>> groups = new LinkedHashMap<>();
    leaders.keySet().forEach(fiber -> groups.computeIfAbsent(leader(fiber, leaders), _ -> new ArrayList<>()).add(fiber));
    List<Chain> chains = new ArrayList<>();
    Set<Tensor> taken = Exprs.identitySet();
    for (List<Fiber> group : groups.values()) {
      List<Fiber> free = ordered(group).stream().filter(fiber -> !taken.contains(fiber.einsum.tensor())).toList();
      chain(free).ifPresent(chain -> {
        chains.add(chain);
        chain.members().forEach(member -> taken.add(member.tensor()));
      });
    }
    return chains;
  }

  private List<Fiber> ordered(List<Fiber> fibers) {
    List<Definition> order = ancestry.cascade().definitions();
    return fibers.stream().sorted(Comparator.comparingInt(fiber -> order.indexOf(fiber.einsum))).toList();
  }

  /// Puts the two into one group if `later` uses `earlier` while it goes over what that went over.
  private void link(Einsum earlier, Einsum later, Map<Fiber, Fiber> leaders) {
    Set<Rank> reduced = Exprs.identitySet();
    reduced.addAll(later.value().bound());
    boolean reads = accesses(later, earlier.tensor()).stream()
        .anyMatch(access -> Exprs.freeRanks(access).stream().noneMatch(reduced::contains));
    if (!reads) {
      return;
    }
    for (Rank left : earlier.value().bound()) {
      for (Rank right : later.value().bound()) {
        if (left.size().equals(right.size()) && shareElements(earlier, left, later, right)) {
          Fiber first = new Fiber(earlier, left);
          Fiber second = new Fiber(later, right);
          leaders.putIfAbsent(first, first);
          leaders.putIfAbsent(second, second);
          leaders.put(leader(second, leaders), leader(first, leaders));
        }
      }
    }
  }

  private static Fiber leader(Fiber fiber, Map<Fiber, Fiber> leaders) {
    Fiber current = fiber;
    while (!leaders.get(current).equals(current)) {
      current = leaders.get(current);
    }
    return current;
  }

  /// Whether both terms read the same dimension of some tensor by the rank that they reduce.
  private boolean shareElements(Einsum earlier, Rank left, Einsum later, Rank right) {
    return accesses(earlier).stream().anyMatch(access -> {
      int dimension = access.indices().indexOf(new Expr.Coordinate(left));
      return dimension >= 0 && accesses(later, access.tensor()).stream()
          .anyMatch(other -> other.indices().get(dimension).equals(new Expr.Coordinate(right)));
    });
  }

  /// The reduction with all elementwise producers inlined.
  private Expr body(Einsum einsum) {
    return inlined.computeIfAbsent(einsum, _ -> wholly(einsum.value()).orElseGet(() -> inline(einsum.value(), tensor -> true)));
  }

  /// `value` with all elementwise producers inlined; empty if that is too long.
  private Optional<Expr> wholly(Expr value) {
    boolean[] isLong = {false};
    Expr all = Exprs.rewrite(value, node -> {
      if (isLong[0] || !(node instanceof Expr.Access access) || access.outside().isPresent()) {
        return node;
      }
      Optional<Einsum> producer = ancestry.elementwise(access.tensor());
      Optional<Expr> inside = producer.flatMap(this::whole);
      isLong[0] |= producer.isPresent() && inside.isEmpty();
      return inside.map(expr -> Exprs.substitute(expr, Deferral.renamed(producer.get().ranks(), access.indices()))).orElse(node);
    });
    return isLong[0] || all.nodes().limit(MOST_NODES + 1).count() > MOST_NODES ? Optional.empty() : Optional.of(all);
  }

  /// The same of an elementwise Einsum: layers build on each other, so each builds on the result for the one before.
  private Optional<Expr> whole(Einsum producer) {
    Optional<Expr> known = whole.get(producer.tensor());
    if (known == null) {
      known = wholly(producer.value());
      whole.put(producer.tensor(), known);
    }
    return known;
  }

  /// The elements that it reads, each once: a norm of norms reads the same ones again and again.
  private List<Expr.Access> accesses(Einsum einsum) {
    return accesses.computeIfAbsent(einsum, _ -> Exprs.accesses(body(einsum)).distinct().toList());
  }

  /// Those of `tensor`.
  private List<Expr.Access> accesses(Einsum einsum, Tensor tensor) {
    return accessesOf.computeIfAbsent(einsum, _ -> {
      Map<Tensor, List<Expr.Access>> byTensor = new IdentityHashMap<>();
      accesses(einsum).forEach(access -> byTensor.computeIfAbsent(access.tensor(), _ -> new ArrayList<>()).add(access));
      return byTensor;
    }).getOrDefault(tensor, List.of());
  }

  private Expr inline(Expr value, Predicate<Tensor> which) {
    Expr current = value;
    while (true) {
      Expr next = Exprs.rewrite(current, node -> inlineOne(node, which));
      boolean changed = next != current;
      if (!changed || next.nodes().limit(MOST_NODES + 1).count() > MOST_NODES) {
        return current;
      }
      current = next;
    }
  }

  private Expr inlineOne(Expr node, Predicate<Tensor> which) {
    if (!(node instanceof Expr.Access access) || access.outside().isPresent() || !which.test(access.tensor())) {
      return node;
    }
    return ancestry.elementwise(access.tensor())
        .map(producer -> Exprs.substitute(producer.value(), Deferral.renamed(producer.ranks(), access.indices())))
        .orElse(node);
  }

  /// The chain of `fibers`, whose ranks are unified as far as their accesses agree; members that do not fit are left out.
  private Optional<Chain> chain(List<Fiber> fibers) {
    List<Fiber> current = fibers;
    while (current.size() > 1) {
      Map<Rank, Rank> same = new IdentityHashMap<>();
      List<Fiber> candidates = current;
      Optional<Fiber> misfit = unify(current, same);
      Optional<Fiber> out = misfit.or(() -> needsStored(candidates));
      if (out.isEmpty()) {
        return Optional.of(chain(current, same));
      }
      misfit.ifPresent(fiber -> decline(fiber, "it reads earlier reductions over the same rank at other indices than its own"));
      current = current.stream().filter(fiber -> fiber != out.get()).toList();
    }
    return Optional.empty();
  }

  private void decline(Fiber fiber, String reason, Diagnostic.Note... notes) {
    remarks.accept(new Diagnostic(Diagnostic.Severity.REMARK, fiber.einsum.span(),
        "'" + fiber.einsum.tensor().name() + "' keeps a pass of its own: " + reason, List.of(notes)));
  }

  /// A member whose term reads a tensor that depends on earlier ones, is not cheap to compute, and is needed element by element
  /// elsewhere: it is stored anyway, and reading it is cheaper than computing it twice.
  private Optional<Fiber> needsStored(List<Fiber> fibers) {
    List<Einsum> einsums = fibers.stream().map(Fiber::einsum).toList();
    Set<Tensor> absorbed = new Absorption(ancestry, einsums).tensors();
    for (Fiber fiber : fibers) {
      for (Tensor tensor : inlinedInto(fiber.einsum, einsums)) {
        boolean costly = Exprs.operations(ancestry.einsum(tensor).orElseThrow().value()) > MOST_OPERATIONS;
        if (costly && !absorbed.contains(tensor)) {
          String who = ancestry.isOutput(tensor) ? "a result" : "needed element by element by '" + ancestry.readers(tensor).stream()
              .map(reader -> reader.tensors().getFirst())
              .filter(reader -> !absorbed.contains(reader) && einsums.stream().noneMatch(einsum -> einsum.tensor() == reader))
              .findFirst().orElseThrow().name() + "'";
          decline(fiber, "'" + tensor.name() + "', which it reduces, is " + who,
              new Diagnostic.Note(tensor.span(), "'" + tensor.name() + "' is computed here"));
          return Optional.of(fiber);
        }
      }
    }
    return Optional.empty();
  }

  /// The elementwise producers that the term of `einsum` reads and that depend on one of `members`.
  private List<Tensor> inlinedInto(Einsum einsum, List<Einsum> members) {
    List<Tensor> found = new ArrayList<>();
    collect(einsum.value(), members, found);
    return found;
  }

  private void collect(Expr value, List<Einsum> members, List<Tensor> found) {
    Exprs.accesses(value).map(Expr.Access::tensor).distinct().forEach(tensor -> {
      boolean depends = members.stream().anyMatch(member -> ancestry.dependsOn(tensor, member.tensor()));
      if (depends && ancestry.elementwise(tensor).isPresent() && !found.contains(tensor)) {
        found.add(tensor);
        collect(ancestry.elementwise(tensor).get().value(), members, found);
      }
    });
  }

  /// Makes ranks the same by which one member reads another; gives a member in which two ranks would become one, if there is one.
  private Optional<Fiber> unify(List<Fiber> fibers, Map<Rank, Rank> same) {
    Fiber first = fibers.getFirst();
    for (Fiber fiber : fibers) {
      join(first.rank, fiber.rank, same);
      for (Fiber earlier : fibers) {
        for (Expr.Access access : accesses(fiber.einsum, earlier.einsum.tensor())) {
          for (int i = 0; i < access.indices().size(); i++) {
            if (!(access.indices().get(i) instanceof Expr.Coordinate(Rank rank)) || !fiber.einsum.ranks().contains(rank)) {
              return Optional.of(fiber);
            }
            join(earlier.einsum.ranks().get(i), rank, same);
          }
        }
      }
    }
    joinInner(fibers, same);
    return fibers.stream().filter(fiber -> {
      List<Rank> own = new ArrayList<>(fiber.einsum.ranks());
      own.addAll(fiber.einsum.value().bound());
      return own.stream().map(rank -> find(rank, same)).distinct().count() < own.size();
    }).findFirst();
  }

  /// Further ranks that two members reduce are the same where they index the same dimension of a tensor that both go over.
  private void joinInner(List<Fiber> fibers, Map<Rank, Rank> same) {
    Map<Integer, List<Inner>> byPlace = new LinkedHashMap<>();
    for (Fiber fiber : fibers) {
      for (Inner inner : inner.computeIfAbsent(fiber, this::inner)) {
        byPlace.computeIfAbsent(inner.place, _ -> new ArrayList<>()).add(inner);
      }
    }
    for (List<Inner> ranks : byPlace.values()) {
      if (ranks.getLast().fiber != ranks.getFirst().fiber) {
        ranks.forEach(inner -> join(ranks.getFirst().rank, inner.rank, same));
      }
    }
  }

  /// Where an access has an index.
  ///
  /// @param along the dimension that the rank of the fiber indexes there; -1 if none
  private record Place(Tensor tensor, int along, int dimension) {}

  /// A rank that a member reduces, and where it stands in an access.
  ///
  /// @param place the number of the [Place]
  private record Inner(Fiber fiber, int place, Rank rank) {}

  /// The places of the ranks that `fiber` reduces, each once: hundreds of accesses have few.
  private List<Inner> inner(Fiber fiber) {
    Expr.Coordinate along = new Expr.Coordinate(fiber.rank);
    Set<Inner> found = new LinkedHashSet<>();
    for (Expr.Access access : accesses(fiber.einsum)) {
      for (int i = 0; i < access.indices().size(); i++) {
        if (access.indices().get(i) instanceof Expr.Coordinate(Rank rank) && fiber.einsum.value().bound().contains(rank)) {
          Place place = new Place(access.tensor(), access.indices().indexOf(along), i);
          found.add(new Inner(fiber, places.computeIfAbsent(place, _ -> places.size()), rank));
        }
      }
    }
    return List.copyOf(found);
  }

  private static void join(Rank left, Rank right, Map<Rank, Rank> same) {
    Rank a = find(left, same);
    Rank b = find(right, same);
    if (a != b) {
      same.put(b, a);
    }
  }

  private static Rank find(Rank rank, Map<Rank, Rank> same) {
    Rank current = rank;
    while (same.containsKey(current)) {
      current = same.get(current);
    }
    return current;
  }

  private Chain chain(List<Fiber> fibers, Map<Rank, Rank> same) {
    Rank rank = find(fibers.getFirst().rank, same);
    List<Einsum> einsums = fibers.stream().map(Fiber::einsum).toList();
    Set<Tensor> absorbed = new Absorption(ancestry, einsums).tensors();
    List<Chain.Member> members = new ArrayList<>();
    List<Rank> ranks = new ArrayList<>();
    for (Einsum einsum : einsums) {
      List<Rank> own = einsum.ranks().stream().map(r -> find(r, same)).toList();
      List<Rank> inner = einsum.value().bound().stream().map(r -> find(r, same)).filter(r -> r != rank).toList();
      List<Expr> bodies = einsum.value().children().map(body -> renamed(inline(body, tensor -> absorbed.contains(tensor)
          || einsums.stream().anyMatch(other -> ancestry.dependsOn(tensor, other.tensor()))), same)).toList();
      members.add(new Chain.Member(einsum, own, inner, bodies));
      own.stream().filter(r -> !ranks.contains(r)).forEach(ranks::add);
    }
    return new Chain(rank, members, absorbed, ranks);
  }

  private static Expr renamed(Expr expr, Map<Rank, Rank> same) {
    return Exprs.rewrite(expr, node -> node instanceof Expr.Coordinate(Rank rank) ? new Expr.Coordinate(find(rank, same)) : node);
  }
}
