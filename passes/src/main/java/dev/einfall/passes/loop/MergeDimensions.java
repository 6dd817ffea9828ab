package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Sees two neighbouring dimensions of a buffer as one where an index was cut in two for them, so that a reshaped
/// tensor costs no divisions. The memory is the same: buffers are dense.
///
/// ```
/// kernel f(Z: f32[12, 32], Y: f32[384]) {           kernel f(Z: f32[384], Y: f32[384]) {
///   for k in 0..384 {                         =>      for k in 0..384 {
///     Y[k] = Z[k / 32, k % 32]                          Y[k] = Z[k]
/// ```
public record MergeDimensions() implements Pass.OnKernel {

  @Override
  public String name() {
    return "merge-dimensions";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    Kernel current = kernel;
    List<Buffer> buffers = new ArrayList<>(kernel.parameters());
    kernel.body().nodes().forEach(statement -> {
      if (statement instanceof Stmt.Alloc alloc) {
        buffers.add(alloc.buffer());
      }
    });
    for (Buffer one : buffers) {
      Buffer buffer = one;
      for (OptionalInt cut = cut(current.body(), buffer); cut.isPresent(); cut = cut(current.body(), buffer)) {
        Buffer merged = merged(buffer, cut.getAsInt());
        current = replaced(current, buffer, merged, cut.getAsInt());
        buffer = merged;
      }
    }
    return current;
  }

  /// The first dimension of `buffer` that some access indexes by `x / c`, and the next, of extent `c`, by `x % c`.
  private static OptionalInt cut(Stmt body, Buffer buffer) {
    return accesses(body, buffer).flatMapToInt(indices -> java.util.stream.IntStream.range(0, indices.size() - 1)
        .filter(i -> isCut(indices.get(i), indices.get(i + 1), buffer.extents().get(i + 1)))).findFirst();
  }

  private static boolean isCut(Expr quotient, Expr remainder, long extent) {
    return quotient instanceof Expr.Binary(BinaryOp divide, Expr x, Expr c) && divide == BinaryOp.DIV
        && remainder instanceof Expr.Binary(BinaryOp modulo, Expr y, Expr d) && modulo == BinaryOp.MOD
        && x.equals(y) && c.equals(Expr.index(extent)) && d.equals(c);
  }

  private static Stream<List<Expr>> accesses(Stmt body, Buffer buffer) {
    return body.nodes().flatMap(statement -> Stream.concat(
        statement instanceof Stmt.Store store && store.buffer() == buffer ? Stream.of(store.indices()) : Stream.empty(),
        statement.exprs().flatMap(Expr::nodes)
            .filter(node -> node instanceof Expr.Load load && load.buffer() == buffer)
            .map(node -> ((Expr.Load) node).indices())));
  }

  private static Buffer merged(Buffer buffer, int dimension) {
    List<Integer> extents = new ArrayList<>(buffer.extents());
    int inner = extents.remove(dimension + 1);
    extents.set(dimension, Math.multiplyExact(extents.get(dimension), inner));
    return new Buffer(buffer.name(), buffer.type(), extents, buffer.space());
  }

  private static Kernel replaced(Kernel kernel, Buffer buffer, Buffer merged, int dimension) {
    Map<Buffer, Buffer> renamed = new IdentityHashMap<>();
    renamed.put(buffer, merged);
    int extent = buffer.extents().get(dimension + 1);
    Stmt redirected = Rewrites.redirect(kernel.body(), buffer, merged, indices -> joined(indices, dimension, extent));
    Stmt body = Rewrites.statements(redirected, statement -> statement instanceof Stmt.Alloc(Buffer local, Stmt inside) && local == buffer ? new Stmt.Alloc(merged, inside) : statement);
    return new Kernel(kernel.name(),
        kernel.parameters().stream().map(parameter -> renamed.getOrDefault(parameter, parameter)).toList(), body, kernel.span());
  }

  private static List<Expr> joined(List<Expr> indices, int dimension, int extent) {
    List<Expr> joined = new ArrayList<>(indices);
    Expr inner = joined.remove(dimension + 1);
    Expr outer = joined.get(dimension);
    joined.set(dimension, isCut(outer, inner, extent) ? ((Expr.Binary) outer).left()
        : new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, outer, Expr.index(extent)), inner));
    return joined;
  }
}
