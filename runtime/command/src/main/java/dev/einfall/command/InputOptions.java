package dev.einfall.command;

import dev.einfall.runtime.Npy;
import dev.einfall.runtime.Port;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import dev.einfall.ir.Size;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/// The options that give a program its inputs.
final class InputOptions {
  @Option(names = "--in", paramLabel = "NAME=VALUE",
      description = "An input: FILE.npy, or rand:1x128 (random, always the same), or rand alone for a declared shape;"
          + " normal:1x128*10 for a normal distribution, ten times as wide.")
  List<String> in = new ArrayList<>();

  @Option(names = "--text", paramLabel = "STRING",
      description = "A text; the program's tokenizer makes inputs of it. Several make a batch.")
  List<String> texts = new ArrayList<>();

  @Option(names = "--size", paramLabel = "NAME=N", description = "The number that a size stands for.")
  Map<String, Long> sizes = new LinkedHashMap<>();

  /// The inputs for `program`.
  Map<String, Tensor> inputs(Program program, Supplier<Tokenizer> tokenizer) {
    return inputs(program.inputs(), tokenizer);
  }

  /// The inputs for `ports`.
  Map<String, Tensor> inputs(List<Port> ports, Supplier<Tokenizer> tokenizer) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    if (!texts.isEmpty()) {
      inputs.putAll(tokenizer.get().inputs(texts, ports));
    }
    for (String assignment : in) {
      int equals = assignment.indexOf('=');
      if (equals < 1) {
        throw new UserError("--in " + assignment + ": expected NAME=FILE.npy or NAME=rand:1x128");
      }
      String name = assignment.substring(0, equals);
      inputs.put(name, tensor(name, assignment.substring(equals + 1), ports));
    }
    return inputs;
  }

  /// Values for `ports`; numbers of a normal distribution where none are given.
  Map<String, Tensor> inputsOrRandom(List<Port> ports, Supplier<Tokenizer> tokenizer) {
    Map<String, Tensor> inputs = inputs(ports, tokenizer);
    for (Port port : ports) {
      inputs.computeIfAbsent(port.name(), _ -> RandomInput.NORMAL.tensor(port, declared(port)));
    }
    return inputs;
  }

  private Tensor tensor(String name, String value, List<Port> ports) {
    Optional<RandomInput> random = RandomInput.of(value);
    if (random.isPresent()) {
      Port port = ports.stream().filter(candidate -> candidate.name().equals(name)).findFirst()
          .orElseThrow(() -> new UserError("--in " + name + "=" + value + ": the program has no input '" + name
              + "', its inputs are " + ports));
      return random.get().tensor(port, random.get().shape().map(text -> shape(name, text)).orElseGet(() -> declared(port)));
    }
    if (!value.endsWith(".npy")) {
      throw new UserError("--in " + name + "=" + value + ": expected a file that ends in .npy, or rand:1x128");
    }
    try {
      return Npy.read(Path.of(value));
    } catch (IllegalArgumentException e) {
      throw new UserError(e.getMessage());
    }
  }

  private static int[] shape(String name, String text) {
    try {
      int[] shape = text.isEmpty() ? new int[0] : Arrays.stream(text.split("x", -1)).mapToInt(Integer::parseInt).toArray();
      if (Arrays.stream(shape).allMatch(size -> size > 0)) {
        return shape;
      }
    } catch (NumberFormatException _) {
      // reported below
    }
    throw new UserError("--in " + name + "=rand:" + text + ": expected sizes such as 1x128");
  }

  private int[] declared(Port port) {
    return port.shape().stream().mapToInt(size -> size
        .substitute(name -> Optional.ofNullable(sizes.get(name)).map(Size::of)).constant()
        .orElseThrow(() -> new UserError("--in " + port.name() + "=rand: give a number for each size in " + port
            + ", such as --size " + size.names().iterator().next() + "=8"))
        .intValue()).toArray();
  }
}
