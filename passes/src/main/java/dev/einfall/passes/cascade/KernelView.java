package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
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
import dev.einfall.ir.cascade.Window;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// What the members of a fusion group look like from inside their kernel, as Einsums, so that the same cost model serves:
/// the shared ranks are gone but for the coordinates in a tile, and a tensor that lives in the kernel has the dimensions
/// and the layout that it has there.
///
/// ```
/// S[h, p, m] = sum[e](Q[h, p, e] * K[h, t * 64 + m, e])     =>     S[m, p] = sum[e](Q[h, p, e] * K[h, t * 64 + m, e])
///                                                                  for one h, with p in 0..64
/// ```
final class KernelView {

  /// What writes a tensor: an Einsum, or an update.
  ///
  /// @param inside what it looks like in the kernel; empty if its points depend on each other
  /// @param own the ranks that are its own: neither shared nor steps
  /// @param times how often it runs
  record Writer(Tensor tensor, List<Rank> shared, Set<Rank> own, Optional<Einsum> inside, double times) {}

  private final Cascade cascade;
  private final Mapping.Group group;
  private final List<Definition> members;
  private final SharedRanks sharedRanks;
  private final boolean isTiled;
  private final Set<Tensor> neededOutside;
  private final Map<Tensor, Tensor> locals = new IdentityHashMap<>();
  private final Map<Tensor, List<Integer>> dimensions = new IdentityHashMap<>();

  KernelView(Cascade cascade, Mapping.Group group) {
    this(cascade, group, members(cascade, group), neededOutside(cascade, group));
  }

  private KernelView(Cascade cascade, Mapping.Group group, List<Definition> members, Set<Tensor> neededOutside) {
    this(cascade, group, members, neededOutside, new SharedRanks(members, group.shared()));
  }

  private KernelView(Cascade cascade, Mapping.Group group, List<Definition> members, Set<Tensor> neededOutside, SharedRanks sharedRanks) {
    this.cascade = cascade;
    this.group = group;
    this.members = members;
    this.sharedRanks = sharedRanks;
    this.isTiled = group.tile() > 1 || sharedRanks.hasWindows();
    this.neededOutside = neededOutside;
    members.forEach(member -> member.tensors().stream().filter(this::isLocal).forEach(tensor -> addLocal(tensor, member)));
  }

  private static List<Definition> members(Cascade cascade, Mapping.Group group) {
    return cascade.definitions().stream().filter(definition -> group.members().contains(definition.tensors().getFirst())).toList();
  }

  /// The same with tiles of `tile` points.
  KernelView by(int tile) {
    return new KernelView(cascade, new Mapping.Group(group.members(), group.shared(), tile), members, neededOutside, sharedRanks);
  }

  Mapping.Group group() {
    return group;
  }

  /// Whether the loops inside are not just those of the Einsums without their first ranks.
  boolean isNeeded() {
    return isTiled || members.stream().anyMatch(member -> switch (member) {
      case Einsum einsum -> !einsum.ranks().subList(0, Math.min(einsum.ranks().size(), group.shared().size())).equals(sharedRanks.of(einsum));
      case Recurrence _ -> true;
    });
  }

  /// What the kernel computes, in order.
  List<Writer> writers() {
    return members.stream().flatMap(member -> switch (member) {
      case Einsum einsum -> Stream.of(new Writer(einsum.tensor(), sharedRanks.of(einsum), own(einsum.ranks(), sharedRanks.of(einsum), einsum.value()),
          Optional.of(of(einsum)), points(sharedRanks.of(einsum))));
      case Recurrence recurrence -> recurrence.updates().stream().map(update -> new Writer(update.tensor(), sharedRanks.of(update),
          own(update.ranks(), sharedRanks.of(update), update.value()), of(update),
          points(sharedRanks.of(update)) * Exprs.volume(recurrence.steps())));
    }).toList();
  }

  private static Set<Rank> own(List<Rank> ranks, List<Rank> shared, Expr value) {
    Set<Rank> own = Exprs.identitySet();
    ranks.stream().filter(rank -> !shared.contains(rank)).forEach(own::add);
    value.nodes().forEach(node -> own.addAll(node.bound()));
    return own;
  }

  /// Whether what `access` of `writer` reads is the same at all points of the shared ranks and in all steps, so that it can be
  /// copied before the kernel runs.
  boolean isSteady(Writer writer, Expr.Access access) {
    return members.stream().noneMatch(member -> member.tensors().contains(access.tensor()))
        && locals.values().stream().noneMatch(local -> local == access.tensor())
        && writer.own.containsAll(Exprs.freeRanks(access));
  }

  /// The shared ranks of what writes `tensor` first.
  List<Rank> shared(Tensor tensor) {
    return writer(tensor).shared;
  }

  /// What writes `tensor` first.
  Writer writer(Tensor tensor) {
    return writers().stream().filter(writer -> writer.tensor == tensor).findFirst().orElseThrow();
  }

  /// How many points or tiles the shared ranks have.
  double tasks() {
    return points(writers().getFirst().shared);
  }

  /// How many tiles there are; what is left beyond whole ones counts as a part.
  double tiles() {
    return volume(writers().getFirst().shared) / group.tile();
  }

  private double points(List<Rank> shared) {
    return Math.ceil(volume(shared) / group.tile());
  }

  /// How many points `shared` have, which may be those of a member that is computed at more places.
  private double volume(List<Rank> shared) {
    return shared.isEmpty() ? 1 : (double) Exprs.volume(shared.subList(0, shared.size() - 1)) * sharedRanks.extent();
  }

  /// Whether what the kernel computes at other places than the points of the shared ranks is read by members only: elements of it
  /// are missing, or are computed for more than one point.
  boolean isComplete() {
    return members.stream().flatMap(member -> member.tensors().stream()).filter(sharedRanks::isWindowed).allMatch(this::isLocal);
  }

  /// The bytes of the tensors that live in the kernel.
  long localBytes() {
    return locals.values().stream()
        .mapToLong(local -> local.shape().stream().mapToLong(Size::value).reduce(local.type().bytes(), Math::multiplyExact)).sum();
  }

  /// Whether `tensor` stands, in what writers look like in the kernel, for one that lives there.
  boolean isInside(Tensor tensor) {
    return locals.values().stream().anyMatch(local -> local == tensor);
  }

  /// Whether only members read `tensor`.
  boolean isLocal(Tensor tensor) {
    return !neededOutside.contains(tensor);
  }

  /// What those that are no members read, and the outputs.
  private static Set<Tensor> neededOutside(Cascade cascade, Mapping.Group group) {
    Set<Tensor> needed = Exprs.identitySet();
    cascade.outputs().forEach(output -> needed.add(output.tensor()));
    cascade.definitions().stream().filter(definition -> !group.members().contains(definition.tensors().getFirst()))
        .flatMap(Definition::reads).forEach(needed::add);
    return needed;
  }

  private Einsum of(Einsum einsum) {
    return view(einsum.tensor(), einsum.ranks(), Exprs.coordinates(einsum.ranks()), einsum.value(), sharedRanks.of(einsum), einsum);
  }

  /// The view of `update`, if its points do not depend on each other.
  private Optional<Einsum> of(Recurrence.Update update) {
    return isMappable(update)
        ? Optional.of(view(update.tensor(), update.ranks(), update.indices(), update.value(), sharedRanks.of(update), update))
        : Optional.empty();
  }

  private boolean isMappable(Recurrence.Update update) {
    return members.stream().anyMatch(member -> member instanceof Recurrence recurrence && recurrence.isMappable(update.tensor()));
  }

  private Einsum view(Tensor tensor, List<Rank> own, List<Expr> indices, Expr value, List<Rank> shared, Object source) {
    Map<Rank, Rank> inTile = new IdentityHashMap<>();
    if (isTiled) {
      inTile.put(shared.getLast(), new Rank(shared.getLast().name(), inTile(tensor, shared.getLast().size())));
    }
    List<Rank> inside = own.stream().filter(rank -> !shared.contains(rank) || inTile.containsKey(rank))
        .sorted(Comparator.comparingInt(rank -> position(tensor, indices, rank)))
        .map(rank -> inTile.getOrDefault(rank, rank)).toList();
    Tensor view = new Tensor(tensor.name(), tensor.type(), inside.stream().map(Rank::size).toList(), tensor.span());
    Map<Rank, Expr> coordinates = new IdentityHashMap<>();
    inTile.forEach((rank, other) -> coordinates.put(rank, new Expr.Coordinate(other)));
    Expr seen = Exprs.rewrite(Exprs.substitute(value, coordinates), node -> local(node, tensor));
    return new Einsum(view, inside, seen, source instanceof Einsum einsum ? einsum.span() : ((Recurrence.Update) source).span());
  }

  /// How many of the coordinates of `tensor`, of which there are `size`, a tile needs.
  private Size inTile(Tensor tensor, Size size) {
    return Size.of(Math.min(sharedRanks.window(tensor).extent(group.tile()), size.value()));
  }

  /// Where in memory the dimension along `rank` stands.
  private int position(Tensor tensor, List<Expr> indices, Rank rank) {
    int dimension = indices.indexOf(new Expr.Coordinate(rank));
    return locals.containsKey(tensor) ? dimensions.get(tensor).indexOf(dimension) : dimension;
  }

  private Expr local(Expr node, Tensor reader) {
    if (!(node instanceof Expr.Access access) || !locals.containsKey(access.tensor())) {
      return node;
    }
    List<Expr> indices = dimensions.get(access.tensor()).stream()
        .map(dimension -> inTile(access.tensor(), dimension, access.indices().get(dimension), reader)).toList();
    return new Expr.Access(locals.get(access.tensor()), indices, access.outside());
  }

  /// The index of a tensor that lives in the kernel, relative to what a tile needs of it as the coordinates in it are to what a tile
  /// needs of `reader`.
  private Expr inTile(Tensor tensor, int dimension, Expr index, Tensor reader) {
    if (!isTiled || sharedRanks.dimensions(tensor).getLast() != dimension) {
      return index;
    }
    Window own = sharedRanks.window(tensor);
    Window other = sharedRanks.window(reader);
    long offset = own.stride() / other.stride() * other.low() - own.low();
    return offset == 0 ? index : new Expr.Binary(BinaryOp.ADD, index, Expr.index(offset));
  }

  private void addLocal(Tensor tensor, Definition definition) {
    List<Integer> shared = sharedRanks.dimensions(tensor);
    Optional<Integer> tiled = isTiled ? Optional.of(shared.getLast()) : Optional.empty();
    List<Integer> kept = new ArrayList<>(IntStream.range(0, tensor.shape().size()).boxed()
        .filter(dimension -> !shared.contains(dimension) || tiled.filter(dimension::equals).isPresent()).toList());
    List<String> layout = cascade.mapping().layout(tensor).map(Mapping.Layout::ranks).orElse(List.of());
    List<String> names = Mapping.rankNames(tensor, definition);
    kept.sort(Comparator.comparingInt(dimension -> layout.indexOf(names.get(dimension))));
    List<Size> shape = kept.stream().map(dimension -> tiled.filter(dimension::equals).isPresent()
        ? inTile(tensor, tensor.shape().get(dimension)) : tensor.shape().get(dimension)).toList();
    dimensions.put(tensor, kept);
    locals.put(tensor, new Tensor(tensor.name(), tensor.type(), shape, tensor.span()));
  }
}
