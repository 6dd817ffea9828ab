package dev.einfall.runtime.quantize;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Numerics;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The functions of a format for matrices of one shape, compiled: what is stored has the very bits that the format's declaration says.
final class EncodingProgram implements AutoCloseable {
  private static final String ELEMENTS = "x";
  private static final String TABLE = "table";
  private static final String EXPONENT = "power";
  /// From how many elements on it pays to wait until the code is warm.
  private static final long LARGE = 1 << 15;

  private final Encoding encoding;
  private final long rows;
  private final long length;
  private final Options options;
  private final List<Cascade.Weight> stored;
  private final Map<String, Program> programs = new LinkedHashMap<>();

  /// @throws CompileException when the format does not fit rows of this length
  EncodingProgram(Encoding encoding, long rows, long length, Options options) {
    this.encoding = encoding;
    this.rows = rows;
    this.length = length;
    this.options = options.withNumerics(Numerics.STRICT).withFunction(Optional.empty()).withWarmUp(options.warmUp() && rows * length >= LARGE);
    this.stored = stored();
  }

  /// The weights that a program reads which declares one weight in the format.
  private List<Cascade.Weight> stored() {
    String text = start() + "def main(" + ELEMENTS + ": f32[1]) -> (" + ELEMENTS + ": f32[1], w: f32[" + rows + ", " + length + "]) {\n  weight w: "
        + encoding.type(length) + "[" + rows + ", " + length + "] = \"w\"\n  y[i] = " + ELEMENTS + "[i]\n  return y, w\n}\n";
    EinProgram program = EinReader.read(new Source(encoding.toString(), text), Optional.empty());
    return program.cascade().weights();
  }

  private String start() {
    return "import " + encoding.format().file() + "\n\n";
  }

  /// The shape of stored tensor `index`.
  List<Long> shape(int index) {
    return sizes(index).stream().map(Size::value).map(Integer::longValue).toList();
  }

  List<Size> sizes(int index) {
    return stored.get(index).tensor().shape();
  }

  ElementType type(int index) {
    return stored.get(index).tensor().type();
  }

  /// What all of it takes.
  long bytes() {
    return stored.stream().mapToLong(weight -> weight.tensor().shape().stream().mapToLong(Size::value).reduce(weight.tensor().type().bytes(), Math::multiplyExact)).sum();
  }

  int count() {
    return stored.size();
  }

  /// How many neighbours of a row have their own elements in each of the stored tensors but the last: a group, or a row.
  ///
  /// @throws CompileException when these tensors do not have a row for each of the matrix
  int unit() {
    long groups = 1;
    for (int i = 0; i + 1 < count(); i++) {
      List<Long> shape = shape(i);
      if (shape.isEmpty() || shape.getFirst() != rows || shape.size() > 2) {
        throw CompileException.of("the scales of " + encoding + " cannot be chosen row by row: take the method nearest");
      }
      long here = shape.size() == 1 ? 1 : shape.get(1);
      groups = i == 0 || here == groups ? here : 1;
    }
    return Math.toIntExact(length % groups == 0 ? length / groups : length);
  }

  /// How many neighbours of a row are decoded alike, so far as shapes say: each of the stored tensors but the last has the same elements for them.
  int grain() {
    long grain = length;
    for (int i = 0; i + 1 < count(); i++) {
      List<Long> shape = shape(i);
      long groups = shape.size() < 2 ? 1 : shape.get(1);
      grain = length % groups == 0 ? common(grain, length / groups) : 1;
    }
    return Math.toIntExact(grain);
  }

  private static long common(long left, long right) {
    return right == 0 ? left : common(right, left % right);
  }

  /// Which of the stored tensors has a table of numbers for each row, which is learned: that of this name.
  OptionalInt table() {
    return place(TABLE);
  }

  /// Which of the stored tensors has an exponent for each row, which is searched: that of this name.
  OptionalInt exponent() {
    return place(EXPONENT);
  }

  private OptionalInt place(String name) {
    int place = encoding.format().stored().indexOf(name);
    return place < 0 || place + 1 == count() ? OptionalInt.empty() : OptionalInt.of(place);
  }

  /// The encoding with the sizes that depend on the elements.
  Encoding measured(float[] elements) {
    List<String> unknown = encoding.unknown();
    String results = unknown.stream().map(size -> size + ": i32[]").collect(Collectors.joining(", ", "(", ")"));
    List<String> known = encoding.format().sizes().stream().filter(size -> !unknown.contains(size)).toList();
    String sizes = known.stream().map(size -> ", " + encoding.sizes(length).get(encoding.format().sizes().indexOf(size))).collect(Collectors.joining());
    Program program = program("measure", ELEMENTS + ": f32[" + rows + ", " + length + "]", results, String.join(", ", unknown), List.of(ELEMENTS), sizes);
    Map<String, Tensor> inputs = Map.of(ELEMENTS, Tensor.of(elements, rows, length));
    Map<String, Tensor> outputs = program.run(inputs);
    Encoding measured = encoding;
    for (String size : unknown) {
      measured = measured.with(size, Integer.toString(outputs.get(size).data().get(ValueLayout.JAVA_INT, 0)));
    }
    close(inputs, outputs);
    return measured;
  }

  /// What the format stores of a matrix.
  List<StoredTensor> encode(float[] elements) {
    String results = IntStream.range(0, count()).mapToObj(EncodingProgram::name).collect(Collectors.joining(", "));
    Program program = program("encode", ELEMENTS + ": f32[" + rows + ", " + length + "]", results(0), results, List.of(ELEMENTS));
    return run(program, Map.of(ELEMENTS, Tensor.of(elements, rows, length)));
  }

  /// What the format stores last of a matrix, beside `scales`, all that comes before.
  ///
  /// @throws CompileException when the format does not say that
  StoredTensor code(float[] elements, List<StoredTensor> scales) {
    List<String> arguments = new ArrayList<>(List.of(ELEMENTS));
    IntStream.range(0, count() - 1).mapToObj(EncodingProgram::name).forEach(arguments::add);
    String parameters = ELEMENTS + ": f32[" + rows + ", " + length + "]"
        + IntStream.range(0, count() - 1).mapToObj(i -> ", " + declaration(i)).collect(Collectors.joining());
    Program program = program("code", parameters, results(count() - 1), name(count() - 1), arguments);
    Map<String, Tensor> inputs = tensors(scales);
    inputs.put(ELEMENTS, Tensor.of(elements, rows, length));
    return run(program, inputs).getFirst();
  }

  /// The matrix that is stored.
  float[] decode(List<StoredTensor> tensors) {
    List<String> arguments = IntStream.range(0, count()).mapToObj(EncodingProgram::name).toList();
    String parameters = IntStream.range(0, count()).mapToObj(this::declaration).collect(Collectors.joining(", "));
    Program program = program("decode", parameters, "(" + ELEMENTS + ": f32[" + rows + ", " + length + "])", ELEMENTS, arguments);
    Map<String, Tensor> inputs = tensors(tensors);
    Map<String, Tensor> outputs = program.run(inputs);
    float[] elements = outputs.get(ELEMENTS).floats();
    close(inputs, outputs);
    return elements;
  }

  private static Map<String, Tensor> tensors(List<StoredTensor> stored) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (int i = 0; i < stored.size(); i++) {
      long[] shape = stored.get(i).shape().stream().mapToLong(Long::longValue).toArray();
      tensors.put(name(i), Tensor.copyOf(stored.get(i).type(), stored.get(i).data(), shape));
    }
    return tensors;
  }

  private static List<StoredTensor> run(Program program, Map<String, Tensor> inputs) {
    Map<String, Tensor> outputs = program.run(inputs);
    List<StoredTensor> stored = outputs.entrySet().stream().map(output -> new StoredTensor(output.getKey(), output.getValue().type(), output.getValue().shape(),
        MemorySegment.ofArray(output.getValue().data().toArray(ValueLayout.JAVA_BYTE)))).toList();
    close(inputs, outputs);
    return stored;
  }

  private static void close(Map<String, Tensor> inputs, Map<String, Tensor> outputs) {
    inputs.values().forEach(Tensor::close);
    outputs.values().forEach(Tensor::close);
  }

  private static String name(int index) {
    return "stored" + index;
  }

  private String declaration(int index) {
    ElementType type = stored.get(index).tensor().type();
    return name(index) + ": " + type + stored.get(index).tensor().shape();
  }

  /// The results from `first` on.
  private String results(int first) {
    return IntStream.range(first, count()).mapToObj(this::declaration).collect(Collectors.joining(", ", "(", ")"));
  }

  private Program program(String role, String parameters, String results, String names, List<String> arguments) {
    String sizes = encoding.sizes(length).stream().map(size -> ", " + size).collect(Collectors.joining());
    return program(role, parameters, results, names, arguments, sizes);
  }

  private Program program(String role, String parameters, String results, String names, List<String> arguments, String sizes) {
    return programs.computeIfAbsent(role, _ -> {
      String text = start() + "def main(" + parameters + ") -> " + results + " {\n  " + names + " = " + role + "_" + encoding.format().name() + "("
          + String.join(", ", arguments) + sizes + ")\n  return " + names + "\n}\n";
      return Einfall.compile(new Source(role + " " + encoding, text), options);
    });
  }

  @Override
  public void close() {
    programs.values().forEach(Program::close);
  }
}
