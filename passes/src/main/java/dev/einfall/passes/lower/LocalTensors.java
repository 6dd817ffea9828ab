package dev.einfall.passes.lower;

import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;

/// The tensors that live in a kernel for one point or tile of the shared ranks: these ranks are no dimensions of their
/// buffers, but for the coordinates that a tile needs. The other dimensions stand in the order of the tensor's layout.
final class LocalTensors {

  /// A buffer, and the dimensions of the tensor that it has, in its order.
  private record Local(Buffer buffer, List<Integer> dimensions) {}

  private final KernelBuilder kernel;
  private final Map<Tensor, Local> locals = new LinkedHashMap<>();

  /// @param width how many coordinates of the last shared rank a tile has
  LocalTensors(KernelBuilder kernel, int width) {
    this.kernel = kernel;
    kernel.members().forEach(member -> member.tensors().stream().filter(kernel::isLocal)
        .forEach(tensor -> locals.put(tensor, local(tensor, member, width))));
  }

  /// `body` with the buffers around it.
  Stmt around(Stmt body) {
    Stmt result = body;
    for (Local local : List.copyOf(locals.values()).reversed()) {
      result = new Stmt.Alloc(local.buffer, result);
    }
    return result;
  }

  /// The element of `tensor` at `indices`.
  ///
  /// @param inTile what stands for the index number so many, of the rank that goes in tiles
  ValueBuilder.Place place(Tensor tensor, List<Expr> indices, IntFunction<Expr> inTile) {
    Local local = locals.get(tensor);
    if (local == null) {
      return new ValueBuilder.Place(kernel.parameter(tensor), indices);
    }
    Optional<Integer> tiled = tiled(tensor);
    return new ValueBuilder.Place(local.buffer, local.dimensions.stream().map(dimension ->
        tiled.filter(dimension::equals).isPresent() ? inTile.apply(dimension) : indices.get(dimension)).toList());
  }

  private Optional<Integer> tiled(Tensor tensor) {
    return kernel.isTiled() ? Optional.of(kernel.sharedRanks().dimensions(tensor).getLast()) : Optional.empty();
  }

  private Local local(Tensor tensor, Definition definition, int width) {
    List<Integer> shared = kernel.sharedRanks().dimensions(tensor);
    Optional<Integer> tiled = tiled(tensor);
    List<Integer> dimensions = new ArrayList<>();
    for (int i = 0; i < tensor.shape().size(); i++) {
      if (!shared.contains(i) || tiled.isPresent() && tiled.get() == i) {
        dimensions.add(i);
      }
    }
    List<String> layout = kernel.schedule().mapping().layout(tensor).map(Mapping.Layout::ranks).orElse(List.of());
    List<String> names = Mapping.rankNames(tensor, definition);
    dimensions.sort(Comparator.comparingInt(dimension -> layout.indexOf(names.get(dimension))));
    int inTile = tiled.isPresent() ? Math.toIntExact(kernel.sharedRanks().window(tensor).extent(width)) : 0;
    List<Integer> extents = dimensions.stream()
        .map(dimension -> tiled.isPresent() && tiled.get().equals(dimension) ? inTile : tensor.shape().get(dimension).value()).toList();
    return new Local(new Buffer(tensor.name(), tensor.type(), extents, Buffer.Space.LOCAL), dimensions);
  }
}
