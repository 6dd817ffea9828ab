package dev.einfall.ir.cascade;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The ranks that definitions have in common, so that one loop over each can go around all of them: at one point of these
/// ranks every definition writes, and reads of the others, elements at that point alone.
///
/// ```
/// MX[p] = max[m](S[p, m])
/// E[m, q] = exp(S[q, m] - MX[q])        p of MX is q of E, dimension 0 of MX, and dimension 1 of E
/// ```
///
/// The ranks of the first definition are known by name; those of the others follow from what they read of each other. Where
/// nothing follows, they are the ranks at the same place.
public final class SharedRanks {

  /// What writes one tensor: an Einsum, or one update.
  private record Writer(Definition definition, Tensor tensor, List<Rank> ranks, List<Expr> indices, List<Expr> exprs) {

    static Stream<Writer> of(Definition definition) {
      return switch (definition) {
        case Einsum einsum -> Stream.of(new Writer(einsum, einsum.tensor(), einsum.ranks(),
            einsum.ranks().stream().<Expr>map(Expr.Coordinate::new).toList(), List.of(einsum.value())));
        case Recurrence recurrence -> recurrence.updates().stream().map(update ->
            new Writer(recurrence, update.tensor(), update.ranks(), update.indices(), update.exprs().toList()));
      };
    }

    /// What it reads and writes of the tensors of the group.
    List<Expr.Access> accesses(Map<Tensor, Integer> dimensions) {
      return Stream.concat(Stream.of(new Expr.Access(tensor, indices)), exprs.stream().flatMap(Expr::nodes)
          .flatMap(node -> node instanceof Expr.Access access ? Stream.of(access) : Stream.empty()))
          .filter(access -> dimensions.containsKey(access.tensor())).toList();
    }
  }

  private static final int UNKNOWN = -1;

  private final List<Writer> writers;
  private final List<Rank[]> ranks = new ArrayList<>();
  private final List<Map<Tensor, Integer>> dimensions = new ArrayList<>();
  private final Optional<String> problem;

  /// Finds what `members` share with the ranks of the first that are called `names`.
  public SharedRanks(List<? extends Definition> members, List<String> names) {
    this.writers = members.stream().flatMap(Writer::of).toList();
    this.problem = names.stream().map(name -> find(members, name)).flatMap(Optional::stream).findFirst()
        .or(() -> names.isEmpty() ? Optional.empty() : conditional(members));
  }

  /// Why the definitions do not share these ranks; empty if they do.
  public Optional<String> problem() {
    return problem;
  }

  /// The ranks of `einsum` that are shared.
  public List<Rank> of(Einsum einsum) {
    return of(einsum.ranks());
  }

  /// The ranks of `update` that are shared.
  public List<Rank> of(Recurrence.Update update) {
    return of(update.ranks());
  }

  private List<Rank> of(List<Rank> own) {
    int writer = 0;
    while (!writers.get(writer).ranks.equals(own)) {
      writer++;
    }
    int found = writer;
    return ranks.stream().map(shared -> shared[found]).toList();
  }

  /// The dimensions of `tensor`, which one of the definitions defines, that are shared.
  public List<Integer> dimensions(Tensor tensor) {
    return dimensions.stream().map(shared -> shared.get(tensor)).toList();
  }

  private static Optional<String> conditional(List<? extends Definition> members) {
    return members.stream().anyMatch(member -> member instanceof Recurrence recurrence && recurrence.condition().isPresent())
        ? Optional.of("a recurrence with `while` stops at all points together") : Optional.empty();
  }

  private Optional<String> find(List<? extends Definition> members, String name) {
    Rank[] found = new Rank[writers.size()];
    Map<Tensor, Integer> known = new IdentityHashMap<>();
    members.forEach(member -> member.tensors().forEach(tensor -> known.put(tensor, UNKNOWN)));
    Optional<Rank> first = writers.getFirst().ranks.stream().filter(rank -> rank.name().equals(name)).findFirst();
    if (first.isEmpty()) {
      return Optional.of("`" + writers.getFirst().tensor.name() + "` has no index `" + name + "`; its indices are "
          + String.join(", ", writers.getFirst().ranks.stream().map(Rank::name).toList()));
    }
    found[0] = first.get();
    spread(found, known);
    int place = writers.getFirst().ranks.indexOf(first.get());
    for (int i = 1; i < found.length; i++) {
      if (found[i] == null && place < writers.get(i).ranks.size()) {
        found[i] = writers.get(i).ranks.get(place);
        spread(found, known);
      }
    }
    ranks.add(found);
    dimensions.add(known);
    return problem(name, found, known);
  }

  /// Follows ranks to dimensions and back until nothing new is found.
  private void spread(Rank[] found, Map<Tensor, Integer> known) {
    boolean changed = true;
    while (changed) {
      changed = false;
      for (int i = 0; i < found.length; i++) {
        for (Expr.Access access : writers.get(i).accesses(known)) {
          changed |= found[i] == null ? toRank(i, access, found, known) : toDimension(found[i], access, known);
        }
      }
    }
  }

  private boolean toRank(int writer, Expr.Access access, Rank[] found, Map<Tensor, Integer> known) {
    int dimension = known.get(access.tensor());
    if (dimension == UNKNOWN || !(access.indices().get(dimension) instanceof Expr.Coordinate(Rank rank))
        || !writers.get(writer).ranks.contains(rank)) {
      return false;
    }
    found[writer] = rank;
    return true;
  }

  private static boolean toDimension(Rank rank, Expr.Access access, Map<Tensor, Integer> known) {
    int dimension = access.indices().indexOf(new Expr.Coordinate(rank));
    return known.get(access.tensor()) == UNKNOWN && dimension >= 0 && known.put(access.tensor(), dimension) == UNKNOWN;
  }

  private Optional<String> problem(String name, Rank[] found, Map<Tensor, Integer> known) {
    for (int i = 0; i < found.length; i++) {
      Writer writer = writers.get(i);
      if (found[i] == null) {
        return Optional.of("`" + writer.tensor.name() + "` has no index that goes with `" + name + "`");
      }
      if (!found[i].size().equals(found[0].size())) {
        return Optional.of("`" + found[i].name() + "` of `" + writer.tensor.name() + "` runs to " + found[i].size()
            + " and `" + name + "` to " + found[0].size());
      }
      int own = known.get(writer.tensor);
      if (own != UNKNOWN && !writer.tensor.shape().get(own).equals(found[i].size())) {
        return Optional.of("`" + writer.tensor.name() + "` is written at " + found[i].size() + " of the "
            + writer.tensor.shape().get(own) + " places of `" + found[i].name() + "` only");
      }
      for (Expr.Access access : writer.accesses(known)) {
        int dimension = known.get(access.tensor());
        if (dimension == UNKNOWN || !access.indices().get(dimension).equals(new Expr.Coordinate(found[i]))) {
          return Optional.of("`" + writer.tensor.name() + "` needs `" + access.tensor().name() + "` at other places than its own `"
              + found[i].name() + "`");
        }
      }
    }
    return Optional.empty();
  }
}
