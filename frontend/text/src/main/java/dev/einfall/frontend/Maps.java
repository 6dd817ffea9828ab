package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Directive;
import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;

/// Reads map blocks, and checks that the loops and tensors that they name exist.
final class Maps {
  private final Elaboration elaboration;
  private final Diagnostics diagnostics;
  private final Accesses accesses;

  Maps(Elaboration elaboration, Frame frame) {
    this.elaboration = elaboration;
    this.diagnostics = elaboration.diagnostics();
    this.accesses = new Accesses(diagnostics, frame);
  }

  /// What a map block is about: the tensor, and the ranks of the Einsum or of the first update that writes it, the `own` output ranks first.
  private record Nest(Tensor tensor, List<String> ranks, int own) {}

  void map(Statement.Map map) {
    Tensor tensor = accesses.tensor(map.name());
    Definition definition = definition(map.name());
    List<Directive> loops = new ArrayList<>();
    for (Directive directive : map.directives()) {
      switch (directive.kind()) {
        case FUSE -> elaboration.map(group(map.name(), definition, directive));
        case LAYOUT -> elaboration.map(layout(nest(tensor, definition), directive));
        case SCHEDULE -> elaboration.map(schedule(map.name(), tensor, definition, directive));
        case FLATTEN, SPLIT, ORDER, PARALLEL, UNROLL, VECTORIZE -> loops.add(directive);
      }
    }
    if (!loops.isEmpty()) {
      if (elaboration.nest(tensor).isPresent()) {
        throw diagnostics.reject(map.name().span(), "the loops of `" + map.name().text() + "` have been mapped already");
      }
      checkOrder(map, tensor, definition, loops);
      elaboration.map(nest(nest(tensor, definition), loops));
    }
  }

  private void checkOrder(Statement.Map map, Tensor tensor, Definition definition, List<Directive> loops) {
    boolean isInside = loops.stream().anyMatch(directive -> directive.kind() != Directive.Kind.PARALLEL);
    if (isInside && definition instanceof Recurrence recurrence && !recurrence.isMappable(tensor)) {
      throw diagnostics.reject(map.name().span(), "the elements of `" + map.name().text()
          + "` are written one after the other, so their loops stay as they are",
          new Diagnostic.Note(recurrence.span(), "here they depend on each other"));
    }
  }

  private Definition definition(Syntax.Name name) {
    return elaboration.definition(accesses.tensor(name)).orElseThrow(() -> diagnostics.reject(name.span(),
        "`" + name.text() + "` is not computed here, so there is nothing to map"));
  }

  private Mapping.Group group(Syntax.Name name, Definition definition, Directive fusion) {
    List<Definition> members = fusion.names().stream().map(this::definition).toList();
    if (!members.contains(definition)) {
      throw diagnostics.reject(fusion.span(), "`fuse` in the map of `" + name.text() + "` names `" + name.text()
          + "` too");
    }
    return new Groups(elaboration, fusion).group(members);
  }

  private Mapping.Schedule schedule(Syntax.Name name, Tensor tensor, Definition definition, Directive directive) {
    if (!(definition instanceof Recurrence recurrence) || recurrence.steps().isEmpty()) {
      throw diagnostics.reject(directive.span(), "`" + name.text() + "` takes no steps that could be scheduled");
    }
    if (elaboration.mapping().schedule(recurrence).isPresent()) {
      throw diagnostics.reject(directive.span(), "the steps of `" + name.text() + "` have a schedule already");
    }
    Syntax.Name word = directive.names().getFirst();
    Mapping.Way way = Mapping.Way.named(word.text()).orElseThrow(() -> diagnostics.reject(word.span(),
        "there is no schedule `" + word.text() + "`; there are "
            + String.join(", ", Arrays.stream(Mapping.Way.values()).map(Mapping.Way::text).toList())));
    if (way.takesNumber() == directive.numbers().isEmpty()) {
      throw diagnostics.reject(directive.span(), way.takesNumber()
          ? "a number is missing, as in `schedule " + way.text() + " 64`" : "no number belongs to `schedule " + way.text() + "`");
    }
    long number = directive.numbers().isEmpty() ? 0 : directive.numbers().getFirst();
    if (way.takesNumber() && (number < 1 || number > Integer.MAX_VALUE)) {
      throw diagnostics.reject(directive.span(), "there is at least 1 " + (way == Mapping.Way.SCAN ? "part" : "step in a block") + ", not " + number);
    }
    return new Mapping.Schedule(tensor, way, (int) number);
  }

  private Mapping.Layout layout(Nest nest, Directive directive) {
    List<String> order = new ArrayList<>();
    directive.names().forEach(name -> order.add(loop(name, nest.ranks, order)));
    return new Mapping.Layout(nest.tensor, order);
  }

  private Nest nest(Tensor tensor, Definition definition) {
    return switch (definition) {
      case Einsum einsum -> nest(tensor, einsum.ranks(), einsum.exprs());
      case Recurrence recurrence -> recurrence.updates().stream().filter(update -> update.tensor() == tensor).findFirst()
          .map(update -> nest(tensor, update.ranks(), update.exprs())).orElse(new Nest(tensor, List.of(), 0));
    };
  }

  /// In a group that goes in tiles, `parallel p` speaks of the loop over tiles of `p`.
  private static List<String> withTiles(Nest nest, List<String> loops) {
    return Stream.concat(loops.stream(), nest.ranks.stream()).distinct().toList();
  }

  private SharedRanks sharedRanks(Mapping.Group group) {
    return new SharedRanks(group.members().stream().map(member -> elaboration.definition(member).orElseThrow()).toList(), group.shared());
  }

  private boolean isTiled(Nest nest) {
    return elaboration.definition(nest.tensor)
        .flatMap(definition -> elaboration.mapping().group(definition.tensors().getFirst()))
        .filter(group -> group.tile() > 1 || sharedRanks(group).hasWindows()).isPresent();
  }

  private static Nest nest(Tensor tensor, List<Rank> own, Stream<Expr> exprs) {
    Stream<Rank> reduced = exprs.flatMap(Expr::nodes).flatMap(node -> node.bound().stream());
    return new Nest(tensor, Stream.concat(own.stream(), reduced).distinct().map(Rank::name).toList(), own.size());
  }

  private Mapping.Nest nest(Nest written, List<Directive> directives) {
    Nest nest = written;
    List<Mapping.Flatten> flattened = new ArrayList<>();
    for (Directive directive : directives) {
      if (directive.kind() == Directive.Kind.FLATTEN) {
        flattened.add(flatten(directive, nest));
        nest = flat(nest, flattened.getLast());
      }
    }
    return nest(nest, flattened, directives);
  }

  private Mapping.Flatten flatten(Directive directive, Nest nest) {
    directive.names().forEach(name -> requireIndex(name, nest));
    Mapping.Flatten flatten = new Mapping.Flatten(directive.names().stream().map(Syntax.Name::text).toList());
    List<String> own = nest.ranks.subList(0, nest.own);
    if (Collections.indexOfSubList(own, flatten.ranks()) < 0) {
      throw diagnostics.reject(directive.span(), String.join(" ", flatten.ranks()) + " do not stand side by side on the left, where the indices are "
          + String.join(", ", own));
    }
    if (nest.ranks.contains(flatten.name())) {
      throw diagnostics.reject(directive.span(), "an index is called `" + flatten.name() + "` already; name it otherwise to flatten these");
    }
    return flatten;
  }

  private static Nest flat(Nest nest, Mapping.Flatten flatten) {
    List<String> ranks = new ArrayList<>(nest.ranks);
    int first = ranks.indexOf(flatten.ranks().getFirst());
    ranks.removeAll(flatten.ranks());
    ranks.add(first, flatten.name());
    return new Nest(nest.tensor, ranks, nest.own - flatten.ranks().size() + 1);
  }

  private Mapping.Nest nest(Nest nest, List<Mapping.Flatten> flattened, List<Directive> directives) {
    List<Mapping.Split> splits = new ArrayList<>();
    directives.stream().filter(directive -> directive.kind() == Directive.Kind.SPLIT)
        .forEach(directive -> splits.add(split(directive, nest, splits)));
    List<String> loops = loops(nest.ranks, splits);
    List<String> order = new ArrayList<>();
    List<Mapping.Bound> bound = new ArrayList<>();
    List<Mapping.Bound> tiles = new ArrayList<>();
    for (Directive directive : directives) {
      switch (directive.kind()) {
        case ORDER -> directive.names().forEach(name -> order.add(loop(name, loops, order)));
        case PARALLEL -> bind(directive, Mapping.Binding.PARALLEL, isTiled(nest) ? withTiles(nest, loops) : loops,
            isTiled(nest) ? tiles : bound);
        case UNROLL -> bind(directive, Mapping.Binding.UNROLL, loops, bound);
        case VECTORIZE -> bind(directive, Mapping.Binding.VECTORIZE, loops, bound);
        case FLATTEN, SPLIT, FUSE, LAYOUT, SCHEDULE -> { }
      }
    }
    bound.addAll(tiles);
    return new Mapping.Nest(nest.tensor, flattened, splits, order, bound);
  }

  private Mapping.Split split(Directive directive, Nest nest, List<Mapping.Split> before) {
    Syntax.Name name = directive.names().getFirst();
    requireIndex(name, nest);
    if (before.stream().anyMatch(split -> split.rank().equals(name.text()))) {
      throw diagnostics.reject(name.span(), "`" + name.text() + "` is split twice; one `split` takes several factors");
    }
    directive.numbers().stream().filter(factor -> factor < 1 || factor > Integer.MAX_VALUE).findFirst()
        .ifPresent(factor -> {
          throw diagnostics.reject(directive.span(), "a tile has at least 1 element, not " + factor);
        });
    return new Mapping.Split(name.text(), directive.numbers().stream().map(Long::intValue).toList());
  }

  /// The loops after the splits: `n2 n1 n0` for a rank `n` with two factors.
  private static List<String> loops(List<String> ranks, List<Mapping.Split> splits) {
    List<String> loops = new ArrayList<>(ranks);
    for (Mapping.Split split : splits) {
      loops.remove(split.rank());
      for (int i = split.factors().size(); i >= 0; i--) {
        loops.add(split.rank() + i);
      }
    }
    return loops;
  }

  private void bind(Directive directive, Mapping.Binding binding, List<String> loops, List<Mapping.Bound> bound) {
    for (Syntax.Name name : directive.names()) {
      List<String> taken = bound.stream().map(Mapping.Bound::loop).toList();
      bound.add(new Mapping.Bound(loop(name, loops, taken), binding));
    }
  }

  private void requireIndex(Syntax.Name name, Nest nest) {
    if (!nest.ranks.contains(name.text())) {
      throw diagnostics.reject(name.span(), "`" + nest.tensor.name() + "` has no index `" + name.text()
          + "`; its indices are " + String.join(", ", nest.ranks));
    }
    requireOne(name, nest.ranks);
  }

  private void requireOne(Syntax.Name name, List<String> names) {
    if (Collections.frequency(names, name.text()) > 1) {
      throw diagnostics.reject(name.span(), "two indices are called `" + name.text()
          + "` here; name one of them otherwise to map it");
    }
  }

  private String loop(Syntax.Name name, List<String> loops, List<String> taken) {
    if (!loops.contains(name.text())) {
      throw diagnostics.reject(name.span(), "no loop is called `" + name.text() + "`; the loops are "
          + String.join(", ", loops));
    }
    requireOne(name, loops);
    if (taken.contains(name.text())) {
      throw diagnostics.reject(name.span(), "the loop `" + name.text() + "` is named twice");
    }
    return name.text();
  }
}
