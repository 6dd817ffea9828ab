package dev.einfall.runtime.launch;

import dev.einfall.ir.ElementType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// A program that is compiled ahead of time, but for its code and its constants: what is launched on which memory. The numbers of buffers
/// count inputs, outputs, constants and intermediate results, in this order.
///
/// @param vectorBytes the width of the vectors of its code; that of an element where there are none
/// @param constants where in the constants each lies
/// @param intermediate where in the memory of a run each intermediate result lies
/// @param arenaBytes the size of the memory of a run
/// @param checksum the CRC-32 of the constants
/// @param constantBytes the size of the constants
public record ArchivedPlan(String name, int vectorBytes, List<Port> inputs, List<Port> outputs, List<Place> constants,
    List<Place> intermediate, long arenaBytes, long constantBytes, long checksum, List<Kernel> kernels, List<Call> launches) {
  private static final String VERSION = "einfall plan 1";

  public ArchivedPlan {
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
    constants = List.copyOf(constants);
    intermediate = List.copyOf(intermediate);
    kernels = List.copyOf(kernels);
    launches = List.copyOf(launches);
  }

  /// An input or output.
  ///
  /// @param start the position of the input that an output starts as; -1 if there is none
  public record Port(String name, ElementType type, List<Long> shape, int start) {
    public Port {
      shape = List.copyOf(shape);
    }

    public long elements() {
      return shape.stream().reduce(1L, Math::multiplyExact);
    }

    public long bytes() {
      return elements() * type.bytes();
    }

    /// As it is declared: `ids: i64[1, 128]`.
    @Override
    public String toString() {
      return name + ": " + type + shape;
    }
  }

  /// Where a buffer lies.
  public record Place(long offset, long bytes) {}

  /// A kernel.
  ///
  /// @param methods the size in bytes of each method that holds the kernel's code, by name
  /// @param plain those of the code without vectors; empty where that is the same code
  public record Kernel(String name, Map<String, Integer> methods, Map<String, Integer> plain) {}

  /// A launch of kernel `kernel`, with the numbers of its arguments.
  public record Call(int kernel, List<Integer> arguments) {
    public Call {
      arguments = List.copyOf(arguments);
    }
  }

  /// The sizes of all buffers in bytes, by their numbers.
  List<Long> bytes() {
    List<Long> bytes = new ArrayList<>();
    inputs.forEach(port -> bytes.add(port.bytes()));
    outputs.forEach(port -> bytes.add(port.bytes()));
    constants.forEach(place -> bytes.add(place.bytes));
    intermediate.forEach(place -> bytes.add(place.bytes));
    return bytes;
  }

  /// The text that [#read] reads: a line for each thing, in words with tabs between them.
  public String print() {
    List<String> lines = new ArrayList<>(List.of(VERSION, line("name", name), line("vectors", vectorBytes)));
    inputs.forEach(port -> lines.add(line("input", port.name, port.type.text(), words(port.shape))));
    outputs.forEach(port -> lines.add(line("output", port.name, port.type.text(), words(port.shape), port.start)));
    lines.add(line("constants", constantBytes, checksum));
    constants.forEach(place -> lines.add(line("constant", place.offset, place.bytes)));
    lines.add(line("arena", arenaBytes));
    intermediate.forEach(place -> lines.add(line("intermediate", place.offset, place.bytes)));
    kernels.forEach(kernel -> lines.add(line("kernel", kernel.name, words(kernel.methods), words(kernel.plain))));
    launches.forEach(call -> lines.add(line("launch", call.kernel, words(call.arguments))));
    return String.join("\n", lines) + "\n";
  }

  private static String line(Object... words) {
    return Arrays.stream(words).map(String::valueOf).collect(Collectors.joining("\t"));
  }

  private static String words(List<?> numbers) {
    return numbers.stream().map(String::valueOf).collect(Collectors.joining(" "));
  }

  private static String words(Map<String, Integer> sizes) {
    return sizes.entrySet().stream().map(size -> size.getKey() + "=" + size.getValue()).collect(Collectors.joining(" "));
  }

  /// Reads what [#print] wrote.
  ///
  /// @throws IllegalArgumentException when it is something else
  public static ArchivedPlan read(String text) {
    List<String> lines = text.lines().toList();
    if (lines.isEmpty() || !lines.getFirst().equals(VERSION)) {
      throw new IllegalArgumentException("expected '" + VERSION + "'");
    }
    Map<String, List<String[]>> rows = new LinkedHashMap<>();
    lines.stream().skip(1).map(line -> line.split("\t", -1)).forEach(row -> rows.computeIfAbsent(row[0], _ -> new ArrayList<>()).add(row));
    return new ArchivedPlan(only(rows, "name")[1], Integer.parseInt(only(rows, "vectors")[1]),
        all(rows, "input").stream().map(row -> port(row, -1)).toList(),
        all(rows, "output").stream().map(row -> port(row, Integer.parseInt(row[4]))).toList(),
        places(rows, "constant"), places(rows, "intermediate"), Long.parseLong(only(rows, "arena")[1]),
        Long.parseLong(only(rows, "constants")[1]), Long.parseLong(only(rows, "constants")[2]),
        all(rows, "kernel").stream().map(row -> new Kernel(row[1], sizes(row[2]), sizes(row[3]))).toList(),
        all(rows, "launch").stream().map(ArchivedPlan::call).toList());
  }

  private static Call call(String[] row) {
    return new Call(Integer.parseInt(row[1]), split(row[2]).stream().map(Integer::valueOf).toList());
  }

  private static List<String[]> all(Map<String, List<String[]>> rows, String kind) {
    return rows.getOrDefault(kind, List.of());
  }

  private static String[] only(Map<String, List<String[]>> rows, String kind) {
    if (all(rows, kind).size() != 1) {
      throw new IllegalArgumentException("expected one line '" + kind + "'");
    }
    return all(rows, kind).getFirst();
  }

  private static Port port(String[] row, int start) {
    ElementType type = ElementType.named(row[2]).orElseThrow(() -> new IllegalArgumentException("unknown type " + row[2]));
    return new Port(row[1], type, split(row[3]).stream().map(Long::valueOf).toList(), start);
  }

  private static List<Place> places(Map<String, List<String[]>> rows, String kind) {
    return all(rows, kind).stream().map(row -> new Place(Long.parseLong(row[1]), Long.parseLong(row[2]))).toList();
  }

  private static Map<String, Integer> sizes(String words) {
    Map<String, Integer> sizes = new LinkedHashMap<>();
    split(words).forEach(word -> sizes.put(word.substring(0, word.indexOf('=')), Integer.valueOf(word.substring(word.indexOf('=') + 1))));
    return sizes;
  }

  private static List<String> split(String words) {
    return words.isEmpty() ? List.of() : List.of(words.split(" "));
  }
}
