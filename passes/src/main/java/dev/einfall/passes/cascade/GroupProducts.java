package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Decisions;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// Lets a product and one that reads what it makes, with what is elementwise or row by row before, between and after them,
/// share a kernel that goes by tiles of rows, where that costs less by the [BlockCosts]: what they hand on stays in cache,
/// but the weights of all are read again for every tile.
///
/// ```
/// H[m, h] = max(sum[d](X[m, d] * W[d, h]), 0.0)       H[m, h] = max(sum[d](X[m, d] * W[d, h]), 0.0)
/// Y[m, n] = sum[h](H[m, h] * V[h, n])             =>  Y[m, n] = sum[h](H[m, h] * V[h, n])
///                                                     map Y { fuse H Y over m by 96 }
/// ```
///
/// Where the second reads places around its own, as a convolution does, each tile computes them, too: the same rows again at
/// either side, against rows that do not come from memory.
///
/// No bit of the result depends on it.
///
/// @param numerics under which loops are chosen later
public record GroupProducts(Target target, Numerics numerics, Decisions decisions) implements Pass.OnCascade {
  private static final List<Integer> TILES = List.of(2, 4, 8, 16, 32, 64, 96, 128);
  /// A tile of fewer reads the weights for too little.
  private static final int LEAST_ROWS = 16;

  /// What can be done with a block: a kernel for each of its definitions, or one for all.
  ///
  /// @param group the kernel for all; empty for one each
  private record Alternative(Optional<Mapping.Group> group, double cycles) {

    /// Such as `apart`, or `together, h p by 64`.
    @Override
    public String toString() {
      return group.map(all -> "together, " + String.join(" ", all.shared()) + " by " + all.tile()).orElse("apart");
    }
  }

  /// With choices by cost alone.
  public GroupProducts(Target target, Numerics numerics) {
    this(target, numerics, Decisions.byCost());
  }

  @Override
  public String name() {
    return "group-products";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Set<Tensor> constant = Constants.of(cascade);
    List<Mapping.Group> groups = new ArrayList<>(cascade.mapping().groups());
    BlockCosts costs = new BlockCosts(target, numerics, constant);
    for (Block block : Block.all(cascade, constant)) {
      choose(block, cascade, costs).group().ifPresent(groups::add);
    }
    return groups.size() == cascade.mapping().groups().size() ? cascade
        : cascade.withMapping(cascade.mapping().withGroups(groups));
  }

  private Alternative choose(Block block, Cascade cascade, BlockCosts costs) {
    List<Alternative> alternatives = new ArrayList<>();
    alternatives.add(new Alternative(Optional.empty(), costs.apart(block.members())));
    for (int last = 0; last < block.shared().size(); last++) {
      List<String> shared = block.shared().subList(0, last + 1);
      if (!block.isShared(shared, cascade)) {
        continue;
      }
      long extent = block.extent(last);
      long inside = block.rows(last);
      KernelView untiled = new KernelView(cascade, new Mapping.Group(block.tensors(), shared));
      TILES.stream().filter(tile -> tile < extent && tile * inside >= LEAST_ROWS).map(untiled::by)
          .filter(view -> view.localBytes() <= target.l2Bytes())
          .forEach(view -> alternatives.add(new Alternative(Optional.of(view.group()), costs.together(view))));
    }
    String subject = "fuse " + block.tensors().stream().map(Tensor::name).collect(Collectors.joining(" "));
    return decisions.choose(subject, alternatives, Alternative::cycles);
  }
}
