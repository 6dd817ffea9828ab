package dev.einfall.ir.cascade;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The ranks that definitions have in common, so that one loop over each can go around all of them: at one point of these
/// ranks every definition writes, and reads of the others, elements at that point alone.
///
/// ```
/// MX[p] = max[m](S[p, m])
/// E[m, q] = exp(S[q, m] - MX[q])        p of MX is q of E, dimension 0 of MX, and dimension 1 of E
/// ```
///
/// Along the last of the ranks an Einsum may be read at other places, too: at each point it is computed for the [Window] that the
/// others need there, and the elements that two points need are computed for both.
///
/// ```
/// A[y] = f(X[y])
/// D[y] = max[r in 0..3](A[2 * y + r - 1] or 0)      of A, point y needs 2 * y - 1 to 2 * y + 1
/// ```
///
/// The ranks of the first definition are known by name; those of the others follow from what they read of each other. Where
/// nothing follows, they are the ranks at the same place.
public final class SharedRanks {
  private static final int UNKNOWN = -1;

  private final List<GroupWriter> writers;
  private final List<String> names;
  private final List<Rank[]> ranks = new ArrayList<>();
  private final List<Map<Tensor, Integer>> dimensions = new ArrayList<>();
  private final Optional<String> problem;
  private Map<Tensor, Window> windows;

  /// Finds what `members`, in the order of the cascade, share with the ranks of the first that are called `names`.
  public SharedRanks(List<? extends Definition> members, List<String> names) {
    this.writers = members.stream().flatMap(GroupWriter::of).toList();
    this.names = names;
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

  /// The ranks of `writer` that are shared.
  public List<Rank> of(GroupWriter writer) {
    return of(writer.ranks());
  }

  private List<Rank> of(List<Rank> own) {
    int writer = 0;
    while (!writers.get(writer).ranks().equals(own)) {
      writer++;
    }
    int found = writer;
    return ranks.stream().map(shared -> shared[found]).toList();
  }

  /// The dimensions of `tensor`, which one of the definitions defines, that are shared.
  public List<Integer> dimensions(Tensor tensor) {
    return dimensions.stream().map(shared -> shared.get(tensor)).toList();
  }

  /// How many points the last shared rank has.
  public int extent() {
    return last().whole().size().value();
  }

  /// What a point of the last shared rank needs of `tensor`, which one of the definitions defines. Sizes must be known.
  public Window window(Tensor tensor) {
    if (windows == null) {
      windows = names.isEmpty() ? Map.of() : last().all();
    }
    return windows.getOrDefault(tensor, Window.POINT);
  }

  /// Whether what the points of the last shared rank need of `tensor` is not one place each, and every place once.
  public boolean isWindowed(Tensor tensor) {
    int dimension = names.isEmpty() ? UNKNOWN : dimensions.getLast().get(tensor);
    return dimension != UNKNOWN
        && !(window(tensor).equals(Window.POINT) && tensor.shape().get(dimension).equals(last().whole().size()));
  }

  /// Whether this is so for one of the tensors; sizes need not be known.
  public boolean hasWindows() {
    return !names.isEmpty() && problem.isEmpty() && last().move();
  }

  private SharedWindows last() {
    return new SharedWindows(writers, ranks.getLast(), dimensions.getLast());
  }

  private static Optional<String> conditional(List<? extends Definition> members) {
    return members.stream().anyMatch(member -> member instanceof Recurrence recurrence && recurrence.condition().isPresent())
        ? Optional.of("a recurrence with `while` stops at all points together") : Optional.empty();
  }

  private Optional<String> find(List<? extends Definition> members, String name) {
    Rank[] found = new Rank[writers.size()];
    Map<Tensor, Integer> known = new IdentityHashMap<>();
    members.forEach(member -> member.tensors().forEach(tensor -> known.put(tensor, UNKNOWN)));
    Optional<Rank> first = writers.getFirst().ranks().stream().filter(rank -> rank.name().equals(name)).findFirst();
    if (first.isEmpty()) {
      return Optional.of("`" + writers.getFirst().tensor().name() + "` has no index `" + name + "`; its indices are "
          + String.join(", ", writers.getFirst().ranks().stream().map(Rank::name).toList()));
    }
    found[0] = first.get();
    spread(found, known);
    int place = writers.getFirst().ranks().indexOf(first.get());
    for (int i = 1; i < found.length; i++) {
      if (found[i] == null && place < writers.get(i).ranks().size()) {
        found[i] = writers.get(i).ranks().get(place);
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
    if (dimension == UNKNOWN) {
      return false;
    }
    List<Rank> moving = writers.get(writer).ranks().stream()
        .filter(rank -> MovingIndex.of(access.indices().get(dimension), rank).isPresent()).toList();
    found[writer] = moving.size() == 1 ? moving.getFirst() : null;
    return moving.size() == 1;
  }

  private static boolean toDimension(Rank rank, Expr.Access access, Map<Tensor, Integer> known) {
    if (known.get(access.tensor()) != UNKNOWN) {
      return false;
    }
    int dimension = access.indices().indexOf(new Expr.Coordinate(rank));
    for (int i = 0; i < access.indices().size() && dimension < 0; i++) {
      dimension = MovingIndex.of(access.indices().get(i), rank).isPresent() ? i : UNKNOWN;
    }
    return dimension >= 0 && known.put(access.tensor(), dimension) == UNKNOWN;
  }

  /// Why the ranks found do not fit; the first may be of more points where the group goes by those of another.
  private Optional<String> problem(String name, Rank[] found, Map<Tensor, Integer> known) {
    boolean mayMove = name.equals(names.getLast());
    SharedWindows moving = new SharedWindows(writers, found, known);
    Rank whole = mayMove ? moving.whole() : found[0];
    for (int i = 0; i < found.length; i++) {
      GroupWriter writer = writers.get(i);
      if (found[i] == null) {
        return Optional.of("`" + writer.tensor().name() + "` has no index that goes with `" + name + "`");
      }
      if ((!mayMove || moving.isWhole(i)) && !found[i].size().equals(whole.size())) {
        return Optional.of("`" + found[i].name() + "` of `" + writer.tensor().name() + "` runs to " + found[i].size()
            + " and `" + whole.name() + "` to " + whole.size());
      }
      int own = known.get(writer.tensor());
      if (own != UNKNOWN && !writer.tensor().shape().get(own).equals(found[i].size())) {
        return Optional.of("`" + writer.tensor().name() + "` is written at " + found[i].size() + " of the "
            + writer.tensor().shape().get(own) + " places of `" + found[i].name() + "` only");
      }
      Rank rank = found[i];
      Optional<String> access = writer.accesses(known).stream()
          .flatMap(one -> problem(name, writer, rank, one, known).stream()).findFirst();
      if (access.isPresent()) {
        return access;
      }
    }
    return mayMove ? moving.problem() : Optional.empty();
  }

  private Optional<String> problem(String name, GroupWriter writer, Rank rank, Expr.Access access, Map<Tensor, Integer> known) {
    int dimension = known.get(access.tensor());
    Optional<MovingIndex> index = dimension == UNKNOWN ? Optional.empty() : MovingIndex.of(access.indices().get(dimension), rank);
    if (index.filter(MovingIndex::isPoint).isPresent()) {
      return Optional.empty();
    }
    String elsewhere = "`" + writer.tensor().name() + "` needs `" + access.tensor().name() + "` at other places than its own `"
        + rank.name() + "`";
    boolean ofEinsums = writer.isEinsum() && writers.stream()
        .filter(other -> other.tensor() == access.tensor()).allMatch(GroupWriter::isEinsum);
    if (index.isEmpty() || !ofEinsums) {
      return Optional.of(elsewhere);
    }
    return name.equals(names.getLast()) ? Optional.empty()
        : Optional.of(elsewhere + "; only the last index that a group shares may go there");
  }
}
