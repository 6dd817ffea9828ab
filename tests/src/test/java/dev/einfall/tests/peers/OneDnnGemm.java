package dev.einfall.tests.peers;

import dev.einfall.ir.ElementType;
import dev.einfall.passes.Compute;
import dev.einfall.runtime.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/// A product in oneDNN, with results of `f32`. A constant matrix is in the layout that the product asks for; others are row-major. In `bf16` both are
/// rounded before.
final class OneDnnGemm implements Contestant {

  /// A matrix as it is given, row-major, and as the product takes it.
  ///
  /// @param values are closed with the contestant, or earlier
  /// @param isFree whether it may have another layout
  private record Operand(Tensor values, OneDnn.Type given, OneDnn.Type taken, boolean isFree) {}

  private final NativeLibrary.Call threads;
  private final OneDnn oneDnn;
  private final Tensor left;
  private final Tensor right;
  private final Tensor result;
  private final NativeLibrary.Call product;
  private final NativeLibrary.Call finish;

  private OneDnnGemm(GemmCase shape, Operand first, Operand second, int threads) {
    this.threads = OpenMp.threads(threads);
    this.threads.make();
    oneDnn = new OneDnn();
    result = Tensor.zeros(ElementType.F32, shape.m(), shape.n());
    MemorySegment source = oneDnn.rowMajor(first.taken, shape.m(), shape.k());
    MemorySegment destination = oneDnn.rowMajor(shape.m(), shape.n());
    MemorySegment weights = second.isFree ? oneDnn.any(second.taken, shape.k(), shape.n()) : oneDnn.rowMajor(second.taken, shape.k(), shape.n());
    MemorySegment description = oneDnn.product(source, weights, destination);
    MemorySegment layout = oneDnn.weightsOf(description);
    left = taken(first, oneDnn.rowMajor(first.given, shape.m(), shape.k()), source);
    right = taken(second, oneDnn.rowMajor(second.given, shape.k(), shape.n()), layout);
    product = oneDnn.execution(description, Map.of(OneDnn.SOURCE, oneDnn.tensor(source, left.data()),
        OneDnn.WEIGHTS, oneDnn.tensor(layout, right.data()), OneDnn.DESTINATION, oneDnn.tensor(destination, result.data())));
    finish = oneDnn.finish();
  }

  static OneDnnGemm of(GemmCase shape, GemmCase.Inputs inputs, Compute compute, int threads) {
    OneDnn.Type taken = compute == Compute.BF16 ? OneDnn.Type.BF16 : OneDnn.Type.F32;
    return new OneDnnGemm(shape, new Operand(Tensor.of(inputs.left(), shape.m(), shape.k()), OneDnn.Type.F32, taken, false),
        new Operand(Tensor.of(inputs.right(), shape.k(), shape.n()), OneDnn.Type.F32, taken, shape.constant()), threads);
  }

  /// Of bytes, those of the constant matrix with signs.
  static OneDnnGemm ofBytes(GemmCase shape, Tensor left, Tensor right, int threads) {
    return new OneDnnGemm(shape, new Operand(left, OneDnn.Type.U8, OneDnn.Type.U8, false),
        new Operand(right, OneDnn.Type.S8, OneDnn.Type.S8, shape.constant()), threads);
  }

  private Tensor taken(Operand operand, MemorySegment plain, MemorySegment layout) {
    if (operand.given == operand.taken && !operand.isFree) {
      return operand.values;
    }
    Tensor packed = Tensor.zeros(ElementType.U8, oneDnn.bytes(layout));
    oneDnn.reorder(plain, oneDnn.tensor(plain, operand.values.data()), layout, oneDnn.tensor(layout, packed.data()));
    operand.values.close();
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
