package dev.einfall.tests.peers;

import dev.einfall.ir.ElementType;
import dev.einfall.passes.Compute;
import dev.einfall.runtime.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/// A product in oneDNN. A constant matrix is in the layout that the product asks for; others are row-major. In `bf16` both are rounded before, and the
/// result is `f32`.
final class OneDnnGemm implements Contestant {
  private final NativeLibrary.Call threads;
  private final OneDnn oneDnn;
  private final Tensor left;
  private final Tensor right;
  private final Tensor result;
  private final NativeLibrary.Call product;
  private final NativeLibrary.Call finish;

  OneDnnGemm(GemmCase shape, GemmCase.Inputs inputs, Compute compute, int threads) {
    this.threads = OpenMp.threads(threads);
    this.threads.make();
    oneDnn = new OneDnn();
    boolean isNarrow = compute == Compute.BF16;
    result = Tensor.zeros(ElementType.F32, shape.m(), shape.n());
    MemorySegment given = oneDnn.rowMajor(shape.m(), shape.k());
    MemorySegment source = isNarrow ? oneDnn.rowMajor(OneDnn.Type.BF16, shape.m(), shape.k()) : given;
    MemorySegment plain = oneDnn.rowMajor(shape.k(), shape.n());
    MemorySegment destination = oneDnn.rowMajor(shape.m(), shape.n());
    MemorySegment description =
        oneDnn.product(source, weights(shape, isNarrow, plain), destination);
    MemorySegment layout = oneDnn.weightsOf(description);
    left = reordered(Tensor.of(inputs.left(), shape.m(), shape.k()), given, source);
    Tensor second = Tensor.of(inputs.right(), shape.k(), shape.n());
    right = shape.constant() || isNarrow ? reordered(second, plain, layout) : second;
    product = oneDnn.execution(description, Map.of(OneDnn.SOURCE, oneDnn.tensor(source, left.data()),
        OneDnn.WEIGHTS, oneDnn.tensor(layout, right.data()), OneDnn.DESTINATION, oneDnn.tensor(destination, result.data())));
    finish = oneDnn.finish();
  }

  private MemorySegment weights(GemmCase shape, boolean isNarrow, MemorySegment plain) {
    if (isNarrow) {
      return shape.constant() ? oneDnn.any(OneDnn.Type.BF16, shape.k(), shape.n())
          : oneDnn.rowMajor(OneDnn.Type.BF16, shape.k(), shape.n());
    }
    return shape.constant() ? oneDnn.any(shape.k(), shape.n()) : plain;
  }

  private Tensor reordered(Tensor given, MemorySegment plain, MemorySegment layout) {
    Tensor packed = Tensor.zeros(ElementType.U8, oneDnn.bytes(layout));
    oneDnn.reorder(plain, oneDnn.tensor(plain, given.data()), layout, oneDnn.tensor(layout, packed.data()));
    given.close();
    return packed;
  }

  @Override
  public void run() {
    threads.make();
    product.make();
    finish.make();
  }

  @Override
  public float[] result() {
    run();
    return result.floats();
  }

  @Override
  public void close() {
    oneDnn.close();
    left.close();
    right.close();
    result.close();
  }
}
