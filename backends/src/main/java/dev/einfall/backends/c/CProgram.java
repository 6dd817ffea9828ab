package dev.einfall.backends.c;

import dev.einfall.ir.InternalException;
import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A compiled program as C that needs nothing but a C library and threads: a file with everything in it, a header, what CMake needs to build it,
/// and a `main` if it should have one. The weights are a file of their own, whose bytes [#weights] tells.
///
/// @param name of the program: of its functions and files
/// @param files the texts, by the names of their files
/// @param weights where each weight lies in the file of weights, in order
/// @param weightsBytes the size of that file
public record CProgram(String name, Map<String, String> files, List<Place> weights, long weightsBytes) {
  /// The bytes before the weights in their file: what it is, and a digest of what follows.
  public static final int HEADING = 64;
  /// What a file of weights begins with.
  public static final String MAGIC = "einfall1";
  /// What weights begin at multiples of, in bytes.
  public static final int ALIGNMENT = 64;

  /// @param key the name of a weight
  /// @param offset of its first byte in the file
  public record Place(String key, long offset, long bytes) {}

  /// @param name of the functions and files, as C has names; neither `main` nor a word of the language
  /// @param target the machine
  /// @param isEmbedded whether the file of weights becomes a part of the library
  /// @param hasMain whether there is a `main`
  /// @param hasLines whether `#line` tells which lines of the program the code comes from
  public record Options(String name, CTarget target, boolean isEmbedded, boolean hasMain, boolean hasLines) {

    /// A name for the program `wish`.
    public static String name(String wish) {
      String word = wish.replaceAll("[^A-Za-z0-9_]", "_");
      return CNames.isFree(word) ? word : "program_" + word;
    }
  }

  public CProgram {
    files = Collections.unmodifiableMap(new LinkedHashMap<>(files));
    weights = List.copyOf(weights);
  }

  /// Where the weights of `plan` lie in their file.
  public static List<Place> places(KernelPlan plan) {
    List<Place> places = new ArrayList<>();
    long offset = HEADING;
    for (KernelPlan.Weight weight : plan.weights()) {
      places.add(new Place(weight.key(), offset, weight.buffer().bytes()));
      offset += aligned(weight.buffer().bytes());
    }
    return places;
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  /// The program for `plan`.
  ///
  /// @param digest of what comes after the heading in the file of weights
  public static CProgram of(KernelPlan plan, long digest, Options options) {
    return new Writer(plan, digest, options).program();
  }

  /// Writes one program.
  private static final class Writer {
    private final KernelPlan plan;
    private final long digest;
    private final Options options;
    private final String name;
    private final Vocabulary vocabulary;
    private final List<Place> weights;
    private final long weightsBytes;
    private final Map<Buffer, String> places = new IdentityHashMap<>();
    private final Map<Kernel, CKernel> kernels = new IdentityHashMap<>();
    private final List<CKernel> written = new ArrayList<>();
    private final List<String> inputs;
    private final List<String> outputs;
    private long constantBytes;

    Writer(KernelPlan plan, long digest, Options options) {
      this.plan = plan;
      this.digest = digest;
      this.options = options;
      this.name = options.name();
      this.vocabulary = new Vocabulary(options.target(), Dialect.C);
      this.weights = places(plan);
      this.weightsBytes = weights.isEmpty() ? 0 : weights.getLast().offset() + aligned(weights.getLast().bytes());
      CNames names = new CNames();
      this.inputs = plan.inputs().stream().map(names::of).toList();
      this.outputs = plan.outputs().stream().map(output -> names.of(new Buffer(output.name(), output.buffer().type(), List.of(), Buffer.Space.GLOBAL))).toList();
      place();
    }

    /// Says for each buffer of the plan what its address is in the function that runs it.
    private void place() {
      for (int i = 0; i < inputs.size(); i++) {
        places.put(plan.inputs().get(i), "(void *) " + inputs.get(i));
      }
      for (int i = 0; i < outputs.size(); i++) {
        places.put(plan.outputs().get(i).buffer(), outputs.get(i));
      }
      for (int i = 0; i < weights.size(); i++) {
        places.put(plan.weights().get(i).buffer(), "(void *) (program->weights + " + weights.get(i).offset() + ")");
      }
      for (Buffer constant : plan.constants()) {
        places.put(constant, "program->constants + " + constantBytes);
        constantBytes += aligned(constant.bytes());
      }
      plan.arena().placements().forEach(placement -> places.put(placement.buffer(), "program->arena + " + placement.offset()));
    }

    CProgram program() {
      Map<String, String> files = new LinkedHashMap<>();
      files.put(name + ".h", header());
      files.put(name + ".c", source());
      files.put("CMakeLists.txt", build());
      if (options.hasMain()) {
        files.put("main.c", main());
      }
      return new CProgram(name, files, weights, weightsBytes);
    }

    // The header.

    private String header() {
      String guard = name.toUpperCase(Locale.ROOT) + "_H";
      boolean hasFile = !weights.isEmpty() && !options.isEmbedded();
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
          hasFile ? " * weights: the file " + name + ".weights\n" : "", hasFile ? "const char *weights, " : "", parameterDocs(), parameters());
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

    private String parameters() {
      List<String> all = new ArrayList<>();
      for (int i = 0; i < inputs.size(); i++) {
        all.add("const " + CTypes.memory(plan.inputs().get(i).type()) + " *" + inputs.get(i));
      }
      for (int i = 0; i < outputs.size(); i++) {
        all.add(CTypes.memory(plan.outputs().get(i).buffer().type()) + " *" + outputs.get(i));
      }
      return String.join(", ", all);
    }

    // The source.

    private String source() {
      String setup = calls("setup", "struct " + name + " *program", plan.setup(), List.of());
      String run = calls("run_launches", "struct " + name + " *program, " + parameters(), plan.launches(), inputs);
      StringBuilder text = new StringBuilder();
      text.append("/* ").append(plan.name()).append(", written by Einfall for ").append(options.target().name()).append(". Compile it with:\n *\n *   ")
          .append(String.join(" ", flags())).append("\n */\n#define _POSIX_C_SOURCE 200809L\n\n#include \"").append(name).append(".h\"\n\n")
          .append("#include <pthread.h>\n#include <stdatomic.h>\n#include <stdio.h>\n#include <stdlib.h>\n").append(CFile.HEADERS);
      options.target().includes().forEach(include -> text.append("#include ").append(include).append('\n'));
      text.append('\n').append(CFile.PRAGMAS).append('\n').append(KernelText.DECLARATIONS).append('\n').append(resource("runtime.c")).append('\n')
          .append(vocabulary.definitions());
      written.forEach(kernel -> text.append('\n').append(kernel.text()));
      text.append(options.hasLines() ? "\n#line " + (text.toString().lines().count() + 3) + " \"" + name + ".c\"\n" : "");
      return text.append('\n').append(structure()).append('\n').append(setup).append('\n').append(run).append('\n').append(entryPoints()).toString();
    }

    private List<String> flags() {
      List<String> flags = new ArrayList<>(List.of("-std=c11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"));
      flags.addAll(options.target().flags());
      return flags;
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
            lines.add("void *const arguments[] = {" + launch.arguments().stream().map(this::address).collect(Collectors.joining(", ")) + "};");
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

    private String address(Buffer buffer) {
      String place = places.get(buffer);
      if (place == null) {
        throw new InternalException("no place for " + buffer + " of the plan of " + plan.name());
      }
      return place;
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
      boolean hasFile = !weights.isEmpty() && !options.isEmbedded();
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
            } else if (program == NULL || (program->constants = aligned_memory(%4$d)) == NULL || (program->arena = aligned_memory(%5$d)) == NULL
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
          """.formatted(name, hasFile ? "    free(program->weights);\n" : "", hasFile ? "const char *weights, " : "", constantBytes, plan.arena().bytes(), scratch,
          weights.isEmpty() ? "" : hasFile ? "    problem = read_weights(program, weights);\n" : "    program->weights = (unsigned char *) embedded_weights;\n",
          parameters(), starts(), String.join(", ", IntStream.range(0, inputs.size() + outputs.size())
              .mapToObj(i -> i < inputs.size() ? inputs.get(i) : outputs.get(i - inputs.size())).toList()));
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

          """.formatted(name, weightsBytes, HEADING, MAGIC, Long.toHexString(digest));
    }

    // What stands around it.

    private String build() {
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
          %4$s""".formatted(name, String.join(" ", flags().subList(1, flags().size())), embedded,
          options.hasMain() ? "\nadd_executable(" + name + "_main main.c)\ntarget_link_libraries(" + name + "_main PRIVATE " + name + ")\n" : "");
    }

    private String main() {
      boolean hasFile = !weights.isEmpty() && !options.isEmbedded();
      Lines lines = new Lines();
      List<String> usage = new ArrayList<>(hasFile ? List.of("WEIGHTS") : List.of());
      lines.inside(() -> {
        lines.add("const char *error = NULL;");
        lines.add(name + " *program = " + name + "_open(" + (hasFile ? "arguments[2], " : "") + "atoi(arguments[1]), &error);");
        lines.block("if (program == NULL)", () -> lines.add("return fail(\"error:\", error);"));
        int argument = hasFile ? 3 : 2;
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
      return resource("main.c.template").replace("@name@", name).replace("@arguments@", Integer.toString(usage.size() + 2))
          .replace("@usage@", String.join(" ", usage)).replace("@body@", lines.toString());
    }

    private static void buffer(Lines lines, String variable, Buffer buffer) {
      lines.add(CTypes.memory(buffer.type()) + " *" + variable + " = malloc(" + Math.max(1, buffer.bytes()) + ");");
      lines.block("if (" + variable + " == NULL)", () -> lines.add("return fail(\"no memory for\", \"" + variable + "\");"));
    }
  }

  private static String resource(String file) {
    try (InputStream stream = CProgram.class.getResourceAsStream(file)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new InternalException("cannot read " + file, e);
    }
  }
}
