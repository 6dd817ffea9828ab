package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.Pass;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// Gives the ranks of each Einsum names that differ and do not end in a digit, so that a mapping can name the loops
/// that a split makes of them (`n2 n1 n0` of `n`).
///
/// ```
/// Y[k1, m] = sum[m](X[k1, m]) + B[m]     =>     Y[ka, m] = sum[ma](X[ka, ma]) + B[m]
/// ```
///
/// An Einsum that has a mapping already keeps its names, and so does a recurrence.
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
    return cascade.withDefinitions(cascade.definitions().stream()
        .map(definition -> definition instanceof Einsum einsum && cascade.mapping().nest(einsum.tensor()).isEmpty()
            ? named(einsum) : definition)
        .toList());
  }

  private static Einsum named(Einsum einsum) {
    Map<Rank, Rank> renamed = new IdentityHashMap<>();
    Set<String> taken = new HashSet<>();
    boolean[] changed = new boolean[1];
    List<Rank> all = new java.util.ArrayList<>(einsum.ranks());
    einsum.value().nodes().forEach(node -> all.addAll(node.bound()));
    for (Rank rank : all) {
      if (!renamed.containsKey(rank)) {
        String name = free(rank.name(), taken);
        renamed.put(rank, name.equals(rank.name()) ? rank : new Rank(name, rank.size()));
        changed[0] |= !name.equals(rank.name());
      }
    }
    return changed[0] ? new Einsum(einsum.tensor(), einsum.ranks().stream().map(renamed::get).toList(),
        rename(einsum.value(), renamed), einsum.span()) : einsum;
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
