package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Decisions;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/// Takes the ranks that the steps of a recurrence do not connect outside of the steps, so that the states of one point, or
/// of one tile of the last of these ranks, live in the kernel; and lets Einsums that read the states there follow inside.
///
/// ```
/// update N: f32[H, P, F] from 0.0, S: f32[H, P, 64] from 0.0 for t in 0..T {
///   S[h, p, m] = sum[e](Q[h, p, e] * K[h, t * 64 + m, e])
///   N[h, p, f] = N[h, p, f] + sum[m](S[h, p, m] * V[h, t * 64 + m, f])
/// }
/// Z[h, p, f] = N[h, p, f] * 0.5
///
/// =>                                 Q_tile[h, p, e] = Q[h, p, e]
///                                    update N .. S .. { S[h, p, m] = sum[e](Q_tile[h, p, e] * ..) .. }
///                                    Z[h, p, f] = N[h, p, f] * 0.5
///                                    map Z { fuse Q_tile N Z over h p by 64 }
///                                    map Q_tile { layout e p }
///                                    map S { layout m p }
/// ```
///
/// The last shared rank fills the lanes of vectors where everything that varies along it lives in the kernel, is read at
/// neighbouring places, or is the same for all steps, so that a copy before the steps brings it into that order. Where
/// vectors can go along rows as well, as of `N`, these stay [Rows].
///
/// How many of its coordinates are taken together is a decision by the [TileCosts].
///
/// For a GPU, which has no vectors, the last shared rank are the rows that a block takes together, as products in the steps read what is the same for
/// all of them: `Z { fuse Q_tile N Z over h p by 64 }` as above, without layouts ([BlockRows]).
///
/// @param numerics under which loops are chosen later
public record GroupRecurrences(Target target, Numerics numerics, Decisions decisions) implements Pass.OnCascade {
  /// With choices by cost alone.
  public GroupRecurrences(Target target, Numerics numerics) {
    this(target, numerics, Decisions.byCost());
  }

  @Override
  public String name() {
    return "group-recurrences";
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Cascade grouped = cascade;
    for (Definition definition : cascade.definitions()) {
      if (definition instanceof Recurrence recurrence && recurrence.condition().isEmpty()
          && recurrence.tensors().stream().noneMatch(tensor -> cascade.mapping().speaksOf(tensor))) {
        grouped = new Grouping(grouped, recurrence).grouped();
      }
    }
    return grouped;
  }

  /// A kernel that takes `size` coordinates of the rank `lanes` together.
  private record Tile(String lanes, int size, Cascade result) {
    @Override
    public String toString() {
      return lanes + " by " + size;
    }
  }

  private final class Grouping {
    private final Cascade cascade;
    private final Recurrence recurrence;

    Grouping(Cascade cascade, Recurrence recurrence) {
      this.cascade = cascade;
      this.recurrence = recurrence;
    }

    Cascade grouped() {
      List<String> shared = shared();
      if (shared.isEmpty()) {
        return cascade;
      }
      Optional<Rank> lanes = target.isGpu() ? new BlockRows(target, recurrence).rank(shared) : lanes(shared);
      lanes.ifPresent(rank -> {
        shared.remove(rank.name());
        shared.add(rank.name());
      });
      List<Definition> users = users(shared);
      if (lanes.isEmpty()) {
        return mapped(cascade, recurrence, users, List.of(), shared, 1);
      }
      Copies copies = new Copies(shared, lanes.get());
      Recurrence reading = copies.redirected();
      // A state that nothing connects with the copies goes by the places of its ranks, which the copies may have elsewhere.
      if (new SharedRanks(members(copies.made(), reading, users), shared).problem().isPresent()) {
        return mapped(cascade, recurrence, users, List.of(), shared, 1);
      }
      Cascade inserted = copies.inserted(reading);
      if (target.isGpu()) {
        return blocks(inserted, reading, users, copies.made(), shared, lanes.get());
      }
      List<Tile> tiles = new LaneTiles(target, recurrence).of(lanes.get()).stream().map(size ->
          new Tile(lanes.get().name(), size, mapped(inserted, reading, users, copies.made(), shared, size))).toList();
      TileCosts costs = new TileCosts(target, numerics, Constants.of(inserted));
      return decisions.choose(name() + " " + recurrence.tensors().getFirst().name(), tiles, tile ->
          costs.of(new KernelView(tile.result, tile.result.mapping().groups().getLast()))).result;
    }

    /// In tiles of as many rows as a block has memory for; one by one where it does not have enough for any.
    private Cascade blocks(Cascade inserted, Recurrence reading, List<Definition> users, List<Einsum> copies, List<String> shared, Rank rank) {
      BlockRows rows = new BlockRows(target, recurrence);
      List<Tile> tiles = rows.tiles(new LaneTiles(target, recurrence).uniform(rank)).map(size ->
          new Tile(rank.name(), size, mapped(inserted, reading, users, copies, shared, size))).toList();
      ToDoubleFunction<Tile> cost = tile -> rows.cost(new KernelView(tile.result, tile.result.mapping().groups().getLast()));
      return tiles.isEmpty() || tiles.stream().allMatch(tile -> Double.isInfinite(cost.applyAsDouble(tile)))
          ? mapped(cascade, recurrence, users, List.of(), shared, 1)
          : decisions.choose(name() + " " + recurrence.tensors().getFirst().name(), tiles, cost).result;
    }

    /// The names of the ranks of the first update that the steps do not connect.
    private List<String> shared() {
      List<String> shared = new ArrayList<>();
      recurrence.updates().getFirst().ranks().stream().map(Rank::name)
          .filter(name -> new SharedRanks(List.of(recurrence), List.of(name)).problem().isEmpty()).forEach(shared::add);
      return shared;
    }

    /// The largest rank of the first update that can be the lanes of vectors everywhere.
    private Optional<Rank> lanes(List<String> shared) {
      Rank best = null;
      for (Rank rank : recurrence.updates().getFirst().ranks()) {
        boolean large = rank.size().value() >= target.lanes(recurrence.tensors().getFirst().type().bytes());
        if (large && shared.contains(rank.name()) && (best == null || rank.size().value() > best.size().value()) && fillsLanes(rank)) {
          best = rank;
        }
      }
      return Optional.ofNullable(best);
    }

    private boolean fillsLanes(Rank rank) {
      SharedRanks along = new SharedRanks(List.of(recurrence), List.of(rank.name()));
      return target.vectorBytes() > 4 && recurrence.updates().stream().allMatch(update -> {
        Rank own = along.of(update).getFirst();
        return update.isIndependent()
            && reads(update).allMatch(access -> isNeighbouring(access, own) || isSteady(access));
      });
    }

    /// What `update` reads of tensors that do not live in the kernel.
    private Stream<Expr.Access> reads(Recurrence.Update update) {
      return update.exprs().flatMap(Exprs::accesses).filter(access -> !recurrence.tensors().contains(access.tensor()));
    }

    private static boolean isNeighbouring(Expr.Access access, Rank rank) {
      return Affine.stride(access, rank).filter(stride -> stride == 0 || stride == 1).isPresent();
    }

    /// Whether `access` reads the same in all steps and can be copied before them.
    private boolean isSteady(Expr.Access access) {
      return access.outside().isEmpty() && access.indices().stream().allMatch(Expr.Coordinate.class::isInstance)
          && Exprs.freeRanks(access).stream().noneMatch(recurrence.steps()::contains);
    }

    /// The Einsums after the recurrence that read the states at the point of the kernel only, with nothing between that they
    /// need.
    private List<Definition> users(List<String> shared) {
      List<Definition> users = new ArrayList<>();
      Set<Tensor> made = Exprs.identitySet();
      made.addAll(recurrence.tensors());
      Set<Tensor> after = Exprs.identitySet();
      int place = cascade.definitions().indexOf(recurrence);
      for (Definition definition : cascade.definitions().subList(place + 1, cascade.definitions().size())) {
        boolean follows = definition instanceof Einsum einsum && !cascade.mapping().speaksOf(einsum.tensor())
            && !Products.isProduct(einsum) && einsum.reads().anyMatch(made::contains) && einsum.reads().noneMatch(after::contains)
            && isAligned(new SharedRanks(with(users, definition), shared));
        if (follows) {
          users.add(definition);
          made.addAll(definition.tensors());
        } else {
          after.addAll(definition.tensors());
        }
      }
      return users;
    }

    private static boolean isAligned(SharedRanks ranks) {
      return ranks.problem().isEmpty() && !ranks.hasWindows();
    }

    private List<Definition> with(List<Definition> users, Definition another) {
      List<Definition> members = new ArrayList<>(List.of(recurrence));
      members.addAll(users);
      members.add(another);
      return members;
    }

    private static List<Definition> members(List<Einsum> copies, Recurrence reading, List<Definition> users) {
      return Stream.of(copies, List.of(reading), users).<Definition>flatMap(List::stream).toList();
    }

    private Cascade mapped(Cascade changed, Recurrence reading, List<Definition> users, List<Einsum> copies, List<String> shared, int tile) {
      List<Definition> members = members(copies, reading, users);
      List<Tensor> names = members.stream().map(member -> member.tensors().getFirst()).toList();
      List<Mapping.Group> groups = new ArrayList<>(changed.mapping().groups());
      Mapping.Group group = new Mapping.Group(names, shared, tile);
      groups.add(group);
      List<Mapping.Layout> layouts = new ArrayList<>(changed.mapping().layouts());
      if (tile > 1 && !target.isGpu()) {
        SharedRanks sharedRanks = new SharedRanks(members, shared);
        KernelView view = new KernelView(changed, group);
        Rows rows = new Rows(members, sharedRanks, view::isLocal, target.lanes(recurrence.tensors().getFirst().type().bytes()));
        members.forEach(member -> member.tensors().stream().filter(tensor -> view.isLocal(tensor) && !rows.keep(tensor))
            .forEach(tensor -> layout(tensor, member, sharedRanks).ifPresent(layouts::add)));
      }
      return changed.withMapping(changed.mapping().withGroups(groups).withLayouts(layouts));
    }

    /// The lanes innermost.
    private static Optional<Mapping.Layout> layout(Tensor tensor, Definition member, SharedRanks sharedRanks) {
      List<String> names = Mapping.rankNames(tensor, member);
      List<Integer> shared = sharedRanks.dimensions(tensor);
      List<String> order = new ArrayList<>();
      for (int i = 0; i < names.size(); i++) {
        if (!shared.contains(i) && !names.get(i).isEmpty()) {
          order.add(names.get(i));
        }
      }
      boolean isMoved = !order.isEmpty() && shared.getLast() != names.size() - 1;
      order.add(names.get(shared.getLast()));
      return isMoved || order.size() > 1 ? Optional.of(new Mapping.Layout(tensor, order)) : Optional.empty();
    }

    /// Copies of what is the same in all steps, with the lanes where a layout can put them innermost.
    private final class Copies {
      private final SharedRanks sharedRanks;
      private final Map<Expr.Access, Einsum> copies = new LinkedHashMap<>();
      private final int lanes;

      Copies(List<String> shared, Rank lanes) {
        this.sharedRanks = new SharedRanks(List.of(recurrence), shared);
        this.lanes = shared.indexOf(lanes.name());
      }

      List<Einsum> made() {
        return List.copyOf(copies.values());
      }

      /// The recurrence, reading the copies.
      Recurrence redirected() {
        List<Recurrence.Update> updates = recurrence.updates().stream()
            .map(update -> update.mapExprs(expr -> Exprs.rewrite(expr, node -> redirected(node, update)))).toList();
        return new Recurrence(recurrence.steps(), recurrence.states(), updates, recurrence.condition(), recurrence.span());
      }

      private Expr redirected(Expr node, Recurrence.Update update) {
        List<Rank> shared = sharedRanks.of(update);
        if (!(node instanceof Expr.Access access) || recurrence.tensors().contains(access.tensor())
            || isNeighbouring(access, shared.get(lanes)) || !isSteady(access)) {
          return node;
        }
        List<Rank> ranks = new ArrayList<>(shared);
        access.indices().forEach(index -> {
          Rank rank = ((Expr.Coordinate) index).rank();
          if (!ranks.contains(rank)) {
            ranks.add(rank);
          }
        });
        Einsum copy = copies.computeIfAbsent(access, _ -> copy(access, ranks, update));
        return new Expr.Access(copy.tensor(), Exprs.coordinates(ranks));
      }

      private Einsum copy(Expr.Access access, List<Rank> ranks, Recurrence.Update update) {
        List<Rank> own = ranks.stream().map(rank -> new Rank(rank.name(), rank.size())).toList();
        List<Expr> indices = access.indices().stream()
            .<Expr>map(index -> new Expr.Coordinate(own.get(ranks.indexOf(((Expr.Coordinate) index).rank())))).toList();
        Tensor tensor = new Tensor(access.tensor().name() + "_tile", access.tensor().type(),
            ranks.stream().map(Rank::size).toList(), update.span());
        return new Einsum(tensor, own, new Expr.Access(access.tensor(), indices), update.span());
      }

      Cascade inserted(Recurrence reading) {
        List<Definition> definitions = new ArrayList<>();
        for (Definition definition : cascade.definitions()) {
          if (definition == recurrence) {
            definitions.addAll(copies.values());
          }
          definitions.add(definition == recurrence ? reading : definition);
        }
        return cascade.withDefinitions(definitions);
      }
    }
  }
}
