package dev.einfall.tests.peers;

import dev.einfall.ir.ElementType;
import dev.einfall.runtime.Tensor;
import java.lang.foreign.MemorySegment;

/// A product in MKL, by its C interface of BLAS.
final class MklGemm implements Contestant {
  private static final String PROJECT = "mkl";
  private static final String FILE = "libmkl_rt.so.2";
  private static final int GNU_THREADS = 3;
  private static final int ROW_MAJOR = 101;
  private static final int NOT_TRANSPOSED = 111;
  private static final int PACKED = 151;
  private static final int RIGHT = 162;

  private final NativeLibrary library;
  private final NativeLibrary.Call threads;
  private final Tensor left;
  private final Tensor right;
  private final Tensor result;
  private final NativeLibrary.Call product;

  /// @param packed whether the right matrix is packed once
  MklGemm(GemmCase shape, GemmCase.Inputs inputs, boolean packed, int threads) {
    OpenMp.threads(threads).make();
    library = NativeLibrary.load(PROJECT, FILE);
    library.call("MKL_Set_Threading_Layer", GNU_THREADS).make();
    library.call("MKL_Set_Dynamic", 0).make();
    this.threads = library.call("MKL_Set_Num_Threads", threads);
    this.threads.make();
    left = Tensor.of(inputs.left(), shape.m(), shape.k());
    result = Tensor.zeros(ElementType.F32, shape.m(), shape.n());
    Tensor given = Tensor.of(inputs.right(), shape.k(), shape.n());
    right = packed ? packed(shape, given) : given;
    product = packed ? packedProduct(shape) : plainProduct(shape);
  }

  static boolean isThere() {
    return OneDnn.isThere() && NativeLibrary.isThere(PROJECT, FILE);
  }

  private NativeLibrary.Call plainProduct(GemmCase shape) {
    return library.call("cblas_sgemm", ROW_MAJOR, NOT_TRANSPOSED, NOT_TRANSPOSED, shape.m(), shape.n(), shape.k(), 1f,
        left.data(), shape.k(), right.data(), shape.n(), 0f, result.data(), shape.n());
  }

  private NativeLibrary.Call packedProduct(GemmCase shape) {
    return library.call("cblas_sgemm_compute", ROW_MAJOR, NOT_TRANSPOSED, PACKED, shape.m(), shape.n(), shape.k(),
        left.data(), shape.k(), right.data(), shape.n(), 0f, result.data(), shape.n());
  }

  private Tensor packed(GemmCase shape, Tensor given) {
    long bytes = library.call("cblas_sgemm_pack_get_size", RIGHT, shape.m(), shape.n(), shape.k()).make();
    Tensor packed = Tensor.zeros(ElementType.U8, bytes);
    MemorySegment target = packed.data();
    library.call("cblas_sgemm_pack", ROW_MAJOR, RIGHT, NOT_TRANSPOSED, shape.m(), shape.n(), shape.k(), 1f, given.data(), shape.n(),
        target).make();
    given.close();
    return packed;
  }

  @Override
  public void run() {
    threads.make();
    product.make();
  }

  @Override
  public float[] result() {
    run();
    return result.floats();
  }

  @Override
  public void close() {
    left.close();
    right.close();
    result.close();
  }
}
