package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Target;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// What the definitions of a block cost in kernels of their own, and in one: the cycles of the [CostModel] with the best
/// tiling, and those of what comes from memory or a cache that cores share, because it does not stay in the cache of a core.
///
/// A product goes through one operand panel by panel, and for each panel through all rows of the other, which come from
/// memory every time if they are large; a cache that cores share serves them as fast as they are needed.
/// Panels are read from one end to the other, so that the machine fetches them ahead; rows are short, and it does not.
///
/// Models have many blocks that are alike: what was found for one is kept.
final class BlockCosts {
  /// Measured on Zen 4, beside products that run at nearly the peak of a core.
  private static final double ROW_BYTES_PER_CYCLE = 12;
  private static final double PANEL_BYTES_PER_CYCLE = 64;
  /// The part of the cache that cores share on which one core can count.
  private static final double SHARE = 0.25;
  /// What products lose whose rows go in tiles, also where these are whole.
  private static final double TILED = 1.05;

  private final Target target;
  private final Numerics numerics;
  private final Set<Tensor> constant;
  private final Map<Object, Double> known = new HashMap<>();

  /// @param constant the tensors that weights alone determine
  BlockCosts(Target target, Numerics numerics, Set<Tensor> constant) {
    this.target = target;
    this.numerics = numerics;
    this.constant = constant;
  }

  /// The cycles of `members`, each in a kernel of its own.
  double apart(List<Einsum> members) {
    return members.stream().mapToDouble(member -> cycles(member, _ -> true, 1, Set.of(), _ -> false, false)).sum() / target.threads();
  }

  /// The cycles of a group in one kernel, spread over the threads as evenly as its tiles allow.
  double together(KernelView view) {
    boolean stays = view.localBytes() <= target.l2Bytes();
    double tile = 0;
    for (KernelView.Writer writer : view.writers()) {
      Einsum inside = writer.inside().orElseThrow();
      tile += cycles(inside, access -> view.isSteady(writer, access), writer.times(), tiled(writer, inside), tensor -> stays && view.isInside(tensor),
          stays && view.isLocal(writer.tensor()));
    }
    double tiles = view.tiles();
    return TILED * tile * (target.threads() == 1 ? tiles : Math.ceil(Math.ceil(tiles) / target.threads()));
  }

  /// Those of [Run], once for all Einsums that are alike.
  ///
  /// @param isCopied whether what is read can be copied before the first run
  private double cycles(Einsum einsum, Predicate<Expr.Access> isCopied, double times, Set<Rank> tiled, Predicate<Tensor> isNear, boolean isWrittenNear) {
    Map<Tensor, Integer> numbers = new IdentityHashMap<>();
    ExprForm form = new ExprForm(einsum.ranks(), access -> List.of(numbers.computeIfAbsent(access.tensor(), _ -> numbers.size()), access.tensor().type(), access.tensor().shape(),
        constant.contains(access.tensor()), isCopied.test(access), isNear.test(access.tensor()), Exprs.volume(List.copyOf(Exprs.freeRanks(access))), Exprs.freeRanks(access).stream().anyMatch(tiled::contains)));
    Object key = List.of(einsum.tensor().type(), einsum.tensor().shape(), einsum.ranks().stream().map(Rank::size).toList(), form.of(einsum.value()), times, isWrittenNear);
    return known.computeIfAbsent(key, _ -> new Run(einsum, new CostModel(target, einsum, constant, isCopied, times), times, tiled, isNear, isWrittenNear).cycles());
  }

  /// The ranks along which tiles are apart, as they are inside of one.
  private static Set<Rank> tiled(KernelView.Writer writer, Einsum inside) {
    Set<Rank> ranks = Exprs.identitySet();
    ranks.addAll(writer.shared());
    String last = writer.shared().getLast().name();
    inside.ranks().stream().filter(rank -> rank.name().equals(last)).forEach(ranks::add);
    return ranks;
  }

  private record Costed(Tiling tiling, double cycles) {}

  /// One of the times that the loops of an Einsum run.
  ///
  /// @param times how often they do
  /// @param tiled the ranks of which each time has its own coordinates
  /// @param isNear whether an operand is in the cache in any case
  /// @param isWrittenNear whether the output stays there
  private final class Run {
    private final Einsum einsum;
    private final double times;
    private final Set<Rank> tiled;
    private final Predicate<Tensor> isNear;
    private final boolean isWrittenNear;
    private final Tiling tiling;
    private final List<Rank> reduced;
    private final double inCache;

    Run(Einsum einsum, CostModel costs, double times, Set<Rank> tiled, Predicate<Tensor> isNear, boolean isWrittenNear) {
      this.einsum = einsum;
      this.times = times;
      this.tiled = tiled;
      this.isNear = isNear;
      this.isWrittenNear = isWrittenNear;
      this.reduced = Exprs.reduced(einsum.value());
      Costed best = Stream.concat(new Tilings(target, numerics, einsum, einsum.ranks(), reduced).all().stream(),
              Transposition.tile(einsum, einsum.ranks(), target, numerics, false).stream())
          .map(candidate -> DotSteps.atOnce(target, einsum, costs::canCopy, candidate)).map(candidate -> new Costed(candidate, costs.cycles(candidate))).min(Comparator.comparingDouble(Costed::cycles)).orElseThrow();
      this.tiling = best.tiling;
      this.inCache = best.cycles;
    }

    double cycles() {
      double written = isWrittenNear ? 0 : rows(Exprs.bytes(einsum.ranks(), einsum.tensor()), 1, false);
      return Math.max(inCache, again()) + written + Exprs.accesses(einsum.value()).distinct()
          .filter(access -> !isNear.test(access.tensor())).mapToDouble(this::afar).sum();
    }

    /// The cycles of reading the rows of tiles again for each coordinate of the ranks that they lack, where the rows of a tile are more than the first-level cache holds.
    private double again() {
      return Exprs.accesses(einsum.value()).distinct().filter(access -> !constant.contains(access.tensor())).mapToDouble(this::again).sum();
    }

    private double again(Expr.Access access) {
      Set<Rank> ranks = Exprs.freeRanks(access);
      boolean isVectors = tiling.vector().filter(ranks::contains).isPresent() && tiling.row().filter(ranks::contains).isPresent();
      double bytes = isVectors ? bytes(access, List.copyOf(ranks)) : 0;
      double ofTile = isVectors ? bytes * tiling.rows() / tiling.row().orElseThrow().size().value() : 0;
      double often = Exprs.volume(einsum.ranks().stream().filter(rank -> !ranks.contains(rank)).toList());
      return often > 1 && ofTile > target.l1Bytes() ? often * bytes / target.level(bytes).bytes() : 0;
    }

    private double afar(Expr.Access access) {
      // Those of the loops around the kernel's are at one place.
      List<Rank> ranks = Exprs.freeRanks(access).stream().filter(rank -> einsum.ranks().contains(rank) || reduced.contains(rank)).toList();
      double bytes = bytes(access, ranks);
      boolean hasVector = tiling.vector().filter(ranks::contains).isPresent();
      if (constant.contains(access.tensor()) && hasVector) {
        return bytes > target.l2Bytes() / 4.0 ? bytes / PANEL_BYTES_PER_CYCLE : 0;
      }
      boolean isRow = !hasVector && tiling.row().filter(ranks::contains).isPresent();
      // Weights that no vector goes along are few.
      boolean isSame = times > 1 && !constant.contains(access.tensor()) && Exprs.freeRanks(access).stream().noneMatch(tiled::contains);
      return rows(bytes, isRow ? Math.ceil((double) tiling.vector().orElseThrow().size().value() / tiling.width()) : 1, isSame);
    }

    /// The cycles of moving `bytes` from one end to the other, `often` times.
    ///
    /// @param isSame whether they are those of the time before
    private double rows(double bytes, double often, boolean isSame) {
      double first = isSame ? 0 : bytes * times > target.l2Bytes() ? bytes : 0;
      double again = bytes > SHARE * target.l3Bytes() ? bytes * (isSame ? often : often - 1) : 0;
      return (first + again) / ROW_BYTES_PER_CYCLE;
    }

    /// The bytes that `access` reaches along `ranks`: places that it reaches again, as those of neighbours, count once.
    private static double bytes(Expr.Access access, List<Rank> ranks) {
      double bytes = access.tensor().type().bytes();
      for (int i = 0; i < access.indices().size(); i++) {
        double whole = access.tensor().shape().get(i).value();
        bytes *= Affine.of(access.indices().get(i)).map(index -> Math.min(whole, reached(index, ranks))).orElse(whole);
      }
      return bytes;
    }

    private static double reached(Affine index, List<Rank> ranks) {
      return 1 + ranks.stream().mapToDouble(rank -> Math.abs(index.coefficient(rank)) * (rank.size().value() - 1.0)).sum();
    }
  }
}
