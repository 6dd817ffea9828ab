package dev.einfall.tests.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.cuda.CudaFile;
import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.tests.programs.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A program whose blocks share more memory than every device has, where there is as much and where there is not.
@Execution(ExecutionMode.CONCURRENT)
class CudaSharedMemoryTest {
  private static final String PROGRAM = """
      def softmax(X: f32[2, 15000]) -> f32[2, 15000] {
        E[m, n] = exp(X[m, n] - max[n](X[m, n]))
        Y[m, n] = E[m, n] / sum[n](E[m, n])
        return Y
      }
      """;

  @TempDir
  private Path folder;

  @ParameterizedTest
  @ValueSource(ints = {64 << 10, 48 << 10})
  void asksForWhatTheDeviceHas(int sharedBytes) throws IOException {
    Assumptions.assumeTrue(CudaOnHost.isPossible(), "no g++");
    Cascade cascade = EinReader.read(new Source("softmax.ein", PROGRAM), Optional.empty()).cascade();
    KernelPlan plan = new Pipeline(PipelineOptions.of(Target.gpu()), _ -> { }, _ -> { }).compile(cascade, new TreeMap<>());
    String source = CudaFile.of(plan, "softmax", Gpu.machine()).source();
    assertTrue(source.contains("cudaFuncAttributeMaxDynamicSharedMemorySize"), source);
    List<Array> inputs = Programs.inputs(cascade, new TreeMap<>());
    try (CudaOnHost host = CudaOnHost.compile(Files.writeString(folder.resolve("softmax.cu"), source), sharedBytes)) {
      Programs.requireClose(Programs.reference(cascade, inputs), host.run("softmax", plan, inputs), "with " + sharedBytes + " bytes");
    }
  }
}
