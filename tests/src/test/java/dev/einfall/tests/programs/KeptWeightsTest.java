package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the plans of products with weights in their formats keep of these.
@Execution(ExecutionMode.CONCURRENT)
class KeptWeightsTest {
  /// Of what codes stand for.
  private static final int MOST_TABLE_BYTES = 256 * Float.BYTES;

  /// What a product keeps of weights is no more than their codes take, in words up to 4 bits, else in bytes, or two of more than 8 bits, what groups share as `f32`, and tables of what codes stand for.
  ///
  /// @param bits of each code
  /// @param group how many weights share `shared` bytes
  @ParameterizedTest
  @CsvSource(delimiter = ';', value = {"integers int8(group = 64); 8; 64; 4", "integers int4(group = 64); 4; 64; 4", "integers symmetric(bits = 2, group = 64); 2; 64; 4",
      "integers symmetric(bits = 3, group = 64); 4; 64; 4", "integers symmetric(bits = 5, group = 64); 8; 64; 4", "integers symmetric(bits = 6, group = 64); 8; 64; 4",
      "integers symmetric(bits = 7, group = 64); 8; 64; 4", "integers asymmetric(bits = 4, group = 64); 4; 64; 8", "integers asymmetric(bits = 8, group = 64); 8; 64; 8",
      "integers ternary(group = 64); 2; 64; 4", "integers binary(group = 64); 1; 64; 4", "codebooks nf4(group = 64); 4; 64; 4", "codebooks any4(group = 64); 4; 64; 20",
      "codebooks any3(group = 64); 4; 64; 20", "codebooks any2(group = 64); 2; 64; 20", "codebooks dynamic8(group = 64); 8; 64; 4", "microscaling mxfp4; 4; 32; 4",
      "microscaling mxfp6_e2m3; 8; 32; 4", "microscaling mxfp6_e3m2; 8; 32; 4", "microscaling mxfp8_e4m3; 8; 32; 4", "microscaling mxfp8_e5m2; 8; 32; 4", "microscaling mxint8; 8; 32; 4",
      "microscaling nvfp4; 4; 16; 4", "microscaling fp4_ue5m3; 4; 16; 4", "minifloats fp8_e4m3; 8; 256; 4", "minifloats fp8_e5m2; 8; 256; 4", "minifloats fp6_e2m3; 8; 256; 0",
      "minifloats fp6_e3m2; 8; 256; 0", "minifloats fp4_e2m1; 4; 256; 0", "ggml q4_0; 4; 32; 4", "ggml q8_0; 8; 32; 4", "gguf gguf_q4_0; 4; 32; 4", "gguf gguf_q8_0; 8; 32; 4",
      "gguf gguf_q4_k; 4; 32; 8", "gguf gguf_q6_k; 8; 16; 4", "nested nested8(group = 64); 8; 64; 4", "nested nested4(group = 64); 4; 64; 4", "powers power(bits = 4, group = 64); 4; 64; 20",
      "powers shift(bits = 4, group = 64); 4; 64; 4", "block_floats block_float(bits = 5, block = 64); 8; 64; 8", "block_floats fixed(bits = 16, fraction = 15); 16; 256; 0",
      "block_floats dynamic_fixed; 16; 256; 8"})
  void weightsStayAsSmallAsTheyAre(String format, int bits, int group, int shared) {
    String[] words = format.split(" ", 2);
    for (int rows : new int[] {1, 128}) {
      Cascade cascade = FormatProduct.cascade(FormatProduct.PROGRAM.formatted(words[0], 256, 512, words[1]), rows);
      KernelPlan plan = new Pipeline(PipelineOptions.of(Target.of(64, 1)), _ -> { }, _ -> { }).compile(cascade, FormatProduct.sizes(rows));
      long read = plan.launches().stream().flatMap(launch -> launch.arguments().stream()).distinct()
          .filter(buffer -> plan.constants().contains(buffer) || plan.weights().stream().anyMatch(weight -> weight.buffer() == buffer))
          .mapToLong(buffer -> buffer.type().bytes() * buffer.extents().stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b)).sum();
      long most = 512 * 256 * bits / 8 + 512 * 256 / group * shared + MOST_TABLE_BYTES;
      assertTrue(read > 0 && read <= most, format + ", " + rows + " rows: constants of " + read + " bytes, not " + most);
    }
  }
}
