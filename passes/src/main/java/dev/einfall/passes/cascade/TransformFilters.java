package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
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

/// Computes a constant filter that slides along ranks by Winograd's minimal filtering ([MinimalFilter]), where that costs less by the
/// [BlockCosts]: tiles of two neighbours along each such rank take 4 products in place of 6, and 16 in place of 36 along two.
///
/// ```
///                                                      F_points[r in 0..4, c, m] = where(r == 0, F[0, c, m], where(r == 1,
///                                                          F[0, c, m] * 0.5 + F[1, c, m] * 0.5 + F[2, c, m] * 0.5, ..
/// Y[p, m] = sum[r in 0..3, c](                         X_points[r in 0..4, p in 0..8, c] = where(r == 0,
///     F[r, c, m] * (X[p + r - 1, c] or 0.0))     =>        (X[2 * p - 1, c] or 0.0) - (X[2 * p + 1, c] or 0.0), ..
///                                                      Y_points[r, p, m] = sum[c](F_points[r, c, m] * X_points[r, p, c])
///                                                      Y[p in 0..16, m] = where(p % 2 == 0,
///                                                          Y_points[0, p / 2, m] + Y_points[1, p / 2, m] + Y_points[2, p / 2, m], ..
/// ```
///
/// Filters have two or three taps along a rank, so that four points are enough, whose powers are 0, 1 and -1: the error of a sum stays within
/// a small multiple of that of the same sum in another order.
///
/// Declines what is mapped, what has no sum left beside the taps, steps between places other than 1, and filters that are not constant.
///
/// @param numerics under which loops are chosen later
public record TransformFilters(Target target, Numerics numerics, Decisions decisions) implements Pass.OnCascade {
  private static final int LEAST_TAPS = 2;
  private static final int MOST_TAPS = 3;

  /// A filter as it is, or by points.
  private record Alternative(Optional<FilterPoints> points, String name, double cycles) {
    @Override
    public String toString() {
      return name;
    }
  }

  /// With choices by cost alone.
  public TransformFilters(Target target, Numerics numerics) {
    this(target, numerics, Decisions.byCost());
  }

  @Override
  public String name() {
    return "transform-filters";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Numerics needs() {
    return Numerics.REASSOCIATE;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Set<Tensor> constant = Constants.of(cascade);
    List<Definition> definitions = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      Optional<FilterPoints> points = definition instanceof Einsum einsum && !constant.contains(einsum.tensor())
          && !cascade.mapping().speaksOf(einsum.tensor()) ? points(einsum, constant) : Optional.empty();
      points.ifPresentOrElse(transformed -> {
        definitions.addAll(transformed.filters());
        definitions.addAll(transformed.inside());
        definitions.add(transformed.result());
      }, () -> definitions.add(definition));
    }
    return cascade.withDefinitions(definitions);
  }

  private Optional<FilterPoints> points(Einsum einsum, Set<Tensor> constant) {
    return SlidingFilter.of(einsum, constant).flatMap(filter -> {
      List<SlidingFilter.Window> windows = filter.windows().stream().filter(TransformFilters::isShort).toList();
      return windows.isEmpty() || filter.summed().isEmpty() ? Optional.empty() : choose(filter.along(windows), constant);
    });
  }

  private static boolean isShort(SlidingFilter.Window window) {
    int taps = window.tap().size().value();
    return taps >= LEAST_TAPS && taps <= MOST_TAPS;
  }

  private Optional<FilterPoints> choose(SlidingFilter filter, Set<Tensor> constant) {
    List<MinimalFilter> minimal = filter.windows().stream()
        .map(window -> new MinimalFilter(MinimalFilter.POINTS + 1 - window.tap().size().value(), window.tap().size().value())).toList();
    FilterPoints points = FilterPoints.of(filter, minimal);
    Set<Tensor> known = Exprs.identitySet();
    known.addAll(constant);
    points.filters().forEach(made -> known.add(made.tensor()));
    List<Einsum> inside = new ArrayList<>(points.inside());
    inside.add(points.result());
    String tiles = "tiles of " + minimal.stream().map(one -> String.valueOf(one.outputs())).collect(Collectors.joining(" x "));
    return decisions.choose(name() + " " + filter.einsum().tensor().name(), List.of(
        new Alternative(Optional.empty(), "each place", new BlockCosts(target, numerics, constant).apart(List.of(filter.einsum()))),
        new Alternative(Optional.of(points), tiles, new BlockCosts(target, numerics, known).apart(inside))), Alternative::cycles).points();
  }
}
