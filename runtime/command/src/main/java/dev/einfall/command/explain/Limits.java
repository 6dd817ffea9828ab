package dev.einfall.command.explain;

import dev.einfall.command.page.Quantities;
import dev.einfall.passes.Target;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/// What the machine can do at most.
///
/// @param operations the operations on `f32` a second
/// @param bytes the bytes a second from and to memory
/// @param basis where the numbers come from
public record Limits(double operations, double bytes, String basis) {
  private static final double HERTZ = 3e9;
  private static final double BYTES_PER_CORE = 16e9;
  private static final int GPU_MULTIPROCESSORS = 108;
  private static final int GPU_MULTIPLY_ADDS = 64;
  private static final double GPU_HERTZ = 1.4e9;
  private static final double GPU_BYTES = 1555e9;

  /// Two fused multiply-adds of a vector a cycle of each core, and what a core of a current server reads from memory. Of a GPU, what an A100 has without
  /// its tensor cores.
  private static Limits assumed(Target target) {
    if (target.isGpu()) {
      return new Limits(2.0 * GPU_MULTIPROCESSORS * GPU_MULTIPLY_ADDS * GPU_HERTZ, GPU_BYTES,
          "assumed: " + GPU_MULTIPROCESSORS + " multiprocessors with " + GPU_MULTIPLY_ADDS + " multiply-adds a cycle, 1.4 GHz, 1555 GB/s");
    }
    double operations = 4.0 * target.lanes(Float.BYTES) * HERTZ * target.threads();
    return new Limits(operations, BYTES_PER_CORE * target.threads(), "assumed: 3 GHz, 2 multiply-adds of "
        + (target.lanes(Float.BYTES) == 1 ? "a number" : "a vector of " + target.vectorBytes() + " bytes") + " a cycle, 16 GB/s a core");
  }

  /// The limits of `target`, or those given, in 10^9 a second.
  public static Limits of(Target target, Optional<Double> givenOperations, Optional<Double> givenBytes) {
    Limits assumed = assumed(target);
    if (givenOperations.isEmpty() && givenBytes.isEmpty()) {
      return assumed;
    }
    String basis = givenOperations.isPresent() && givenBytes.isPresent() ? "as given" : "in part as given, else " + assumed.basis;
    return new Limits(givenOperations.map(given -> given * 1e9).orElse(assumed.operations),
        givenBytes.map(given -> given * 1e9).orElse(assumed.bytes), basis);
  }

  /// The limits given, in 10^9 a second, or else measured.
  ///
  /// @param rows those of the product of square matrices that is measured
  public static Limits measured(Optional<Double> givenOperations, Supplier<Double> operations, int rows,
      Optional<Double> givenBytes, Supplier<Double> bytes) {
    String basis = (givenOperations.isPresent() ? "as given" : "what a product of " + rows + " x " + rows + " matrices reaches here") + ", "
        + (givenBytes.isPresent() ? "as given" : "what sums of long rows read here");
    return new Limits(givenOperations.orElseGet(operations) * 1e9, givenBytes.orElseGet(bytes) * 1e9, basis);
  }

  /// The least seconds for so much work.
  double seconds(double operationCount, double byteCount) {
    return Math.max(operationCount / operations, byteCount / bytes);
  }

  /// What is the limit for work of this many operations a byte.
  String limiting(double intensity) {
    return intensity < operations / bytes ? "memory" : "arithmetic";
  }

  String text() {
    return String.format(Locale.ROOT, "%s operations/s, %s/s from memory: %s a byte balance (%s)", Quantities.count(operations),
        Quantities.bytes(bytes), Quantities.ratio(operations / bytes), basis);
  }

  static String time(double seconds) {
    return seconds < 1e-3 ? Quantities.digits(seconds * 1e6) + " us"
        : seconds < 1 ? Quantities.digits(seconds * 1e3) + " ms" : Quantities.digits(seconds) + " s";
  }
}
