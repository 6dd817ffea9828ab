package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Directive;
import dev.einfall.frontend.Syntax.Statement;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
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

  void map(Statement.Map map) {
    Einsum einsum = definition(map.name());
    List<Directive> fusions = map.directives().stream().filter(Maps::isFusion).toList();
    List<Directive> loops = map.directives().stream().filter(directive -> !isFusion(directive)).toList();
    if (!loops.isEmpty()) {
      if (elaboration.nest(einsum.tensor()).isPresent()) {
        throw diagnostics.reject(map.name().span(), "the loops of `" + map.name().text() + "` have been mapped already");
      }
      elaboration.map(nest(einsum, loops));
    }
    fusions.forEach(fusion -> elaboration.map(group(map.name(), einsum, fusion)));
  }

  private static boolean isFusion(Directive directive) {
    return directive.kind() == Directive.Kind.FUSE;
  }

  private Einsum definition(Syntax.Name name) {
    Tensor tensor = accesses.tensor(name);
    return switch (elaboration.definition(tensor).orElseThrow(() -> diagnostics.reject(name.span(),
        "`" + name.text() + "` is not computed here, so there is nothing to map"))) {
      case Einsum einsum -> einsum;
      case Recurrence recurrence -> throw diagnostics.reject(name.span(), "`" + name.text()
          + "` is computed in order, so there are no loops to map", new Diagnostic.Note(recurrence.span(), "it is computed here"));
    };
  }

  private Mapping.Group group(Syntax.Name name, Einsum einsum, Directive fusion) {
    List<Einsum> members = fusion.names().stream().map(this::definition).toList();
    if (!members.contains(einsum)) {
      throw diagnostics.reject(fusion.span(), "`fuse` in the map of `" + name.text() + "` names `" + name.text()
          + "` too");
    }
    return new Groups(elaboration, fusion).group(members);
  }

  private Mapping.Nest nest(Einsum einsum, List<Directive> directives) {
    List<String> ranks = ranks(einsum);
    List<Mapping.Split> splits = new ArrayList<>();
    directives.stream().filter(directive -> directive.kind() == Directive.Kind.SPLIT)
        .forEach(directive -> splits.add(split(directive, ranks, splits, einsum)));
    List<String> loops = loops(ranks, splits);
    List<String> order = new ArrayList<>();
    List<Mapping.Bound> bound = new ArrayList<>();
    for (Directive directive : directives) {
      switch (directive.kind()) {
        case ORDER -> directive.names().forEach(name -> order.add(loop(name, loops, order)));
        case PARALLEL -> bind(directive, Mapping.Binding.PARALLEL, loops, bound);
        case UNROLL -> bind(directive, Mapping.Binding.UNROLL, loops, bound);
        case VECTORIZE -> bind(directive, Mapping.Binding.VECTORIZE, loops, bound);
        case SPLIT, FUSE -> { }
      }
    }
    return new Mapping.Nest(einsum.tensor(), splits, order, bound);
  }

  private static List<String> ranks(Einsum einsum) {
    Stream<Rank> reduced = einsum.value().nodes()
        .flatMap(node -> node instanceof Expr.Reduce reduce ? reduce.ranks().stream() : Stream.empty());
    return Stream.concat(einsum.ranks().stream(), reduced).distinct().map(Rank::name).toList();
  }

  private Mapping.Split split(
      Directive directive, List<String> ranks, List<Mapping.Split> before, Einsum einsum) {
    Syntax.Name name = directive.names().getFirst();
    if (!ranks.contains(name.text())) {
      throw diagnostics.reject(name.span(), "`" + einsum.tensor().name() + "` has no index `" + name.text()
          + "`; its indices are " + String.join(", ", ranks));
    }
    requireOne(name, ranks);
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
