package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Gives the ranks of each Einsum names that differ and do not end in a digit, so that a mapping can name the loops
/// that a split makes of them (`n2 n1 n0` of `n`).
///
/// ```
/// Y[k1, m] = sum[m](X[k1, m]) + B[m]     =>     Y[ka, m] = sum[ma](X[ka, ma]) + B[m]
/// ```
///
/// An Einsum or a recurrence whose loops are mapped already keeps its names.
public record NameRanks() implements Pass.OnCascade {

  @Override
  public String name() {
    return "name-ranks";
  }

  @Override
  public boolean needsSizes() {
    return false;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Naming naming = new Naming(cascade.mapping());
    return naming.mapped(cascade.withDefinitions(cascade.definitions().stream().map(naming::named).toList()));
  }

  /// New names for ranks, and the mapping's words for them.
  private static final class Naming {
    private final Mapping mapping;
    private final Map<Rank, Rank> renamed = new IdentityHashMap<>();
    private final Map<Tensor, Map<String, String>> words = new IdentityHashMap<>();

    Naming(Mapping mapping) {
      this.mapping = mapping;
    }

    Definition named(Definition definition) {
      return switch (definition) {
        case Einsum einsum -> isMapped(einsum.tensor()) ? einsum : named(einsum);
        case Recurrence recurrence -> recurrence.tensors().stream().anyMatch(this::isMapped) ? recurrence : named(recurrence);
      };
    }

    private boolean isMapped(Tensor tensor) {
      return mapping.nest(tensor).isPresent();
    }

    private Einsum named(Einsum einsum) {
      boolean same = name(einsum.tensor(), einsum.ranks(), einsum.exprs(), new HashSet<>());
      return same ? einsum : new Einsum(einsum.tensor(), ranks(einsum.ranks()), rename(einsum.value(), renamed), einsum.span());
    }

    /// The loops of an update stand inside those of the steps, so their names differ from these.
    private Recurrence named(Recurrence recurrence) {
      Set<String> steps = new HashSet<>();
      boolean same = name(recurrence.steps(), steps);
      for (Recurrence.Update update : recurrence.updates()) {
        same &= name(update.tensor(), update.ranks(), update.exprs(), new HashSet<>(steps));
      }
      same &= name(recurrence.condition().stream().flatMap(Expr::nodes).flatMap(node -> node.bound().stream()).toList(), steps);
      return same ? recurrence : new Recurrence(ranks(recurrence.steps()), recurrence.states(),
          recurrence.updates().stream().map(this::renamed).toList(),
          recurrence.condition().map(condition -> rename(condition, renamed)), recurrence.span());
    }

    private Recurrence.Update renamed(Recurrence.Update update) {
      Recurrence.Update inside = update.mapExprs(expr -> rename(expr, renamed));
      return new Recurrence.Update(inside.tensor(), ranks(inside.ranks()), inside.indices(), inside.combination(),
          inside.value(), inside.where(), inside.span());
    }

    private List<Rank> ranks(List<Rank> old) {
      return old.stream().map(renamed::get).toList();
    }

    /// Whether all names could stay.
    private boolean name(Tensor tensor, List<Rank> own, Stream<Expr> exprs, Set<String> taken) {
      List<Rank> all = new ArrayList<>(own);
      exprs.flatMap(Expr::nodes).forEach(node -> all.addAll(node.bound()));
      boolean same = name(all, taken);
      Map<String, String> known = new HashMap<>();
      own.forEach(rank -> known.put(rank.name(), renamed.get(rank).name()));
      words.putIfAbsent(tensor, known);
      return same;
    }

    private boolean name(List<Rank> ranks, Set<String> taken) {
      boolean same = true;
      for (Rank rank : ranks) {
        if (!renamed.containsKey(rank)) {
          String name = free(rank.name(), taken);
          renamed.put(rank, name.equals(rank.name()) ? rank : new Rank(name, rank.size()));
          same &= name.equals(rank.name());
        }
      }
      return same;
    }

    /// With the names that groups and layouts use.
    Cascade mapped(Cascade cascade) {
      List<Mapping.Group> groups = mapping.groups().stream().map(group -> new Mapping.Group(
          group.members(), words(cascade, group.members().getFirst(), group.shared()), group.tile())).toList();
      List<Mapping.Layout> layouts = mapping.layouts().stream()
          .map(layout -> new Mapping.Layout(layout.tensor(), words(layout.tensor(), layout.ranks()))).toList();
      Mapping renamedMapping = cascade.mapping().withGroups(groups).withLayouts(layouts);
      return renamedMapping.equals(cascade.mapping()) ? cascade : cascade.withMapping(renamedMapping);
    }

    /// The ranks of a group are those of the first update of a recurrence, whatever tensor that writes.
    private List<String> words(Cascade cascade, Tensor member, List<String> names) {
      return cascade.definitions().stream().filter(definition -> definition.tensors().getFirst() == member).findFirst()
          .map(definition -> switch (definition) {
            case Einsum _ -> words(member, names);
            case Recurrence recurrence -> words(recurrence.updates().getFirst().tensor(), names);
          }).orElse(names);
    }

    private List<String> words(Tensor tensor, List<String> names) {
      Map<String, String> known = words.getOrDefault(tensor, Map.of());
      return names.stream().map(name -> known.getOrDefault(name, name)).toList();
    }
  }

  private static String free(String name, Set<String> taken) {
    String stem = name.replaceAll("[0-9_]+$", "");
    stem = stem.isEmpty() ? "i" : stem;
    String candidate = stem.equals(name) ? name : stem + "a";
    for (char letter = 'a'; !taken.add(candidate); letter++) {
      candidate = stem + letter;
      if (letter == 'z') {
        stem = stem + "z";
        letter = 'a';
      }
    }
    return candidate;
  }

  private static Expr rename(Expr expr, Map<Rank, Rank> renamed) {
    return switch (expr) {
      case Expr.Coordinate(Rank rank) when renamed.get(rank) != rank -> new Expr.Coordinate(renamed.get(rank));
      case Expr.Reduce _, Expr.Fold _ -> Exprs.withRanks(
          expr.mapChildren(child -> rename(child, renamed)), expr.bound().stream().map(renamed::get).toList());
      default -> expr.mapChildren(child -> rename(child, renamed));
    };
  }
}
