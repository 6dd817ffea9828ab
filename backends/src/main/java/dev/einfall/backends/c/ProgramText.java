package dev.einfall.backends.c;

import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Writes the source of a program: its kernels, what runs them, and the functions that an application calls.
final class ProgramText {
  private final ProgramLayout layout;
  private final KernelPlan plan;
  private final CProgram.Options options;
  private final String name;
  private final List<String> inputs;
  private final List<String> outputs;
  private final List<CProgram.Place> weights;
  private final Vocabulary vocabulary;
  private final Map<Kernel, CKernel> kernels = new IdentityHashMap<>();
  private final List<CKernel> written = new ArrayList<>();

  ProgramText(ProgramLayout layout) {
    this.layout = layout;
    this.plan = layout.plan();
    this.options = layout.options();
    this.name = layout.name();
    this.inputs = layout.inputs();
    this.outputs = layout.outputs();
    this.weights = layout.weights();
    this.vocabulary = new Vocabulary(options.target(), Dialect.C);
  }

  String text() {
    String setup = calls("setup", "struct " + name + " *program", plan.setup(), List.of());
    String run = calls("run_launches", "struct " + name + " *program, " + layout.parameters(), plan.launches(), inputs);
    StringBuilder text = new StringBuilder();
    text.append("/* ").append(plan.name()).append(", written by Einfall for ").append(options.target().name()).append(". Compile it with:\n *\n *   ")
        .append(String.join(" ", layout.flags())).append("\n */\n#define _POSIX_C_SOURCE 200809L\n")
        .append(vocabulary.usesTiles() ? "#define _DEFAULT_SOURCE 1\n" : "").append("\n#include \"").append(name).append(".h\"\n\n")
        .append("#include <pthread.h>\n#include <stdatomic.h>\n#include <stdio.h>\n#include <stdlib.h>\n").append(CFile.HEADERS);
    options.target().includes().forEach(include -> text.append("#include ").append(include).append('\n'));
    text.append('\n').append(CFile.PRAGMAS).append('\n').append(KernelText.DECLARATIONS).append('\n').append(CProgram.resource("runtime.c")).append('\n')
        .append(vocabulary.usesTiles() ? CProgram.resource("tiles.c") : "")
        .append(vocabulary.definitions());
    written.forEach(kernel -> text.append('\n').append(kernel.text()));
    text.append(options.hasLines() ? "\n#line " + (text.toString().lines().count() + 3) + " \"" + name + ".c\"\n" : "");
    return text.append('\n').append(structure()).append('\n').append(setup).append('\n').append(run).append('\n').append(entryPoints()).toString();
  }

  private CKernel kernel(Kernel kernel) {
    return kernels.computeIfAbsent(kernel, key -> {
      CKernel text = KernelText.write(key, "kernel" + written.size() + "_" + key.name().replaceAll("[^A-Za-z0-9_]", "_"), vocabulary,
          options.hasLines(), false);
      written.add(text);
      return text;
    });
  }

  /// A function that runs launches in order.
  private String calls(String function, String parameters, List<KernelPlan.Launch> launches, List<String> unused) {
    Lines lines = new Lines();
    lines.block("static int " + function + "(" + parameters + ")", () -> {
      lines.add("struct fault fault = {0, 0};");
      lines.add("int32_t failed;");
      for (KernelPlan.Launch launch : launches) {
        CKernel kernel = kernel(launch.kernel());
        lines.add("{");
        lines.inside(() -> {
          lines.add("void *const arguments[] = {" + launch.arguments().stream().map(layout::address).collect(Collectors.joining(", ")) + "};");
          lines.add("failed = launch(&program->pool, " + kernel.name() + ", " + (kernel.sections() > 0 ? kernel.sectionName() : "NULL") + ", "
              + kernel.tasks() + ", arguments, &fault);");
          lines.block("if (failed != 0)", () -> lines.add("return " + failure(kernel) + ";"));
        });
        lines.add("}");
      }
      lines.add("(void) program, (void) fault, (void) failed;");
      unused.forEach(input -> lines.add("(void) " + input + ";"));
      lines.add("return 0;");
    });
    return lines.toString();
  }

  private static String failure(CKernel kernel) {
    if (kernel.requirements().isEmpty()) {
      return "fail(program, \"a kernel failed\", false, &fault)";
    }
    String messages = kernel.requirements().stream().map(requirement -> Lines.quoted(requirement.message())).collect(Collectors.joining(", "));
    String numbers = kernel.requirements().stream().map(requirement -> requirement.isNumber() ? "true" : "false").collect(Collectors.joining(", "));
    return "fail(program, (const char *const[]) {" + messages + "}[failed - 1], (const bool[]) {" + numbers + "}[failed - 1], &fault)";
  }

  private String structure() {
    return """
        struct %s {
          unsigned char *weights;
          unsigned char *constants;
          unsigned char *arena;
          struct pool pool;
          char error[512];
        };

        static int fail(struct %s *program, const char *message, bool is_number, const struct fault *fault) {
          if (is_number) {
            snprintf(program->error, sizeof program->error, "%%s %%.9g", message, fault->number);
          } else {
            snprintf(program->error, sizeof program->error, "%%s %%lld", message, (long long) fault->integer);
          }
          return 1;
        }
        """.formatted(name, name);
  }

  private String entryPoints() {
    long scratch = written.stream().mapToLong(CKernel::scratchBytes).max().orElse(0);
    return weightsText() + """
        const char *%1$s_error(const %1$s *program) {
          return program->error;
        }

        void %1$s_close(%1$s *program) {
          if (program != NULL) {
            pool_close(&program->pool);
        %2$s    free(program->constants);
            free(program->arena);
            free(program);
          }
        }

        %1$s *%1$s_open(%3$sint threads, const char **error) {
          const char *problem = NULL;
          %1$s *program = calloc(1, sizeof *program);
          if (threads < 1) {
            problem = "%1$s_open: threads must be at least 1";
        %11$s  } else if (program == NULL || (program->constants = aligned_memory(%4$d)) == NULL || (program->arena = aligned_memory(%5$d)) == NULL
              || !pool_open(&program->pool, threads, %6$d)) {
            problem = "%1$s_open: no memory or no threads";
          } else {
        %7$s    if (problem == NULL && setup(program) != 0) {
              problem = "%1$s_open: the weights are at fault";
            }
          }
          if (problem != NULL) {
            if (error != NULL) {
              *error = problem;
            }
            %1$s_close(program);
            return NULL;
          }
          return program;
        }

        int %1$s_run(%1$s *program, %8$s) {
        %9$s  return run_launches(program, %10$s);
        }
        """.formatted(name, layout.hasWeightsFile() ? "    free(program->weights);\n" : "",
        layout.hasWeightsFile() ? "const char *weights, " : "", layout.constantBytes(), plan.arena().bytes(), scratch, openingOfWeights(),
        layout.parameters(), starts(), Stream.concat(inputs.stream(), outputs.stream()).collect(Collectors.joining(", ")),
        vocabulary.usesTiles() ? """
              } else if (!may_use_tiles()) {
                problem = "%s_open: the system does not let this process use the registers for tiles (AMX) that the program is for";
            """.formatted(name) : "");
  }

  private String openingOfWeights() {
    if (weights.isEmpty()) {
      return "";
    }
    return layout.hasWeightsFile() ? "    problem = read_weights(program, weights);\n"
        : "    program->weights = (unsigned char *) embedded_weights;\n";
  }

  /// Outputs that start as inputs get their elements first.
  private String starts() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < outputs.size(); i++) {
      Buffer buffer = plan.outputs().get(i).buffer();
      String output = outputs.get(i);
      plan.outputs().get(i).start().ifPresent(start -> {
        String input = inputs.get(plan.inputs().indexOf(start));
        text.append("  if (").append(output).append(" != ").append(input).append(") {\n    memcpy(").append(output).append(", ").append(input)
            .append(", ").append(buffer.bytes()).append(");\n  }\n");
      });
    }
    return text.toString();
  }

  private String weightsText() {
    if (weights.isEmpty()) {
      return "";
    }
    if (options.isEmbedded()) {
      return """
          /* The file of weights, which lies beside this one. */
          extern const unsigned char embedded_weights[];
          __asm__(".section .rodata\\n.balign 64\\nembedded_weights:\\n.incbin \\"%s.weights\\"\\n.balign 64\\n.previous\\n");

          """.formatted(name);
    }
    return """
        /* Reads the weights; gives what is wrong with their file, if anything. */
        static const char *read_weights(struct %1$s *program, const char *path) {
          FILE *file = path == NULL ? NULL : fopen(path, "rb");
          if (file == NULL) {
            return "%1$s_open: the file of weights cannot be opened";
          }
          const size_t bytes = %2$d;
          program->weights = aligned_memory(bytes);
          const bool whole = program->weights != NULL && fread(program->weights, 1, bytes, file) == bytes && fgetc(file) == EOF;
          fclose(file);
          if (!whole) {
            return "%1$s_open: the file of weights is not of the size that belongs to this program";
          }
          uint64_t digest = UINT64_C(0xcbf29ce484222325);
          for (size_t i = %3$d; i < bytes; i += 8) {
            uint64_t word;
            memcpy(&word, program->weights + i, sizeof word);
            digest = (digest ^ word) * UINT64_C(0x100000001b3);
          }
          if (memcmp(program->weights, "%4$s", 8) != 0 || digest != UINT64_C(0x%5$s)) {
            return "%1$s_open: the file of weights is damaged, or of another program";
          }
          return NULL;
        }

        """.formatted(name, layout.weightsBytes(), CProgram.HEADING, CProgram.MAGIC, Long.toHexString(layout.digest()));
  }
}
