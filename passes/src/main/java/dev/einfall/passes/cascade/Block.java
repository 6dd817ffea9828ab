package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Two or more products with weights of which one reads what another makes, and what stands before, between and after them, all of
/// which could go by tiles of the same rows.
///
/// @param members in the order of the cascade
/// @param shared the ranks of the first that all share, in its order
/// @param product the first product
record Block(List<Einsum> members, List<String> shared, Einsum product) {

  List<Tensor> tensors() {
    return members.stream().map(Einsum::tensor).toList();
  }

  /// Whether all share the ranks `names`, and nobody else needs what is computed at other places than theirs.
  boolean isShared(List<String> names, Cascade cascade) {
    return new SharedRanks(members, names).problem().isEmpty()
        && new KernelView(cascade, new Mapping.Group(tensors(), names)).isComplete();
  }

  /// How many points the shared rank number `place` has.
  long extent(int place) {
    return new SharedRanks(members, shared.subList(0, place + 1)).extent();
  }

  /// How many rows of the first product one coordinate of the shared rank number `place` has.
  long rows(int place) {
    List<Rank> around = new SharedRanks(members, shared.subList(0, place + 1)).of(product);
    return Exprs.volume(product.ranks().subList(0, product.ranks().size() - 1).stream().filter(rank -> !around.contains(rank)).toList());
  }

  /// The blocks of `cascade`, none of which has a definition of another.
  ///
  /// @param constant the tensors that weights alone determine
  static List<Block> all(Cascade cascade, Set<Tensor> constant) {
    List<Block> blocks = new ArrayList<>();
    Set<Tensor> taken = Exprs.identitySet();
    taken.addAll(constant);
    for (Einsum einsum : cascade.einsums()) {
      if (isProduct(einsum, constant) && isFree(einsum, cascade, taken)) {
        new Growth(cascade, constant, taken, einsum).block().ifPresent(block -> {
          blocks.add(block);
          taken.addAll(block.tensors());
        });
      }
    }
    return blocks;
  }

  /// A product with weights: these can be brought into the order in which tiles read them beforehand.
  private static boolean isProduct(Einsum einsum, Set<Tensor> constant) {
    return Products.isProduct(einsum) && Products.of(einsum).orElseThrow().operands().stream()
        .anyMatch(access -> constant.contains(access.tensor()));
  }

  private static boolean isFree(Einsum einsum, Cascade cascade, Set<Tensor> taken) {
    return !taken.contains(einsum.tensor()) && !cascade.mapping().speaksOf(einsum.tensor());
  }

  /// What a block grows to from its first product.
  private static final class Growth {
    private final Cascade cascade;
    private final Set<Tensor> constant;
    private final Set<Tensor> taken;
    private final Einsum product;
    private final List<Einsum> members = new ArrayList<>();

    Growth(Cascade cascade, Set<Tensor> constant, Set<Tensor> taken, Einsum product) {
      this.cascade = cascade;
      this.constant = constant;
      this.taken = taken;
      this.product = product;
      members.add(product);
    }

    Optional<Block> block() {
      follow();
      if (members.stream().filter(Products::isProduct).count() < 2) {
        return Optional.empty();
      }
      precede();
      return Optional.of(new Block(List.copyOf(members), shared(members), product));
    }

    /// Adds what reads the members, up to the first product that does, and what is no product after that.
    private void follow() {
      Set<Tensor> after = Exprs.identitySet();
      boolean isClosed = false;
      int place = cascade.definitions().indexOf(members.getFirst());
      for (Definition definition : cascade.definitions().subList(place + 1, cascade.definitions().size())) {
        boolean reads = definition.reads().anyMatch(this::isMade);
        boolean waits = definition.reads().anyMatch(after::contains);
        if (reads && !waits && definition instanceof Einsum einsum && joins(einsum, isClosed)) {
          members.add(einsum);
          isClosed |= Products.isProduct(einsum);
        } else if (reads || waits) {
          after.addAll(definition.tensors());
        }
      }
    }

    private boolean joins(Einsum einsum, boolean isClosed) {
      List<Einsum> more = new ArrayList<>(members);
      more.add(einsum);
      boolean fits = !Products.isProduct(einsum) || !isClosed && isProduct(einsum, constant);
      return fits && isFree(einsum, cascade, taken) && !shared(more).isEmpty();
    }

    /// Adds what only members read.
    private void precede() {
      int place = cascade.definitions().indexOf(members.getFirst());
      for (Definition definition : cascade.definitions().subList(0, place).reversed()) {
        if (definition instanceof Einsum einsum && !Products.isProduct(einsum) && isFree(einsum, cascade, taken)
            && isReadHereOnly(einsum.tensor())) {
          List<Einsum> more = new ArrayList<>(List.of(einsum));
          more.addAll(members);
          if (rows(more).equals(rows(members))) {
            members.addFirst(einsum);
          }
        }
      }
    }

    private boolean isMade(Tensor tensor) {
      return members.stream().anyMatch(member -> member.tensor() == tensor);
    }

    private boolean isReadHereOnly(Tensor tensor) {
      return cascade.outputs().stream().noneMatch(output -> output.tensor() == tensor)
          && cascade.definitions().stream().filter(other -> other.reads().anyMatch(read -> read == tensor))
              .allMatch(other -> members.contains(other));
    }

    /// The names, in the first of `some`, of the ranks that all share. The last one of the first product is for the lanes of
    /// vectors.
    private List<String> shared(List<Einsum> some) {
      return some.getFirst().ranks().stream().map(Rank::name)
          .filter(name -> {
            SharedRanks along = new SharedRanks(some, List.of(name));
            return along.problem().isEmpty() && !along.of(product).contains(product.ranks().getLast());
          }).toList();
    }

    /// The ranks of the first product that `some` share.
    private List<Rank> rows(List<Einsum> some) {
      return new SharedRanks(some, shared(some)).of(product);
    }
  }
}
