package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.einfall.backends.c.CProgram;
import dev.einfall.backends.c.CTarget;
import dev.einfall.backends.reference.Array;
import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.runtime.nativecode.CCompiler;
import dev.einfall.runtime.nativecode.CTargets;
import dev.einfall.runtime.nativecode.Toolchain;
import dev.einfall.tests.Commands;
import dev.einfall.tests.runtime.MiniLm;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Programs as C of their own, compiled and run without a JVM.
@Execution(ExecutionMode.CONCURRENT)
class CProgramsTest {
  private static final List<String> CLEAN = List.of("-std=c11", "-O0", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-pthread");
  private static final List<String> SANITIZED = List.of("-fsanitize=address,undefined", "-fno-sanitize-recover=all");

  @TempDir
  Path directory;

  /// Half of them, under the address and undefined behaviour sanitizers.
  @TestFactory
  List<DynamicTest> onAnyMachine() throws IOException {
    return tests("cc", "portable", SANITIZED, List.of(), 2, 1, 2);
  }

  /// Some of them with the vectors of this machine, if it has them, by the other compiler.
  @TestFactory
  List<DynamicTest> withWideVectors() throws IOException {
    boolean isHere = CCompiler.find("cc").filter(compiler -> compiler.target().vectorBytes() == 64).isPresent();
    return isHere ? tests("clang", "avx512", SANITIZED, List.of(), 6, 0, 7) : List.of();
  }

  /// Some of them on AArch64, which an emulator runs.
  @TestFactory
  List<DynamicTest> onAnotherArchitecture() throws IOException {
    return tests("aarch64-linux-gnu-gcc", "neon", List.of("-static"), List.of("qemu-aarch64"), 6, 2, 5);
  }

  /// Every `step`th of the programs, from the one at `first` on.
  private List<DynamicTest> tests(String compiler, String target, List<String> flags, List<String> emulator, int step, int first, int round) throws IOException {
    List<Path> programs = Programs.programs();
    boolean isThere = Commands.exists(compiler) && emulator.stream().allMatch(Commands::exists);
    return IntStream.iterate(first, i -> i < programs.size(), i -> i + step).mapToObj(programs::get)
        .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
          Assumptions.assumeTrue(isThere, "there is no " + compiler + (emulator.isEmpty() ? "" : " or no " + emulator.getFirst()) + " here");
          check(file, round, compiler, target, flags, emulator);
        })).toList();
  }

  private void check(Path file, int round, String compiler, String target, List<String> flags, List<String> emulator) throws IOException {
    EinProgram program = Programs.read(file);
    SortedMap<String, Long> sizes = Programs.sizes(program, round);
    Cascade cascade = Programs.cascade(program, sizes);
    List<Array> inputs = Programs.inputs(cascade, sizes);
    Path folder = directory.resolve(target + "-" + file.getFileName());
    Options options = Options.defaults().withBackend(Options.Backend.C).withThreads(2).withToolchain(Toolchain.usual().withTarget(target)).withRemarks(_ -> {});
    Einfall.writeC(file, sizes, options, new CProgram.Options("program", CTargets.named(target), false, true, true), folder);
    build(folder, compiler, target, flags);
    List<String> command = new ArrayList<>(emulator);
    command.addAll(List.of(folder.resolve("program").toString(), "2"));
    for (int i = 0; i < inputs.size(); i++) {
      command.add(write(inputs.get(i), folder.resolve("input" + i)).toString());
    }
    List<Array> expected = Programs.reference(cascade, inputs);
    for (int i = 0; i < expected.size(); i++) {
      command.add(folder.resolve("output" + i).toString());
    }
    assertEquals("", Commands.run(folder, command));
    List<Array> actual = new ArrayList<>();
    for (int i = 0; i < expected.size(); i++) {
      actual.add(read(folder.resolve("output" + i), expected.get(i)));
    }
    Programs.requireClose(expected, actual, "at " + sizes + " in " + folder);
  }

  private static void build(Path folder, String compiler, String target, List<String> flags) throws IOException {
    List<String> command = new ArrayList<>(List.of(compiler));
    command.addAll(CLEAN);
    command.addAll(CTargets.named(target).flags());
    command.addAll(flags);
    command.addAll(List.of("-o", "program", "program.c", "main.c", "-lm"));
    assertEquals("", Commands.run(folder, command));
  }

  private static Path write(Array array, Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(Math.max(1, (long) array.type().bytes() * Arrays.stream(array.shape()).reduce(1, Math::multiplyExact)), 64);
      array.write(data);
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        channel.write(data.asByteBuffer());
      }
      return file;
    }
  }

  private static Array read(Path file, Array like) throws IOException {
    try (Arena arena = Arena.ofConfined(); FileChannel channel = FileChannel.open(file)) {
      return Array.read(like.type(), channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena), like.shape());
    }
  }

  /// A few lines of C that print a sentence's embedding.
  private static final String EMBED = """
      #include "minilm.h"
      #include <stdio.h>

      int main(int count, char **arguments) {
        const int64_t ids[TOKENS] = {IDS}, mask[TOKENS] = {ONES}, types[TOKENS] = {0};
        static float hidden[TOKENS][384], embedding[384];
        const char *error = NULL;
        minilm *model = minilm_open(arguments[count - 1], 2, &error);
        if (model == NULL || minilm_run(model, ids, mask, types, &hidden[0][0], embedding) != 0) {
          printf("%s\\n", model == NULL ? error : minilm_error(model));
          return 1;
        }
        for (int i = 0; i < 384; i++) {
          printf("%.7f ", embedding[i]);
        }
        minilm_close(model);
        return 0;
      }
      """;

  @Test
  void anApplicationInCLinksAModel() throws IOException {
    Assumptions.assumeTrue(Commands.exists("cc"), "there is no C compiler here");
    CTarget target = CCompiler.require("cc").target();
    try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(MiniLm.tokenizer()); OnnxFile weights = OnnxFile.open(MiniLm.weights())) {
      Encoding encoding = tokenizer.encode("How do I bake bread?");
      long[] ids = encoding.getIds();
      Options options = Options.defaults().withWeights(weights).withThreads(2).withWarmUp(false);
      Einfall.writeC(MiniLm.PROGRAM, Map.of("B", 1L, "T", (long) ids.length), options.withBackend(Options.Backend.C),
          new CProgram.Options("minilm", target, false, false, true), directory);
      Files.writeString(directory.resolve("embed.c"), EMBED.replace("TOKENS", Integer.toString(ids.length))
          .replace("IDS", Arrays.stream(ids).mapToObj(Long::toString).collect(Collectors.joining(", ")))
          .replace("ONES", "1" + ", 1".repeat(ids.length - 1)));
      List<String> command = new ArrayList<>(List.of("cc"));
      command.addAll(CLEAN);
      command.addAll(target.flags());
      command.addAll(List.of("-o", "embed", "embed.c", "minilm.c", "-lm"));
      assertEquals("", Commands.run(directory, command));
      requireClose(embedding(ids, options), Commands.run(directory, List.of("./embed", "minilm.weights")));
      refusesOtherWeights();
    }
  }

  private static float[] embedding(long[] ids, Options options) {
    long[] ones = new long[ids.length];
    Arrays.fill(ones, 1);
    try (Program program = Einfall.compile(MiniLm.PROGRAM, options); Tensor input = Tensor.of(ids, 1, ids.length);
        Tensor mask = Tensor.of(ones, 1, ids.length); Tensor types = Tensor.of(new long[ids.length], 1, ids.length)) {
      Map<String, Tensor> results = program.run(Map.of("input_ids", input, "attention_mask", mask, "token_type_ids", types));
      try {
        return results.get("embedding").floats();
      } finally {
        results.values().forEach(Tensor::close);
      }
    }
  }

  private static void requireClose(float[] expected, String printed) {
    String[] numbers = printed.strip().split(" ");
    assertEquals(expected.length, numbers.length, printed);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], Float.parseFloat(numbers[i]), 1e-5, "element " + i);
    }
  }

  private void refusesOtherWeights() throws IOException {
    Path file = directory.resolve("minilm.weights");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), 1_000_000);
      assertTrue(embedWith("minilm.weights").contains("the file of weights is damaged, or of another program"));
      channel.truncate(channel.size() - 1);
    }
    assertTrue(embedWith("minilm.weights").contains("not of the size that belongs to this program"));
    assertTrue(embedWith("nowhere.weights").contains("the file of weights cannot be opened"));
  }

  private String embedWith(String weights) {
    return Commands.failing(directory, List.of("./embed", weights));
  }
}
