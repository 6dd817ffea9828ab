package dev.einfall.tests.jvm;

import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.frontend.EinReader;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// C2 knows the class of every vector that the code of whole programs calls.
class KnownReceiversTest {

  @TestFactory
  Stream<DynamicTest> ofPrograms() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("programs"))) {
      return files.filter(file -> file.toString().endsWith(".ein")).sorted().toList().stream()
          .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> check(file)));
    }
  }

  private static void check(Path file) throws IOException {
    var program = EinReader.read(new Source(file.toString(), Files.readString(file)), Optional.empty());
    TreeMap<String, Long> sizes = program.inputs().stream().flatMap(tensor -> tensor.shape().stream())
        .flatMap(size -> size.names().stream()).distinct()
        .collect(Collectors.toMap(Function.identity(), _ -> 37L, (one, _) -> one, TreeMap::new));
    KernelPlan plan = new Pipeline(PipelineOptions.of(Target.of(64, 2)), _ -> { }, _ -> { }).compile(program.cascade(sizes), sizes);
    JvmBackend backend = new JvmBackend(JvmOptions.ofThisJvm());
    plan.launches().forEach(launch -> KnownReceivers.require(backend.classFile(launch.kernel())));
  }
}
