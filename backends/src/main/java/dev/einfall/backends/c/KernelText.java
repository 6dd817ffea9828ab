package dev.einfall.backends.c;

import dev.einfall.backends.kernel.FreeNames;
import dev.einfall.backends.kernel.RequireDivisors;
import dev.einfall.backends.kernel.ScratchLayout;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Lines;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Writes the functions of one kernel.
///
/// ```
/// kernel Y(X: f32[4, 9], Y: f32[4])   =>   static int32_t Y(void *const *parameters, unsigned char *scratch,
///   parallel for m in 0..4 {                   int32_t begin, int32_t end, const struct team *team, struct fault *fault) {
///     ...                                    const float *restrict const X = parameters[0];
///   }                                        float *restrict const v_Y = parameters[1];
///                                            for (int64_t m = begin; m < end; m++) {
///                                              ...
/// ```
public final class KernelText {

  /// What all kernels of a file share.
  public static final String DECLARATIONS = """
      /* The value that a kernel's input is at fault with. */
      struct fault {
        int64_t integer;
        double number;
      };

      /* Threads that share the iterations of a loop inside of a kernel; gives 0 when all have ended well. */
      struct team {
        int32_t (*share)(const struct team *team, int32_t section, const int64_t *arguments, int32_t count, int32_t begin, int32_t end);
      };

      /* Runs tasks of a kernel; gives 0, or the number of the requirement that does not hold. */
      typedef int32_t kernel_function(void *const *parameters, unsigned char *scratch, int32_t begin, int32_t end, const struct team *team,
          struct fault *fault);

      /* Runs iterations of a loop that a team shares. */
      typedef int32_t section_function(int32_t section, const int64_t *arguments, unsigned char *scratch, int32_t begin, int32_t end,
          struct fault *fault);
      """;

  private final Kernel kernel;
  private final String name;
  private final Vocabulary vocabulary;
  private final SourceLines source;
  private final ScratchLayout layout;
  private final Set<Buffer> stored;
  private final List<String> sections = new ArrayList<>();
  private final Map<CKernel.Requirement, Integer> requirements = new LinkedHashMap<>();
  private final String qualifier;
  private int mostArguments;

  private KernelText(Kernel kernel, String name, Vocabulary vocabulary, boolean hasLines, String qualifier) {
    this.kernel = kernel.withBody(RequireDivisors.in(kernel.body()));
    this.name = name;
    this.vocabulary = vocabulary;
    this.source = new SourceLines(hasLines);
    this.layout = ScratchLayout.of(this.kernel.body());
    this.qualifier = qualifier;
    this.stored = this.kernel.body().nodes().filter(Stmt.Store.class::isInstance).map(store -> ((Stmt.Store) store).buffer()).collect(Collectors.toSet());
  }

  /// The functions of `kernel`.
  ///
  /// @param name that of its function
  /// @param vocabulary takes what they use
  /// @param hasLines whether they say which lines of the program they come from
  /// @param isExported whether other files may call them
  public static CKernel write(Kernel kernel, String name, Vocabulary vocabulary, boolean hasLines, boolean isExported) {
    return new KernelText(kernel, name, vocabulary, hasLines, isExported ? "" : "static ").write();
  }

  private CKernel write() {
    Optional<Stmt.For> tasks = kernel.body() instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.PARALLEL ? Optional.of(loop) : Optional.empty();
    String run = run(tasks);
    StringBuilder text = new StringBuilder();
    sections.forEach(section -> text.append(section).append('\n'));
    if (!sections.isEmpty()) {
      text.append(dispatch()).append('\n');
    }
    int count = tasks.map(loop -> Math.toIntExact(((Expr.IntLiteral) loop.extent()).value())).orElse(1);
    return new CKernel(name, text + run, kernel.parameters().size(), mostArguments, sections.size(), count, layout.bytes(), List.copyOf(requirements.keySet()));
  }

  private String run(Optional<Stmt.For> tasks) {
    Lines lines = new Lines();
    CNames names = new CNames();
    FreeNames free = FreeNames.of(kernel.body());
    source.at(kernel.span(), lines);
    lines.block(qualifier + "int32_t " + name
        + "(void *const *parameters, unsigned char *scratch, int32_t begin, int32_t end, const struct team *team, struct fault *fault)", () -> {
      for (int i = 0; i < kernel.parameters().size(); i++) {
        Buffer buffer = kernel.parameters().get(i);
        if (free.buffers().contains(buffer)) {
          lines.add(pointer(buffer) + " const " + names.of(buffer) + " = parameters[" + i + "];");
        }
      }
      StmtText statements = new StmtText(lines, vocabulary, names, layout, source, new Inside(names));
      lines.add("(void) parameters, (void) scratch, (void) begin, (void) end, (void) team, (void) fault;");
      statements.function(kernel.body(), () -> tasks.ifPresentOrElse(
          loop -> statements.counting(loop.var(), "begin", "end", loop.body()), () -> statements.write(kernel.body())));
      lines.add("return 0;");
    });
    return lines.toString();
  }

  /// The type of the pointer to a buffer of the outside.
  private String pointer(Buffer buffer) {
    return (stored.contains(buffer) ? "" : "const ") + CTypes.memory(buffer.type()) + " *" + vocabulary.dialect().restricted();
  }

  private String dispatch() {
    Lines lines = new Lines();
    lines.block(qualifier + "int32_t " + name
        + "_section(int32_t section, const int64_t *arguments, unsigned char *scratch, int32_t begin, int32_t end, struct fault *fault)", () -> {
      lines.block("switch (section)", () -> {
        for (int i = 0; i < sections.size(); i++) {
          lines.add((i == sections.size() - 1 ? "default" : "case " + i) + ": return " + name + "_section" + i + "(arguments, scratch, begin, end, fault);");
        }
      });
    });
    return lines.toString();
  }

  /// What one function needs of the kernel.
  private final class Inside implements StmtText.Kernel {
    private final CNames names;

    Inside(CNames names) {
      this.names = names;
    }

    @Override
    public int requirement(Stmt.Require check) {
      CKernel.Requirement requirement = new CKernel.Requirement(check.message(), check.value().type().element().isFloat());
      return requirements.computeIfAbsent(requirement, _ -> requirements.size() + 1);
    }

    @Override
    public void share(Stmt.For loop, StmtText within) {
      FreeNames free = FreeNames.of(loop.body());
      List<Buffer> buffers = List.copyOf(free.buffers());
      List<Var> variables = free.variables().stream().filter(var -> var != loop.var()).toList();
      int number = sections.size();
      sections.add("");
      sections.set(number, section(number, loop, buffers, variables));
      List<String> arguments = new ArrayList<>(buffers.stream().map(buffer -> "(int64_t) (intptr_t) " + names.of(buffer)).toList());
      variables.forEach(var -> arguments.add(packed(var, within)));
      mostArguments = Math.max(mostArguments, arguments.size());
      Lines lines = within.lines();
      lines.add("{");
      lines.inside(() -> {
        lines.add("const int64_t arguments[] = {" + (arguments.isEmpty() ? "0" : String.join(", ", arguments)) + "};");
        lines.add("const int32_t failed = team->share(team, " + number + ", arguments, " + arguments.size() + ", 0, "
            + within.exprs().text(loop.extent()) + ");");
        lines.block("if (failed != 0)", () -> lines.add("return failed;"));
      });
      lines.add("}");
    }

    private String packed(Var var, StmtText within) {
      return switch (var.type().element()) {
        case F64 -> vocabulary.bitcast(var.type(), ValueType.scalar(ElementType.I64)) + "(" + names.of(var) + ")";
        case F32, F16, BF16 -> vocabulary.bitcast(CTypes.computed(var.type()), ValueType.scalar(ElementType.I32)) + "(" + names.of(var) + ")";
        case I64, I32, I16, I8, U8, BOOL -> names.of(var);
      };
    }
  }

  private String section(int number, Stmt.For loop, List<Buffer> buffers, List<Var> variables) {
    Lines lines = new Lines();
    CNames names = new CNames();
    lines.block("static int32_t " + name + "_section" + number
        + "(const int64_t *arguments, unsigned char *scratch, int32_t begin, int32_t end, struct fault *fault)", () -> {
      int count = 0;
      for (Buffer buffer : buffers) {
        lines.add(pointer(buffer) + " const " + names.of(buffer) + " = (" + CTypes.memory(buffer.type()) + " *) (intptr_t) arguments[" + count++ + "];");
      }
      for (Var var : variables) {
        lines.add("const " + CTypes.value(var.type().element()) + " " + names.of(var) + " = " + unpacked(var, "arguments[" + count++ + "]") + ";");
      }
      lines.add("(void) arguments, (void) scratch, (void) fault;");
      StmtText statements = new StmtText(lines, vocabulary, names, layout, source, new Inside(names));
      source.at(loop.span(), lines);
      statements.function(loop.body(), () -> statements.counting(loop.var(), "begin", "end", loop.body()));
      lines.add("return 0;");
    });
    return lines.toString();
  }

  private String unpacked(Var var, String argument) {
    return switch (var.type().element()) {
      case F64 -> vocabulary.bitcast(ValueType.scalar(ElementType.I64), var.type()) + "(" + argument + ")";
      case F32, F16, BF16 ->
          vocabulary.bitcast(ValueType.scalar(ElementType.I32), CTypes.computed(var.type())) + "((int32_t) " + argument + ")";
      case I64 -> argument;
      case I32, I16, I8, U8 -> "(" + CTypes.value(var.type().element()) + ") " + argument;
      case BOOL -> argument + " != 0";
    };
  }
}
