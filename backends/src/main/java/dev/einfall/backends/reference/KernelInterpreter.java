package dev.einfall.backends.reference;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Runs a kernel statement by statement, every loop in order whatever its kind and vector values lane by lane, so that a
/// kernel can be run before and after every pass. Operations round to their types, unlike those of [CascadeInterpreter]:
/// an expanded `exp` relies on it.
public final class KernelInterpreter {
  private KernelInterpreter() {}

  /// Runs `kernel` over `buffers`, which stand for its parameters in order and are changed in place. Local memory starts
  /// out as NaN or large numbers.
  ///
  /// @throws IllegalArgumentException when a buffer is missing or its type or shape does not fit
  /// @throws dev.einfall.backends.KernelFault when a `require` does not hold or an integer is divided by zero
  /// @throws dev.einfall.ir.InternalException when an access is out of bounds
  public static void run(Kernel kernel, List<Array> buffers) {
    if (buffers.size() != kernel.parameters().size()) {
      throw new IllegalArgumentException(kernel.name() + " run with " + buffers.size() + " buffers");
    }
    Map<Buffer, Array> arrays = new LinkedHashMap<>();
    for (int i = 0; i < buffers.size(); i++) {
      arrays.put(kernel.parameters().get(i), requireFit(kernel.parameters().get(i), buffers.get(i)));
    }
    StmtCompiler compiler = new StmtCompiler(arrays);
    StmtCompiler.Action action = compiler.compile(kernel.body());
    action.run(compiler.frame());
  }

  static Array newArray(Buffer buffer) {
    return new Array(buffer.type(), shape(buffer));
  }

  /// `array`, if it fits `buffer`: it has the type and as many elements, which the buffer may divide into other dimensions.
  static Array requireFit(Buffer buffer, Array array) {
    if (array == null || array.type() != buffer.type() || array.elements() != buffer.elements()) {
      throw new IllegalArgumentException("for " + buffer + " got " + array);
    }
    return array;
  }

  private static int[] shape(Buffer buffer) {
    return buffer.extents().stream().mapToInt(Integer::intValue).toArray();
  }
}
