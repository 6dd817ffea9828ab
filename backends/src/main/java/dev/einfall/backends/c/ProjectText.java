package dev.einfall.backends.c;

import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import java.util.ArrayList;
import java.util.List;

/// Writes what stands around a program: a build by CMake, and a `main`.
final class ProjectText {
  private final ProgramLayout layout;
  private final KernelPlan plan;
  private final CProgram.Options options;
  private final String name;
  private final List<String> inputs;
  private final List<String> outputs;
  private final List<CProgram.Place> weights;

  ProjectText(ProgramLayout layout) {
    this.layout = layout;
    this.plan = layout.plan();
    this.options = layout.options();
    this.name = layout.name();
    this.inputs = layout.inputs();
    this.outputs = layout.outputs();
    this.weights = layout.weights();
  }

  /// A `CMakeLists.txt`.
  String build() {
    String embedded = options.isEmbedded() && !weights.isEmpty()
        ? "target_compile_options(" + name + " PRIVATE -Wa,-I${CMAKE_CURRENT_SOURCE_DIR})\n"
        + "set_source_files_properties(" + name + ".c PROPERTIES OBJECT_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/" + name + ".weights)\n" : "";
    return """
        cmake_minimum_required(VERSION 3.13)
        project(%1$s C)

        set(THREADS_PREFER_PTHREAD_FLAG ON)
        find_package(Threads REQUIRED)

        add_library(%1$s STATIC %1$s.c)
        set_target_properties(%1$s PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
        target_include_directories(%1$s PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
        target_compile_options(%1$s PRIVATE %2$s)
        %3$starget_link_libraries(%1$s PUBLIC Threads::Threads m)
        %4$s""".formatted(name, String.join(" ", layout.flags().subList(1, layout.flags().size())), embedded,
        options.hasMain() ? "\nadd_executable(" + name + "_main main.c)\ntarget_link_libraries(" + name + "_main PRIVATE " + name + ")\n" : "");
  }

  /// A `main` that reads inputs from files, and writes outputs.
  String main() {
    Lines lines = new Lines();
    List<String> usage = new ArrayList<>(layout.hasWeightsFile() ? List.of("WEIGHTS") : List.of());
    lines.inside(() -> {
      lines.add("const char *error = NULL;");
      lines.add(name + " *program = " + name + "_open(" + (layout.hasWeightsFile() ? "arguments[2], " : "") + "atoi(arguments[1]), &error);");
      lines.block("if (program == NULL)", () -> lines.add("return fail(\"error:\", error);"));
      int argument = layout.hasWeightsFile() ? 3 : 2;
      for (int i = 0; i < inputs.size(); i++) {
        usage.add(inputs.get(i) + ".bin");
        buffer(lines, inputs.get(i), plan.inputs().get(i));
        lines.block("if (read_elements(arguments[" + argument++ + "], " + inputs.get(i) + ", " + plan.inputs().get(i).bytes() + ") != 0)",
            () -> lines.add("return 1;"));
      }
      for (int i = 0; i < outputs.size(); i++) {
        usage.add(outputs.get(i) + ".bin");
        buffer(lines, outputs.get(i), plan.outputs().get(i).buffer());
      }
      lines.block("if (" + name + "_run(program, " + String.join(", ", inputs) + (inputs.isEmpty() ? "" : ", ") + String.join(", ", outputs) + ") != 0)",
          () -> lines.add("return fail(\"error:\", " + name + "_error(program));"));
      for (int i = 0; i < outputs.size(); i++) {
        lines.block("if (write_elements(arguments[" + argument++ + "], " + outputs.get(i) + ", " + plan.outputs().get(i).buffer().bytes() + ") != 0)",
            () -> lines.add("return 1;"));
      }
      inputs.forEach(input -> lines.add("free(" + input + ");"));
      outputs.forEach(output -> lines.add("free(" + output + ");"));
      lines.add(name + "_close(program);");
      lines.add("return 0;");
    });
    return CProgram.resource("main.c.template").replace("@name@", name).replace("@arguments@", Integer.toString(usage.size() + 2))
        .replace("@usage@", String.join(" ", usage)).replace("@body@", lines.toString());
  }

  private static void buffer(Lines lines, String variable, Buffer buffer) {
    lines.add(CTypes.memory(buffer.type()) + " *" + variable + " = malloc(" + Math.max(1, buffer.bytes()) + ");");
    lines.block("if (" + variable + " == NULL)", () -> lines.add("return fail(\"no memory for\", \"" + variable + "\");"));
  }
}
