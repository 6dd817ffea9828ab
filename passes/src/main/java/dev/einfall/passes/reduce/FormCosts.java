package dev.einfall.passes.reduce;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// How many cycles a chain takes in each of its forms, roughly. All forms do the same arithmetic; they differ in what they move:
///
/// - one after the other, reductions read again what does not stay near, and results of products are stored and read again; each
///   product is a kernel of its own;
/// - in tiles, what is kept for a row is corrected in each step; what a tile makes is written and read in whatever cache has room
///   for it; and each step starts to read anew, while a long read is fetched ahead;
/// - tiles that guards leave out cost nothing;
/// - threads share the points that the steps do not connect, and parts are such points, which are put together at the end.
///
/// Beside the [dev.einfall.passes.Speeds] of the target, all numbers that it is made of stand here.
final class FormCosts {
  private static final double OPERATIONS_PER_LANE = 1.6;
  /// What is stored is first read.
  private static final double STORE = 2;
  private static final double UPDATE_CYCLES = 30;
  /// Cycles for a vector of something kept: to load, correct and store it.
  private static final double CORRECTION = 2;
  private static final double EXPONENTIAL = 12;
  /// Rows of a kernel, in vectors, where a rank fills the lanes.
  private static final int LANE_VECTORS = 4;

  /// The share of its time that a plain form takes, as other passes find more in it than in steps: biases to merge, masks that need
  /// not be computed for each row, and tiles of products that work on long streams. Measured on MiniLM, 128 tokens, and one query
  /// over 4,096 keys, where running forms take 1.1 times as long.
  private static final double WHAT_OTHERS_FIND = 0.92;

  private final Coverage coverage;
  private final Target target;
  private final Ancestry ancestry;
  private final Chain chain;
  private final ChainReads reads;
  private final List<Einsum> absorbed;
  private final List<Einsum> computed;
  private final int bytes;
  private final int lanes;
  private final double rows;
  private final double extent;

  FormCosts(Target target, Ancestry ancestry, Chain chain, Coverage coverage) {
    this.coverage = coverage;
    this.target = target;
    this.ancestry = ancestry;
    this.chain = chain;
    this.reads = new ChainReads(ancestry, chain);
    this.absorbed = ancestry.cascade().einsums().stream().filter(einsum -> chain.absorbed().contains(einsum.tensor())).toList();
    this.computed = new ArrayList<>(absorbed);
    chain.members().forEach(member -> computed.add(member.einsum()));
    this.bytes = chain.members().getFirst().tensor().type().bytes();
    this.lanes = target.lanes(bytes);
    this.rows = Exprs.volume(chain.common());
    this.extent = chain.rank().size().value();
  }

  double of(Form form) {
    return form.isPlain() ? WHAT_OTHERS_FIND * plain() : running(form);
  }

  private double plain() {
    double moved = 0;
    double kernels = 1;
    for (Einsum einsum : absorbed) {
      boolean alone = isProduct(einsum);
      double size = Exprs.bytes(einsum.tensor());
      double times = STORE + ancestry.readers(einsum.tensor()).size();
      boolean isNear = !alone && size / rows <= target.rowBytes()
          && computed.stream().noneMatch(reader -> isProduct(reader) && Exprs.reads(reader.value(), einsum.tensor()));
      moved += size * times / rate(isNear ? size / rows : size);
      kernels += alone ? 1 : 0;
    }
    kernels += chain.members().stream().filter(member -> isProduct(member.einsum())).count();
    double row = inputs().stream().mapToDouble(input -> Exprs.bytes(input) / rows).sum();
    for (Tensor input : inputs()) {
      moved += Exprs.bytes(input) * (reads(input) - 1) / rate(row);
    }
    return (Math.max(arithmetic(), first()) + moved) / target.threads() + kernels * target.speeds().launch();
  }

  private double running(Form form) {
    double tile = Math.min(form.tile(), extent);
    double wide = wide();
    double points = Math.ceil(rows / wide) * form.parts();
    double steps = Math.ceil(extent / tile / form.parts());
    double results = chain.members().stream().mapToDouble(this::results).sum() * wide;
    double made = tile * wide * made();
    // What only one row reads passes by.
    double read = wide > 1 ? slices() * tile : 0;
    double near = rate(made * bytes + results * bytes + read);
    double correction = CORRECTION * Math.ceil(results / lanes) + EXPONENTIAL * Math.ceil(wide / lanes) * chain.members().size();
    double tileBytes = bytes * (3 * made + 2 * results);
    double starts = reads.along().size() * target.level(slices() * extent * rows).start();
    double step = UPDATE_CYCLES * 2 * chain.members().size() + correction + tileBytes / near + starts;
    double all = Math.ceil(rows / wide) * slices() * extent;
    double again = Math.max(0, all - inputBytes()) / rate(wide > 1 ? slices() * extent : inputBytes());
    double overhead = points * steps * step;
    double together = form.parts() > 1 ? target.speeds().launch() + rows * form.parts() * chain.members().stream().mapToDouble(this::results).sum() : 0;
    double shared = Math.ceil(points / target.threads()) / points;
    double stream = first() * (target.level(inputBytes()) == target.speeds().memory() ? target.speeds().inTurn() : 1) + again;
    return coverage.in(form.tile(), extent) * (Math.max(arithmetic(), stream) + overhead) * shared + together + target.speeds().launch();
  }

  /// How many rows a kernel has at a time.
  private double wide() {
    double widest = chain.common().stream().mapToDouble(rank -> rank.size().value()).max().orElse(1);
    return widest >= lanes && lanes > 1 ? Math.min(widest, (double) LANE_VECTORS * lanes) : 1;
  }

  /// Values that are made for each element of a tile: the terms, and their exponentials.
  private double made() {
    return Math.clamp(absorbed.size(), 1, 2);
  }

  private double results(Chain.Member member) {
    return Exprs.volume(member.ranks().stream().filter(rank -> !chain.common().contains(rank)).toList());
  }

  /// The cycles of the arithmetic, on one core.
  private double arithmetic() {
    return computed.stream().mapToDouble(einsum -> {
      double points = Exprs.volume(einsum.ranks()) * (double) Exprs.volume(einsum.value().bound());
      return points * Math.max(1, Exprs.operations(einsum.value()));
    }).sum() / (lanes * OPERATIONS_PER_LANE);
  }

  /// The cycles of reading everything once.
  private double first() {
    return inputBytes() / rate(inputBytes());
  }

  private double inputBytes() {
    return inputs().stream().mapToDouble(Exprs::bytes).sum();
  }

  /// What the chain reads and does not compute.
  private Set<Tensor> inputs() {
    Set<Tensor> inputs = Exprs.identitySet();
    computed.forEach(einsum -> einsum.reads().forEach(inputs::add));
    computed.forEach(einsum -> inputs.remove(einsum.tensor()));
    return inputs;
  }

  private double reads(Tensor input) {
    return computed.stream().filter(einsum -> einsum.reads().anyMatch(read -> read == input)).count();
  }

  /// The bytes that are read for one element of the rank and one row.
  private double slices() {
    return reads.along().stream().mapToDouble(input ->
        Math.max(input.type().bytes(), Exprs.bytes(input) / extent / reads.rows(input))).sum();
  }

  /// Whether `einsum` sums over products of two tensors.
  static boolean isProduct(Einsum einsum) {
    return !einsum.value().bound().isEmpty() && einsum.reads().distinct().count() > 1
        && einsum.value().bound().size() < Exprs.freeRanks(einsum.value()).size();
  }

  /// Bytes a cycle from and to the level that has room for `bytes`.
  private double rate(double bytes) {
    return target.level(bytes).bytes();
  }
}
