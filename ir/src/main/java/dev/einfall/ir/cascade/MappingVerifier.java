package dev.einfall.ir.cascade;

import static dev.einfall.ir.cascade.Mapping.Binding.PARALLEL;

import dev.einfall.ir.InternalException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Checks the mapping of a cascade: nests are for Einsums and updates, one each, and speak of loops that their ranks and
/// splits make; groups are made of different definitions, in order, that can run at one point of the shared ranks after the
/// other; layouts order the ranks of tensors that live in a group's kernel;
/// schedules are for recurrences that take steps, one each.
final class MappingVerifier {
  private final Cascade cascade;
  private final Map<Tensor, List<Rank>> ranks = new LinkedHashMap<>();
  private final Map<Tensor, List<String>> own = new LinkedHashMap<>();
  private final Map<Tensor, Definition> definitions = new LinkedHashMap<>();
  private final Map<Tensor, List<Tensor>> reads = new LinkedHashMap<>();

  MappingVerifier(Cascade cascade) {
    this.cascade = cascade;
    for (Definition definition : cascade.definitions()) {
      definitions.put(definition.tensors().getFirst(), definition);
      switch (definition) {
        case Einsum einsum -> add(einsum.tensor(), einsum.ranks(), einsum.exprs());
        case Recurrence recurrence -> recurrence.updates().forEach(update -> add(update.tensor(), update.ranks(), update.exprs()));
      }
    }
  }

  private void add(Tensor tensor, List<Rank> outputs, Stream<Expr> exprs) {
    ranks.putIfAbsent(tensor, ranks(outputs, exprs));
    own.putIfAbsent(tensor, outputs.stream().map(Rank::name).toList());
  }

  void run() {
    Set<Tensor> mapped = new LinkedHashSet<>();
    for (Mapping.Nest nest : cascade.mapping().nests()) {
      require(ranks.containsKey(nest.tensor()), () -> nest.tensor() + " is mapped but nothing writes it");
      require(mapped.add(nest.tensor()), () -> nest.tensor() + " is mapped twice");
      require(isMappable(nest), () -> nest.tensor() + " is mapped, but is written in order");
      check(nest);
    }
    Set<Tensor> grouped = new LinkedHashSet<>();
    for (Mapping.Group group : cascade.mapping().groups()) {
      for (Tensor member : group.members()) {
        require(definitions.containsKey(member), () -> member + " is in a group but is not the first that a definition defines");
        require(grouped.add(member), () -> member + " is in two groups, or twice in one");
      }
      check(group);
    }
    cascade.mapping().layouts().forEach(this::check);
    cascade.mapping().schedules().forEach(this::check);
  }

  private void check(Mapping.Schedule schedule) {
    List<Recurrence> recurrences = definitions.values().stream().filter(Recurrence.class::isInstance).map(Recurrence.class::cast)
        .filter(recurrence -> recurrence.tensors().contains(schedule.tensor()) && !recurrence.steps().isEmpty()).toList();
    require(!recurrences.isEmpty(), () -> schedule.tensor() + " has a schedule but takes no steps");
    require(cascade.mapping().schedules().stream().filter(other -> recurrences.getFirst().tensors().contains(other.tensor())).count() == 1,
        () -> "the steps of " + schedule.tensor() + " have two schedules");
    require(schedule.way().takesNumber() ? schedule.number() > 0 : schedule.number() == 0,
        () -> "the schedule " + schedule.way().text() + " " + schedule.number() + " of " + schedule.tensor());
  }

  /// Parallel loops around all are about the whole kernel.
  private boolean isMappable(Mapping.Nest nest) {
    boolean isInside = !nest.order().isEmpty() || !nest.splits().isEmpty() || !nest.flattened().isEmpty()
        || nest.bindings().stream().anyMatch(bound -> bound.binding() != PARALLEL);
    return !isInside || definitions.values().stream().allMatch(definition ->
        !(definition instanceof Recurrence recurrence) || !recurrence.tensors().contains(nest.tensor()) || recurrence.isMappable(nest.tensor()));
  }

  private void check(Mapping.Layout layout) {
    List<Rank> own = ranks.getOrDefault(layout.tensor(), List.of());
    List<String> names = own.stream().map(Rank::name).toList();
    require(!layout.ranks().isEmpty() && names.containsAll(layout.ranks())
        && layout.ranks().stream().distinct().count() == layout.ranks().size(),
        () -> "the layout " + layout.ranks() + " of " + layout.tensor() + ", whose ranks are " + names);
  }

  private void check(Mapping.Nest nest) {
    Map<String, Integer> loops = new LinkedHashMap<>();
    ranks.get(nest.tensor()).forEach(rank -> loops.merge(rank.name(), 1, Integer::sum));
    for (Mapping.Flatten flatten : nest.flattened()) {
      require(flatten.ranks().size() > 1 && flatten.ranks().stream().allMatch(rank -> loops.getOrDefault(rank, 0) == 1)
          && Collections.indexOfSubList(own.get(nest.tensor()), flatten.ranks()) >= 0,
          () -> "flatten of " + flatten.ranks() + ", which are not neighbours among the ranks of " + nest.tensor());
      flatten.ranks().forEach(loops::remove);
      require(loops.put(flatten.name(), 1) == null, () -> "flatten makes a second " + flatten.name() + " in " + nest.tensor());
    }
    for (Mapping.Split split : nest.splits()) {
      Integer count = loops.remove(split.rank());
      require(count != null && count == 1, () -> "split of " + split.rank() + ", which is not one rank, in " + nest.tensor());
      require(!split.factors().isEmpty() && split.factors().stream().allMatch(factor -> factor > 0),
          () -> "split of " + split.rank() + " by " + split.factors() + " in " + nest.tensor());
      for (int i = split.factors().size(); i >= 0; i--) {
        loops.merge(split.rank() + i, 1, Integer::sum);
      }
    }
    requireLoops(nest.order(), loops, "order", nest);
    List<Rank> tiles = tiles(nest.tensor());
    Stream<Mapping.Bound> bound = nest.bindings().stream().filter(binding -> tiles.isEmpty() || binding.binding() != PARALLEL);
    requireLoops(bound.map(Mapping.Bound::loop).toList(), loops, "binding", nest);
    tiles.forEach(rank -> loops.putIfAbsent(rank.name(), 1));
    Stream<Mapping.Bound> around = nest.bindings().stream().filter(binding -> !tiles.isEmpty() && binding.binding() == PARALLEL);
    requireLoops(around.map(Mapping.Bound::loop).toList(), loops, "binding", nest);
  }

  /// The ranks of what writes `tensor`, if it is in a group that goes in tiles, whose loops `parallel` may speak of.
  private List<Rank> tiles(Tensor tensor) {
    boolean isTiled = definitions.values().stream().filter(definition -> definition.tensors().contains(tensor))
        .flatMap(definition -> cascade.mapping().group(definition.tensors().getFirst()).stream())
        .anyMatch(this::isTiled);
    return isTiled ? ranks.get(tensor) : List.of();
  }

  private boolean isTiled(Mapping.Group group) {
    return group.tile() > 1 || definitions.keySet().containsAll(group.members())
        && new SharedRanks(group.members().stream().map(definitions::get).toList(), group.shared()).hasWindows();
  }

  private void requireLoops(List<String> names, Map<String, Integer> loops, String what, Mapping.Nest nest) {
    Set<String> seen = new LinkedHashSet<>();
    for (String name : names) {
      require(loops.getOrDefault(name, 0) == 1, () -> what + " names " + name + ", which is not one loop of " + nest.tensor());
      require(seen.add(name), () -> what + " names " + name + " twice in " + nest.tensor());
    }
  }

  private static List<Rank> ranks(List<Rank> own, Stream<Expr> exprs) {
    Stream<Rank> reduced = exprs.flatMap(Expr::nodes).flatMap(node -> node.bound().stream());
    return Stream.concat(own.stream(), reduced).distinct().toList();
  }

  private void check(Mapping.Group group) {
    require(!group.members().isEmpty() && group.tile() > 0, () -> "a group of " + group.members() + " by " + group.tile());
    require(group.tile() == 1 || !group.shared().isEmpty(), () -> "tiles of no rank in the group of " + group.members());
    List<Definition> members = group.members().stream().map(definitions::get).toList();
    new SharedRanks(members, group.shared()).problem()
        .ifPresent(problem -> require(false, () -> "the group of " + group.members() + ": " + problem));
    checkOrder(group);
  }

  /// Members in the order of the cascade, and no Einsum outside both needs a member and is needed by one.
  private void checkOrder(Mapping.Group group) {
    List<Tensor> tensors = group.members().stream().flatMap(member -> definitions.get(member).tensors().stream()).toList();
    Set<Tensor> after = new LinkedHashSet<>();
    int next = 0;
    for (Definition definition : cascade.definitions()) {
      boolean member = group.members().contains(definition.tensors().getFirst());
      List<Tensor> reads = this.reads.computeIfAbsent(definition.tensors().getFirst(), _ -> definition.reads().toList());
      boolean needsAfter = reads.stream().anyMatch(after::contains);
      if (member) {
        Tensor tensor = definition.tensors().getFirst();
        require(group.members().get(next++) == tensor, () -> group.members() + " are not in the order of the cascade");
        require(!needsAfter, () -> tensor + " needs something outside its group that needs the group");
      } else if (needsAfter || next > 0 && reads.stream().anyMatch(tensors::contains)) {
        after.addAll(definition.tensors());
      }
    }
  }

  private void require(boolean holds, Supplier<String> problem) {
    if (!holds) {
      throw new InternalException("cascade " + cascade.name() + ": mapping: " + problem.get());
    }
  }
}
