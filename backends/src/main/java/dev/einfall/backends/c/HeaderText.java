package dev.einfall.backends.c;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Writes the header of a program: what an application sees of it.
final class HeaderText {
  private final ProgramLayout layout;
  private final KernelPlan plan;
  private final String name;
  private final List<String> inputs;
  private final List<String> outputs;
  private final List<CProgram.Place> weights;

  HeaderText(ProgramLayout layout) {
    this.layout = layout;
    this.plan = layout.plan();
    this.name = layout.name();
    this.inputs = layout.inputs();
    this.outputs = layout.outputs();
    this.weights = layout.weights();
  }

  String text() {
    String guard = name.toUpperCase(Locale.ROOT) + "_H";
    return """
        /* %1$s: written by Einfall from the function %2$s.
         *
         * Open the program once, run it as often as you like, and close it. A program runs one call at a time: threads that call at the
         * same time open one each. All memory that is passed in belongs to the caller, and is used during the call only. */
        #ifndef %3$s
        #define %3$s

        #include <stdbool.h>
        #include <stdint.h>

        #ifdef __cplusplus
        extern "C" {
        #endif

        typedef struct %1$s %1$s;

        /* Opens the program: reads the weights and prepares them, and starts threads.
         *
        %4$s * threads: how many share the work of a run, the caller among them; at least 1
         * error: takes a message, to be freed by nobody, where NULL is returned; may be NULL */
        %1$s *%1$s_open(%5$sint threads, const char **error);

        /* Runs the program. Elements are in row-major order.
         *
        %6$s *
         * Gives 0, or another number where the data is at fault; %1$s_error tells why then, and outputs hold anything. */
        int %1$s_run(%1$s *program, %7$s);

        /* Why the last run failed; belongs to the program. */
        const char *%1$s_error(const %1$s *program);

        /* Ends the threads and frees all memory. NULL is allowed. */
        void %1$s_close(%1$s *program);

        #ifdef __cplusplus
        }
        #endif

        #endif
        """.formatted(name, plan.name(), guard,
        layout.hasWeightsFile() ? " * weights: the file " + name + ".weights\n" : "",
        layout.hasWeightsFile() ? "const char *weights, " : "", parameterDocs(), layout.parameters());
  }

  private String parameterDocs() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < inputs.size(); i++) {
      text.append(" * ").append(inputs.get(i)).append(": input, ").append(shape(plan.inputs().get(i))).append('\n');
    }
    for (int i = 0; i < outputs.size(); i++) {
      KernelPlan.Output output = plan.outputs().get(i);
      text.append(" * ").append(outputs.get(i)).append(": output, ").append(shape(output.buffer()))
          .append(output.start().map(start -> "; may be the memory of " + inputs.get(plan.inputs().indexOf(start)) + ", which it starts as").orElse(""))
          .append('\n');
    }
    return text.toString();
  }

  private static String shape(Buffer buffer) {
    String bits = CTypes.isRounded(buffer.type()) ? ", the bits of " + buffer.type() : "";
    return CTypes.memory(buffer.type()) + buffer.extents().stream().map(extent -> "[" + extent + "]").collect(Collectors.joining()) + bits;
  }
}
