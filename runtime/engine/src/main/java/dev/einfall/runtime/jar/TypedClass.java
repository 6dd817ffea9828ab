package dev.einfall.runtime.jar;

import dev.einfall.runtime.launch.ArchivedPlan;
import dev.einfall.runtime.launch.ArchivedPlan.Port;
import dev.einfall.runtime.launch.ElementArrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The Java class of a program that is compiled ahead of time, as source text: a method `run` with a parameter for each input.
///
/// @param name its qualified name
/// @param folder where the files of the program are, in the package of the class
/// @param behind the qualified name of [dev.einfall.runtime.launch.ArchivedProgram] in the jar
/// @param origin what it was compiled from
record TypedClass(String name, String folder, String behind, String origin, ArchivedPlan plan) {

  String simpleName() {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  private String packageName() {
    return name.substring(0, name.lastIndexOf('.'));
  }

  private List<String> inputs() {
    return JavaNames.parameters(plan.inputs().stream().map(Port::name).toList(), Set.of());
  }

  private List<String> outputs(Set<String> taken) {
    return JavaNames.parameters(plan.outputs().stream().map(Port::name).toList(), taken);
  }

  private boolean isOne() {
    return plan.outputs().size() == 1;
  }

  /// The record of several outputs.
  private String results() {
    return simpleName().equals("Outputs") ? "Results" : "Outputs";
  }

  private String resultType() {
    return isOne() ? ElementArrays.javaType(plan.outputs().getFirst().type()) : results();
  }

  String source() {
    return """
        package %1$s;

        /// `%2$s`, compiled ahead of time by Einfall%3$s.
        ///
        /// ```
        /// try (%4$s program = %4$s.load()) {
        ///   %5$s result = program.run(%6$s);
        /// }
        /// ```
        ///
        /// Inputs and outputs are dense and row-major:
        ///
        %7$s///
        /// Start `java` with `--add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED`: without the first the code is
        /// scalar and slow, and the logger `dev.einfall` says so. Objects are safe for use by many threads at once.
        public final class %4$s implements java.lang.AutoCloseable {
          private final %8$s program;

          private %4$s(%8$s program) {
            this.program = program;
          }

          /// Loads the program for all cores.
          ///
          /// @throws java.lang.IllegalStateException when the jar is damaged
          public static %4$s load() {
            return load(java.lang.Runtime.getRuntime().availableProcessors());
          }

          /// Loads the program for `threads` threads, which share the work of a run. The results do not depend on it.
          public static %4$s load(int threads) {
            return load(threads, true);
          }

          /// @param warmUp whether to return only when the code runs at full speed, which takes a second or more
          public static %4$s load(int threads, boolean warmUp) {
            return new %4$s(%8$s.load(%4$s.class, "%9$s", threads, warmUp));
          }

        %10$s%11$s  /// Frees everything, when the runs that have begun are over.
          @java.lang.Override
          public void close() {
            this.program.close();
          }
        }
        """.formatted(packageName(), plan.name(), origin, simpleName(), isOne() ? resultType() : simpleName() + "." + results(), String.join(", ", inputs()), ports(), behind, folder,
        arrays(), segments());
  }

  private String ports() {
    String in = plan.inputs().stream().map(port -> "/// - in: `" + text(port) + "`\n").collect(Collectors.joining());
    return in + plan.outputs().stream().map(port -> "/// - out: `" + text(port) + "`" + start(port) + "\n").collect(Collectors.joining());
  }

  private static String text(Port port) {
    return port.name() + ": " + port.type().text() + port.shape() + "` as `" + ElementArrays.javaType(port.type());
  }

  private String start(Port port) {
    return port.start() < 0 ? "" : ", which starts as `" + plan.inputs().get(port.start()).name() + "`";
  }

  private String arrays() {
    List<String> names = inputs();
    String parameters = IntStream.range(0, names.size())
        .mapToObj(i -> ElementArrays.javaType(plan.inputs().get(i).type()) + " " + names.get(i)).collect(Collectors.joining(", "));
    String call = "this.program.arrays(new java.lang.Object[] {" + String.join(", ", names) + "})";
    String result = isOne() ? "(" + resultType() + ") " + call + "[0]" : results() + ".of(" + call + ")";
    return """
          /// Computes the program.
          ///
          /// @throws java.lang.IllegalArgumentException when an array has another number of elements, or when its values are at
          ///     fault, such as an index outside a table
          /// @throws java.lang.IllegalStateException after [#close]
          public %s run(%s) {
            return %s;
          }

        """.formatted(resultType(), parameters, result).indent(0) + (isOne() ? "" : record());
  }

  private String record() {
    List<String> names = outputs(Set.of());
    String components = IntStream.range(0, names.size())
        .mapToObj(i -> ElementArrays.javaType(plan.outputs().get(i).type()) + " " + names.get(i)).collect(Collectors.joining(", "));
    String values = IntStream.range(0, names.size())
        .mapToObj(i -> "(" + ElementArrays.javaType(plan.outputs().get(i).type()) + ") arrays[" + i + "]").collect(Collectors.joining(", "));
    return """
          /// The outputs of a run.
          public record %1$s(%2$s) {
            private static %1$s of(java.lang.Object[] arrays) {
              return new %1$s(%3$s);
            }
          }

        """.formatted(results(), components, values).indent(0);
  }

  private String segments() {
    List<String> in = inputs();
    List<String> out = outputs(Set.copyOf(in));
    String parameters = Stream.concat(in.stream(), out.stream())
        .map(parameter -> "java.lang.foreign.MemorySegment " + parameter).collect(Collectors.joining(",\n      "));
    return """
          /// Computes the program into the caller's memory, which must not be freed meanwhile: first the inputs, then the outputs.
          /// Memory outside of the Java heap is used as it is; best at a multiple of 64 bytes. An output that starts as an input
          /// may be given the same memory, and is then changed in place.
          ///
          /// @throws java.lang.IllegalArgumentException when memory has another size, or overlaps that of an output, or when
          ///     values are at fault
          /// @throws java.lang.IllegalStateException after [#close]
          public void run(%s) {
            this.program.segments(%s,
                %s);
          }

        """.formatted(parameters, list(in), list(out)).indent(0);
  }

  private static String list(List<String> names) {
    return "new java.lang.foreign.MemorySegment[] {" + String.join(", ", names) + "}";
  }
}
