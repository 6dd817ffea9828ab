package dev.einfall.ir.cascade;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// How a cascade is computed, apart from what it computes: a loop nest for each Einsum, and the Einsums that share
/// one kernel. Keyed by the tensor that an Einsum defines. A cascade without any runs with the compiler's own choice.
///
/// ```
/// map Y {
///   flatten b m
///   split n 32 16
///   split bm 12
///   order n2 bm1 k bm0 n1 n0
///   parallel n2
///   unroll bm0 n1
///   vectorize n0
/// }
/// map E { fuse MX E D over b h p by 64 }
/// map D { layout d p }
/// map H { schedule chunked 64 }
/// ```
public record Mapping(List<Nest> nests, List<Group> groups, List<Layout> layouts, List<Schedule> schedules) {

  /// What a loop of a nest becomes. A loop without a binding is serial.
  public enum Binding { PARALLEL, UNROLL, VECTORIZE }

  /// The neighbouring output ranks `ranks`, from the outermost, seen as one: `flatten b m` makes one rank `bm` of both, which splits and loops
  /// speak of in their place (the `flatten` of TeAAL, https://arxiv.org/abs/2304.07931).
  public record Flatten(List<String> ranks) {
    public Flatten {
      ranks = List.copyOf(ranks);
    }

    /// The name of the one rank.
    public String name() {
      return String.join("", ranks);
    }
  }

  /// The rank named `rank` cut into tiles of `factors`, outermost first: `split n 32 16` makes the loops `n2` (over
  /// tiles of 32), `n1` (over the 2 vectors of a tile) and `n0` (over 16 lanes). The last tile may be partial.
  public record Split(String rank, List<Integer> factors) {
    public Split {
      factors = List.copyOf(factors);
    }
  }

  /// A loop, by name, and what it becomes.
  public record Bound(String loop, Binding binding) {}

  /// The loops of the Einsum that defines `tensor`, or of the update of it. Loops that `order` does not name keep their place.
  public record Nest(Tensor tensor, List<Flatten> flattened, List<Split> splits, List<String> order, List<Bound> bindings) {
    public Nest {
      flattened = List.copyOf(flattened);
      splits = List.copyOf(splits);
      order = List.copyOf(order);
      bindings = List.copyOf(bindings);
    }

    /// With all ranks as they are.
    public Nest(Tensor tensor, List<Split> splits, List<String> order, List<Bound> bindings) {
      this(tensor, List.of(), splits, order, bindings);
    }

    /// The same loops for what defines `other`.
    public Nest of(Tensor other) {
      return new Nest(other, flattened, splits, order, bindings);
    }

    /// Those of `ranks` that loops go over, and in the place of flattened ones what they are together.
    public List<String> loopRanks(List<String> ranks) {
      List<String> flat = new ArrayList<>(ranks);
      for (Flatten flatten : flattened) {
        flat.set(flat.indexOf(flatten.ranks().getFirst()), flatten.name());
        flat.removeAll(flatten.ranks());
      }
      return flat;
    }
  }

  /// Definitions, in order, that become one kernel; a recurrence is known by its first state. They share the loops over
  /// the ranks `shared`, named as in the first of them (for a recurrence, in its first update; [SharedRanks] finds those
  /// of the others); inside one point of these, or of `tile` coordinates of the last, each runs whole before the next.
  /// What nobody else reads lives in the kernel, for one point or tile at a time.
  public record Group(List<Tensor> members, List<String> shared, int tile) {
    public Group {
      members = List.copyOf(members);
      shared = List.copyOf(shared);
    }

    public Group(List<Tensor> members, List<String> shared) {
      this(members, shared, 1);
    }
  }

  /// The order in memory, outermost first, of the ranks of a tensor that lives in a kernel, named as in the Einsum or the
  /// first update that writes it.
  public record Layout(Tensor tensor, List<String> ranks) {
    public Layout {
      ranks = List.copyOf(ranks);
    }
  }

  /// How the steps of a recurrence are taken.
  public enum Way {
    /// One after the other.
    STEPS(false),
    /// In blocks of `number` steps, each as a whole: of a recurrence that is linear in its states.
    CHUNKED(true),
    /// In `number` parts that are computed beside each other, and then corrected: of a recurrence that is linear in its states.
    SCAN(true),
    /// All at once from what was last thought of them, until nothing changes.
    JACOBI(false),
    /// Those of a diagonal beside each other: of two step ranks.
    WAVEFRONT(false);

    private final boolean takesNumber;

    Way(boolean takesNumber) {
      this.takesNumber = takesNumber;
    }

    /// Whether a number of steps or parts belongs to it.
    public boolean takesNumber() {
      return takesNumber;
    }

    /// The word in the text.
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }

    /// The way that is written `text`, if there is one.
    public static Optional<Way> named(String text) {
      return Arrays.stream(values()).filter(way -> way.text().equals(text)).findFirst();
    }
  }

  /// How the steps of the recurrence that has the state `tensor` are taken.
  ///
  /// @param number of steps in a block, or of parts; 0 for ways that take none
  public record Schedule(Tensor tensor, Way way, int number) {}

  public static final Mapping NONE = new Mapping(List.of(), List.of(), List.of(), List.of());

  public Mapping {
    nests = List.copyOf(nests);
    groups = List.copyOf(groups);
    layouts = List.copyOf(layouts);
    schedules = List.copyOf(schedules);
  }

  public Mapping withNests(List<Nest> newNests) {
    return new Mapping(newNests, groups, layouts, schedules);
  }

  public Mapping withGroups(List<Group> newGroups) {
    return new Mapping(nests, newGroups, layouts, schedules);
  }

  public Mapping withLayouts(List<Layout> newLayouts) {
    return new Mapping(nests, groups, newLayouts, schedules);
  }

  public Mapping withSchedules(List<Schedule> newSchedules) {
    return new Mapping(nests, groups, layouts, newSchedules);
  }

  /// Whether something is said of what defines `tensor`, so that it keeps its ranks and its reductions.
  public boolean speaksOf(Tensor tensor) {
    return nest(tensor).isPresent() || group(tensor).isPresent() || layout(tensor).isPresent();
  }

  /// What this says of `tensors`.
  Mapping of(List<Tensor> tensors) {
    Set<Tensor> kept = Collections.newSetFromMap(new IdentityHashMap<>());
    kept.addAll(tensors);
    return new Mapping(
        nests.stream().filter(nest -> kept.contains(nest.tensor())).toList(),
        groups.stream()
            .filter(group -> kept.contains(group.members().getFirst()))
            .map(group -> new Group(group.members().stream().filter(kept::contains).toList(), group.shared(), group.tile()))
            .toList(),
        layouts.stream().filter(layout -> kept.contains(layout.tensor())).toList(),
        schedules.stream().filter(schedule -> kept.contains(schedule.tensor())).toList());
  }

  public Optional<Nest> nest(Tensor tensor) {
    return nests.stream().filter(nest -> nest.tensor() == tensor).findFirst();
  }

  /// The name of the rank that stands alone along each dimension of `tensor` where `definition` writes it first; empty where
  /// none does.
  public static List<String> rankNames(Tensor tensor, Definition definition) {
    return switch (definition) {
      case Einsum einsum -> einsum.ranks().stream().map(Rank::name).toList();
      case Recurrence recurrence -> recurrence.updates().stream().filter(update -> update.tensor() == tensor).findFirst()
          .map(update -> update.indices().stream()
              .map(index -> index instanceof Expr.Coordinate(Rank rank) && update.ranks().contains(rank) ? rank.name() : "").toList())
          .orElseGet(() -> tensor.shape().stream().map(_ -> "").toList());
    };
  }

  public Optional<Layout> layout(Tensor tensor) {
    return layouts.stream().filter(layout -> layout.tensor() == tensor).findFirst();
  }

  /// What is said of the steps of `recurrence`, by one of its states.
  public Optional<Schedule> schedule(Recurrence recurrence) {
    return schedules.stream().filter(schedule -> recurrence.tensors().contains(schedule.tensor())).findFirst();
  }

  /// The group of which the definition known by `tensor` is a member.
  public Optional<Group> group(Tensor tensor) {
    return groups.stream().filter(group -> group.members().contains(tensor)).findFirst();
  }
}
