package dev.einfall.passes.cascade;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// Copies the operands of a vectorized reduction into panels as wide as its tiles, where neighbouring lanes are not
/// neighbours in memory, or where an operand's rows are further apart than a panel is wide: of a constant operand always, of another one
/// where so many tiles read each element that a copy pays.
///
/// ```
/// Y[m, n] = sum[k](X[m, k] * W[n, k])         W_panels[np in 0..3, k, nl in 0..4] = W[4 * np + nl, k] or 0.0
/// map Y { split n 4; vectorize n0 }      =>   Y[m, n in 0..10] = sum[k](X[m, k] * W_panels[n / 4, k, n % 4])
///                                             map Y { split n 4; vectorize n0 }
/// ```
///
/// Tiles of one row read rows of a constant operand as they lie: each of its elements is used once. If they read it from several places at
/// a time ([Streams]), it is larger than the caches, and panels come faster: with two threads, a vector times 4,096 x 4,096 takes half as long.
/// Of narrow elements, a tile would read short parts of rows: with panels, a vector times 4,096 x 4,096 bytes takes 0.4 times as long, and with their scales in such, too,
/// times 11,008 x 4,096 0.83 times. So it would of words of which copies of the steps take fields. Where lanes lie along short rows, a tile's rows have panels ([RowPanel]).
///
/// The `or` is for the last panel where it is not whole, and for indices that a condition guards. A panel is itself an Einsum: if
/// the operand is constant it is computed once, when the weights are known. What is but rounded for panels is rounded in them ([RoundedPanels]). What the steps of a recurrence read, each time the
/// same, is copied before the steps.
public record PackOperands(Target target) implements Pass.OnCascade {

  @Override
  public String name() {
    return "pack-operands";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Set<Tensor> constant = Constants.of(cascade);
    Map<Mapping.Group, KernelView> kernels = new IdentityHashMap<>();
    cascade.mapping().groups().forEach(group -> kernels.put(group, new KernelView(cascade, group)));
    List<Definition> result = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      Optional<Mapping.Group> group = cascade.mapping().group(definition.tensors().getFirst());
      Optional<KernelView> kernel = group.map(kernels::get).filter(KernelView::isNeeded);
      List<Tensor> fused = group.map(Mapping.Group::members).orElse(List.of());
      result.add(switch (definition) {
        case Einsum einsum -> einsum.withValue(packed(einsum, cascade.mapping().nest(einsum.tensor()), constant, result,
            access -> kernel.map(view -> view.isSteady(view.writer(einsum.tensor()), access)).orElse(!fused.contains(access.tensor()))));
        case Recurrence recurrence -> kernel.map(view -> packed(recurrence, view, cascade.mapping(), constant, result)).orElse(recurrence);
      });
    }
    Set<Tensor> panels = Exprs.identitySet();
    result.forEach(definition -> panels.addAll(definition.tensors()));
    cascade.definitions().forEach(definition -> definition.tensors().forEach(panels::remove));
    return RoundedPanels.of(cascade.withDefinitions(result), panels);
  }

  /// The recurrence with panels of what its updates read alike in all steps.
  private Recurrence packed(
      Recurrence recurrence, KernelView kernel, Mapping mapping, Set<Tensor> constant, List<Definition> before) {
    List<Recurrence.Update> updates = new ArrayList<>();
    for (Recurrence.Update update : recurrence.updates()) {
      Expr value = !recurrence.isMappable(update.tensor()) ? update.value()
          : packed(asEinsum(update), mapping.nest(update.tensor()), constant, before,
              access -> kernel.isSteady(kernel.writer(update.tensor()), access));
      updates.add(update.mapExprs(expr -> expr == update.value() ? value : expr));
    }
    return new Recurrence(recurrence.steps(), recurrence.states(), updates, recurrence.condition(), recurrence.span());
  }

  /// What `update` computes, as a tensor of its ranks.
  private static Einsum asEinsum(Recurrence.Update update) {
    List<Size> shape = update.ranks().stream().map(Rank::size).toList();
    Tensor tensor = new Tensor(update.tensor().name(), update.tensor().type(), shape, update.span());
    return new Einsum(tensor, update.ranks(), update.value(), update.span());
  }

  /// The value of `einsum`, reading panels of the operands for which that is better.
  ///
  /// @param before the definitions so far, to which panels are added
  /// @param isCopied whether what is read can be copied there
  private Expr packed(Einsum einsum, Optional<Mapping.Nest> mapped, Set<Tensor> constant, List<Definition> before,
      Predicate<Expr.Access> isCopied) {
    Optional<Rank> vector = mapped.flatMap(nest ->
        einsum.ranks().stream().filter(rank -> isBound(rank.name(), nest, Mapping.Binding.VECTORIZE)).findFirst());
    Optional<Products> products = Products.of(einsum);
    if (vector.isEmpty() || products.isEmpty()) {
      return einsum.value();
    }
    Mapping.Nest nest = mapped.orElseThrow();
    int width = nest.splits().stream().filter(split -> split.rank().equals(vector.get().name()))
        .mapToInt(split -> split.factors().getFirst()).findFirst().orElse(1);
    boolean hasRows = nest.loopRanks(einsum.ranks().stream().map(Rank::name).toList()).stream()
        .anyMatch(rank -> isBound(rank, nest, Mapping.Binding.UNROLL) && !rank.equals(vector.get().name()));
    boolean isStreamed = products.get().reduce().ranks().stream().anyMatch(rank -> isBound(rank.name(), nest, Mapping.Binding.UNROLL));
    String last = products.get().reduce().ranks().getLast().name();
    boolean hasCopies = nest.bindings().contains(new Mapping.Bound(last, Mapping.Binding.UNROLL));
    int lanes = nest.splits().stream().filter(split -> split.rank().equals(vector.get().name())).mapToInt(split -> split.factors().getLast()).findFirst().orElse(1);
    Optional<DotSteps> steps = DotSteps.of(DotSteps.packed(target), einsum, access -> constant.contains(access.tensor()) || isCopied.test(access), vector.get(), lanes)
        .filter(dot -> isBound(dot.rank().name(), nest, Mapping.Binding.UNROLL));
    boolean hasNarrow = products.get().operands().stream().anyMatch(access -> constant.contains(access.tensor()) && access.tensor().type().bytes() < Integer.BYTES);
    Map<Expr, Expr> replaced = new LinkedHashMap<>();
    for (Expr.Access access : products.get().operands()) {
      boolean pays = constant.contains(access.tensor()) ? hasRows || isStreamed || hasNarrow || hasCopies
          : hasRows && new PanelCosts(target, einsum, access, vector.get()).pay();
      Optional<DotSteps> own = steps.filter(dot -> dot.row().equals(access));
      boolean isFar = own.isPresent() || isStrided(access, vector.get()) || pays && isFarApart(access, vector.get(), width);
      if (isFar && isCopied.test(access)) {
        replaced.put(access, new Panel(access, einsum, vector.get(), width, own).define(before));
      } else if (constant.contains(access.tensor()) && isCopied.test(access)) {
        RowPanel.of(access, einsum, nest, vector.get(), width).ifPresent(panel -> replaced.put(access, panel.define(before)));
      }
    }
    return Exprs.rewrite(einsum.value(), node -> replaced.getOrDefault(node, node));
  }

  private static boolean isBound(String rank, Mapping.Nest nest, Mapping.Binding binding) {
    return nest.bindings().stream()
        .anyMatch(bound -> bound.binding() == binding && bound.loop().matches(java.util.regex.Pattern.quote(rank) + "[0-9]+"));
  }

  private static boolean isStrided(Expr.Access access, Rank vector) {
    return CostModel.isPackable(access) && !CostModel.isContiguous(access, vector);
  }

  private static boolean isFarApart(Expr.Access access, Rank vector, int width) {
    return CostModel.isPackable(access) && Exprs.freeRanks(access).contains(vector) && vector.size().value() > width;
  }

  /// The copy of one operand: ranks of the operand but the vector rank, then the coordinate within a panel.
  private record Panel(Expr.Access access, Einsum einsum, Rank vector, int width, Optional<DotSteps> steps) {

    /// Adds the Einsum that fills the panels and gives the access to them.
    Expr define(List<Definition> before) {
      Set<Rank> used = Exprs.freeRanks(access);
      List<Rank> reduced = Exprs.reduced(einsum.value()).stream().filter(used::contains).toList();
      Rank panel = new Rank(vector.name() + "p", Size.of(Math.ceilDiv(vector.size().value(), width)));
      int terms = steps.map(DotSteps::terms).orElse(1);
      Rank lane = new Rank(vector.name() + "l", Size.of(width * terms));
      PanelCopy copy = new PanelCopy();
      einsum.ranks().stream().filter(rank -> used.contains(rank) && rank != vector).forEach(copy::keep);
      copy.add(panel, new Expr.Binary(BinaryOp.DIV, new Expr.Coordinate(vector), Expr.index(width)));
      Expr within = new Expr.Binary(BinaryOp.MOD, new Expr.Coordinate(vector), Expr.index(width));
      for (Rank rank : reduced) {
        if (steps.filter(dot -> dot.rank() == rank).isPresent()) {
          within = keepParts(rank, terms, lane, within, copy);
        } else {
          copy.keep(rank);
        }
      }
      copy.add(lane, within);
      Expr place = terms == 1 ? new Expr.Coordinate(lane) : new Expr.Binary(BinaryOp.DIV, new Expr.Coordinate(lane), Expr.index(terms));
      copy.put(vector, new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, Expr.index(width), new Expr.Coordinate(panel)), place));
      return copy.define(access, einsum, vector.size().value() % width == 0, before);
    }

    /// Has whole steps of `terms` coordinates in place of `rank`, and those of a step beside each other for each lane; gives the place among lanes.
    private static Expr keepParts(Rank rank, int terms, Rank lane, Expr within, PanelCopy copy) {
      Rank step = new Rank(rank.name() + "s", Size.of(rank.size().value() / terms));
      copy.add(step, new Expr.Binary(BinaryOp.DIV, new Expr.Coordinate(rank), Expr.index(terms)));
      copy.put(rank, new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, Expr.index(terms), new Expr.Coordinate(step)),
          new Expr.Binary(BinaryOp.MOD, new Expr.Coordinate(lane), Expr.index(terms))));
      return new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, within, Expr.index(terms)),
          new Expr.Binary(BinaryOp.MOD, new Expr.Coordinate(rank), Expr.index(terms)));
    }
  }
}
