package dev.einfall.passes.cascade;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.IndexBounds;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Replaces size names by the numbers bound at the call, and so makes every shape a known one.
///
/// ```
/// def f(X: f32[N]) -> f32[N] {              def f(X: f32[8]) -> f32[8] {
///   Y[n] = X[n] / f32(N)           =>         Y[n] = X[n] / f32(i32(8))
/// ```
///
/// Names without a number stay. An index that leaves its tensor at these sizes is an error of the user's, and so is a
/// dimension that would be smaller than 0 or larger than an `i32`.
public record BindSizes(SortedMap<String, Long> sizes) implements Pass.OnCascade {

  @Override
  public String name() {
    return "bind-sizes";
  }

  @Override
  public boolean needsSizes() {
    return false;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Binding binding = new Binding(sizes);
    Cascade bound = binding.cascade(cascade);
    require(binding.impossible);
    require(IndexBounds.check(bound));
    return bound;
  }

  private void require(List<Diagnostic> errors) {
    if (!errors.isEmpty()) {
      throw new CompileException(errors.stream().map(this::withSizes).toList());
    }
  }

  private Diagnostic withSizes(Diagnostic outside) {
    String message = sizes.isEmpty() ? outside.message() : outside.message() + ", for " + bindings(sizes);
    return new Diagnostic(outside.severity(), outside.span(), message, outside.notes());
  }

  private static String bindings(SortedMap<String, Long> sizes) {
    return sizes.entrySet().stream()
        .map(size -> size.getKey() + "=" + size.getValue()).collect(Collectors.joining(", "));
  }

  /// The new identity of each tensor and rank whose sizes change.
  private static final class Binding {
    private final SortedMap<String, Long> sizes;
    private final Map<Tensor, Tensor> tensors = new IdentityHashMap<>();
    private final Map<Rank, Rank> ranks = new IdentityHashMap<>();
    private final List<Diagnostic> impossible = new ArrayList<>();

    Binding(SortedMap<String, Long> sizes) {
      this.sizes = sizes;
    }

    Cascade cascade(Cascade old) {
      return new Cascade(
          old.name(),
          old.inputs().stream().map(this::tensor).toList(),
          old.weights().stream().map(weight -> new Cascade.Weight(tensor(weight.tensor()), weight.key())).toList(),
          old.definitions().stream().map(this::definition).toList(),
          old.outputs().stream().map(output -> new Cascade.Output(output.name(), tensor(output.tensor()))).toList(),
          mapping(old.mapping()));
    }

    private Mapping mapping(Mapping old) {
      return new Mapping(
          old.nests().stream().map(nest -> nest.of(tensor(nest.tensor()))).toList(),
          old.groups().stream()
              .map(group -> new Mapping.Group(group.members().stream().map(this::tensor).toList(), group.shared(), group.tile()))
              .toList(),
          old.layouts().stream().map(layout -> new Mapping.Layout(tensor(layout.tensor()), layout.ranks())).toList(),
          old.schedules().stream()
              .map(schedule -> new Mapping.Schedule(tensor(schedule.tensor()), schedule.way(), schedule.number())).toList());
    }

    private Definition definition(Definition old) {
      return switch (old) {
        case Einsum einsum -> new Einsum(tensor(einsum.tensor()), ranks(einsum.ranks()), expr(einsum.value()), einsum.span());
        case Recurrence recurrence -> new Recurrence(
            ranks(recurrence.steps()),
            recurrence.states().stream()
                .map(state -> state.mapTensors(this::tensor)).toList(),
            recurrence.updates().stream().map(this::update).toList(),
            recurrence.condition().map(this::expr), recurrence.span());
      };
    }

    private Recurrence.Update update(Recurrence.Update old) {
      return new Recurrence.Update(tensor(old.tensor()), ranks(old.ranks()), old.indices().stream().map(this::expr).toList(),
          old.combination(), expr(old.value()), old.where().map(this::expr), old.span());
    }

    private List<Rank> ranks(List<Rank> old) {
      return old.stream().map(this::rank).toList();
    }

    private Expr expr(Expr old) {
      return switch (old) {
        case Expr.Coordinate(Rank rank) -> new Expr.Coordinate(rank(rank));
        case Expr.Extent(Size size) -> new Expr.Extent(size(size));
        case Expr.Access(Tensor tensor, List<Expr> indices, Optional<Expr> outside) ->
            new Expr.Access(tensor(tensor), indices.stream().map(this::expr).toList(), outside.map(this::expr));
        case Expr.Reduce _, Expr.Fold _ -> Exprs.withRanks(old.mapChildren(this::expr), ranks(old.bound()));
        default -> old.mapChildren(this::expr);
      };
    }

    private Tensor tensor(Tensor old) {
      return tensors.computeIfAbsent(old, _ -> {
        List<Size> shape = IntStream.range(0, old.shape().size()).mapToObj(i -> dimension(old, i)).toList();
        return shape.equals(old.shape()) ? old : old.withShape(shape);
      });
    }

    private Size dimension(Tensor tensor, int index) {
      Size declared = tensor.shape().get(index);
      Size size = size(declared);
      size.constant().filter(value -> value != Math.clamp(value, 0, Integer.MAX_VALUE)).ifPresent(value ->
          impossible.add(Diagnostic.error(tensor.span(), "dimension " + index + " of `" + tensor.name()
              + "` has no possible size: " + (declared.equals(size) ? "" : declared + " is ") + value)));
      return size;
    }

    private Rank rank(Rank old) {
      return ranks.computeIfAbsent(old, _ -> {
        Size size = size(old.size());
        return size.equals(old.size()) ? old : new Rank(old.name(), size);
      });
    }

    private Size size(Size old) {
      try {
        return old.substitute(name -> Optional.ofNullable(sizes.get(name)).map(Size::of));
      } catch (ArithmeticException _) {
        throw CompileException.of("the size " + old + " is too large for " + bindings(sizes));
      }
    }
  }
}
