package dev.einfall.backends.jvm;

import dev.einfall.backends.kernel.FreeNames;
import dev.einfall.backends.kernel.ScratchLayout;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/// Writes the class of one kernel: the methods of a [dev.einfall.backends.CompiledKernel], one static method for a task,
/// and one for each outlined statement.
final class KernelClass {
  static final int MAX_METHOD_BYTES = 7_000;
  /// HotSpot compiles a method that was called 600 times if these calls and the iterations of its loops are 15,000.
  private static final int COUNTED = 25;
  private static final String TASK = "task";
  private static final String SECTION = "section";
  private static final String SHARED = "shared";
  private static final String TEAM = "dev/einfall/backends/Team";
  private static final String LOOP_DESCRIPTOR = "([JJIIIIL" + TEAM + ";)V";
  private static final String SHARED_DESCRIPTOR = "([JJII)V";

  /// A method to write: its statement, and what it takes.
  ///
  /// @param buffers the parameters of the kernel, and what the iterations of a parallel loop inside share
  private record Part(String name, Stmt stmt, List<Buffer> buffers, List<Var> variables) {

    /// Whether a team is needed.
    boolean shares() {
      return stmt.nodes().anyMatch(node -> node instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.PARALLEL);
    }

    String descriptor() {
      StringBuilder text = new StringBuilder("(").repeat("J", buffers.size()).append('J');
      variables.forEach(var -> text.append(JvmType.of(var.type().element()).descriptor()));
      return text.append("II").append(shares() ? "L" + TEAM + ";" : "").append(")V").toString();
    }
  }

  /// A parallel loop inside: the method for an iteration.
  private record Section(Part iteration, Var counter) {

    /// What an iteration takes besides its number, in the order in which it stands among the arguments; then come the two numbers of
    /// rehearsals.
    List<Var> variables() {
      return iteration.variables.stream().filter(var -> var != counter).toList();
    }
  }

  private final Kernel kernel;
  private final Optional<Stmt.For> tasks;
  private final ScratchLayout layout;
  private final Set<Var> neverNegative;
  private final Map<Buffer, Long> lowest;
  private final Outlining outlining;
  private final String name;
  private final ClassWriter writer = new FrameWriter();
  private final Map<Stmt, Part> parts = new IdentityHashMap<>();
  private final List<Section> sections = new ArrayList<>();
  private final Deque<Part> toWrite = new ArrayDeque<>();
  private final Map<String, Integer> sizes = new LinkedHashMap<>();

  private KernelClass(Kernel kernel, Outlining outlining) {
    this.kernel = kernel;
    this.tasks = kernel.body() instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.PARALLEL
        ? Optional.of(loop) : Optional.empty();
    this.layout = ScratchLayout.of(kernel.body());
    this.neverNegative = NeverNegative.of(kernel.body());
    this.lowest = LowestOffsets.of(kernel.body());
    this.outlining = outlining;
    this.name = KernelCode.PACKAGE + kernel.name().replaceAll("[^A-Za-z0-9_]", "_");
  }

  /// The class of `kernel`, whose vector operations are all supported. Methods are split until each is of at most
  /// `maxMethodBytes`, and not too heavy for `shape`; where that fails, a larger one stays.
  static KernelCode write(Kernel kernel, int maxMethodBytes, Shape shape) {
    Outlining outlining = new Outlining(shape);
    Kernel grouped = kernel.withBody(outlining.group(kernel.body()));
    outlining.markMicroKernels(grouped.body());
    while (true) {
      KernelClass attempt = new KernelClass(grouped, outlining);
      List<Stmt> large = attempt.writeMethods(maxMethodBytes, shape);
      if (large.stream().filter(outlining::split).count() == 0) {
        return attempt.finish();
      }
    }
  }

  /// Writes all methods that hold code of the kernel, and returns the statements of those that are too large.
  private List<Stmt> writeMethods(int maxMethodBytes, Shape shape) {
    String source = kernel.span().isNone() ? null : kernel.span().source().name();
    writer.visit(Opcodes.V21, Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL, name, null, "java/lang/Object",
        new String[] {"dev/einfall/backends/CompiledKernel"});
    writer.visitSource(source, null);
    Stmt root = tasks.map(Stmt.For::body).orElse(kernel.body());
    writeLoop(part(TASK, root, _ -> false));
    List<Stmt> large = new ArrayList<>();
    while (!toWrite.isEmpty()) {
      Part part = toWrite.remove();
      int size = writePart(part);
      sizes.put(part.name(), size);
      if (size > maxMethodBytes || outlining.weight(part.stmt()) > shape.weight()) {
        large.add(part.stmt());
      }
    }
    return large;
  }

  private KernelCode finish() {
    writeInterface();
    try {
      return new KernelCode(kernel.name(), writer.toByteArray(), sizes);
    } catch (org.objectweb.asm.MethodTooLargeException e) {
      throw new InternalException("kernel " + kernel.name() + " has a method larger than the JVM allows", e);
    }
  }

  /// The method for `stmt`, which is written later.
  ///
  /// @param isShared whether a local buffer is passed as an address
  private Part part(String partName, Stmt stmt, Predicate<Buffer> isShared) {
    FreeNames free = FreeNames.of(stmt);
    List<Buffer> buffers = new ArrayList<>(kernel.parameters().stream().filter(free.buffers()::contains).toList());
    free.buffers().stream().filter(buffer -> buffer.space() == Buffer.Space.LOCAL && isShared.test(buffer)).forEach(buffers::add);
    Part part = new Part(partName, stmt, buffers, List.copyOf(free.variables()));
    parts.put(stmt, part);
    toWrite.add(part);
    return part;
  }

  /// `loop(addresses, scratch, begin, end, cap, place, team)`: runs tasks.
  private void writeLoop(Part task) {
    MethodVisitor method = method(Opcodes.ACC_STATIC, KernelCode.LOOP, LOOP_DESCRIPTOR);
    Code code = new Code(method);
    code.line(kernel.span().line());
    int addresses = code.local(1);
    int scratch = code.local(2);
    int begin = code.local(1);
    int end = code.local(1);
    int cap = code.local(1);
    int place = code.local(1);
    int team = code.local(1);
    code.count(COUNTED);
    Label again = new Label();
    Label done = new Label();
    code.label(again);
    code.load(JvmType.INT, begin);
    code.load(JvmType.INT, end);
    code.jump(Opcodes.IF_ICMPGE, done);
    for (Buffer buffer : task.buffers()) {
      code.loadReference(addresses);
      code.constant(kernel.parameters().indexOf(buffer));
      code.op(Opcodes.LALOAD);
    }
    code.load(JvmType.LONG, scratch);
    task.variables().forEach(_ -> code.load(JvmType.INT, begin));
    code.load(JvmType.INT, cap);
    code.load(JvmType.INT, place);
    if (task.shares()) {
      code.loadReference(team);
    }
    code.invokeStatic(name, task.name(), task.descriptor());
    code.increment(begin);
    code.jump(Opcodes.GOTO, again);
    code.label(done);
    code.op(Opcodes.RETURN);
    end(method);
  }

  /// @return the size of the method in bytes
  private int writePart(Part part) {
    MethodVisitor method = method(Opcodes.ACC_STATIC, part.name(), part.descriptor());
    Code code = new Code(method);
    code.line(kernel.span().line());
    Frame frame = new Frame(code, layout, neverNegative, lowest);
    part.buffers().forEach(buffer -> frame.bind(buffer, code.local(2)));
    int scratch = code.local(2);
    frame.bindScratch(scratch);
    part.variables().forEach(var -> frame.bind(var, code.local(JvmType.of(var.type().element()).slots())));
    part.buffers().forEach(frame::tellBound);
    frame.tellScratchBound();
    part.variables().forEach(frame::tellSign);
    StmtEmitter.Rehearsing rehearsing = new StmtEmitter.Rehearsing(code.local(1), code.local(1));
    Inside inside = new Inside(frame, scratch, rehearsing, part.shares() ? code.local(1) : -1);
    code.count(COUNTED - RehearsedIterations.of(part.stmt(), outlining::contains));
    new StmtEmitter(frame, rehearsing, inside).emit(part.stmt());
    code.op(Opcodes.RETURN);
    Label end = new Label();
    code.label(end);
    end(method);
    return end.getOffset();
  }

  /// What one method calls.
  ///
  /// @param team the local variable that holds it, if there is one
  private final class Inside implements StmtEmitter.Calls {
    private final Frame frame;
    private final Code code;
    private final int scratch;
    private final StmtEmitter.Rehearsing rehearsing;
    private final int team;

    Inside(Frame frame, int scratch, StmtEmitter.Rehearsing rehearsing, int team) {
      this.frame = frame;
      this.code = frame.code();
      this.scratch = scratch;
      this.rehearsing = rehearsing;
      this.team = team;
    }

    @Override
    public boolean call(Stmt stmt) {
      if (!outlining.contains(stmt)) {
        return false;
      }
      Part part = parts.containsKey(stmt) ? parts.get(stmt) : part("part" + parts.size(), stmt, buffer -> !frame.isInScratch(buffer));
      part.buffers().forEach(buffer -> code.load(JvmType.LONG, frame.address(buffer)));
      code.load(JvmType.LONG, scratch);
      part.variables().forEach(var -> code.load(JvmType.of(var.type().element()), frame.slot(var)));
      code.load(JvmType.INT, rehearsing.cap());
      code.load(JvmType.INT, rehearsing.place());
      if (part.shares()) {
        code.loadReference(team);
      }
      code.invokeStatic(name, part.name(), part.descriptor());
      return true;
    }

    @Override
    public void share(Stmt.For loop, int first, int limit) {
      Part iteration = part("iteration" + sections.size(), loop.body(), _ -> true);
      Section section = new Section(iteration, loop.var());
      int index = sections.size();
      sections.add(section);
      int arguments = code.local(1);
      code.loadReference(team);
      code.constant(iteration.buffers().size() + section.variables().size() + 2);
      code.invokeInterface(TEAM, "arguments", "(I)[J");
      code.storeReference(arguments);
      int count = 0;
      for (Buffer buffer : iteration.buffers()) {
        argument(arguments, count++, () -> {
          code.load(JvmType.LONG, frame.address(buffer));
          code.constant(frame.offset(buffer));
          code.op(Opcodes.LADD);
        });
      }
      for (Var var : section.variables()) {
        JvmType type = JvmType.of(var.type().element());
        argument(arguments, count++, () -> {
          code.load(type, frame.slot(var));
          toLong(type);
        });
      }
      for (int number : new int[] {rehearsing.cap(), rehearsing.place()}) {
        argument(arguments, count++, () -> {
          code.load(JvmType.INT, number);
          code.op(Opcodes.I2L);
        });
      }
      code.loadReference(team);
      code.constant(index);
      code.load(JvmType.INT, first);
      code.load(JvmType.INT, limit);
      code.invokeInterface(TEAM, "share", "(III)V");
    }

    private void argument(int arguments, int index, Runnable value) {
      code.loadReference(arguments);
      code.constant(index);
      value.run();
      code.op(Opcodes.LASTORE);
    }

    private void toLong(JvmType type) {
      switch (type) {
        case INT -> code.op(Opcodes.I2L);
        case LONG -> { }
        case FLOAT -> {
          code.invokeStatic("java/lang/Float", "floatToRawIntBits", "(F)I");
          code.op(Opcodes.I2L);
        }
        case DOUBLE -> code.invokeStatic("java/lang/Double", "doubleToRawLongBits", "(D)J");
      }
    }
  }

  /// `section(section, arguments, scratch, begin, end)`: runs iterations of a parallel loop inside.
  private void writeSections() {
    MethodVisitor method = method(Opcodes.ACC_PUBLIC, SECTION, "(I[JJII)V");
    Code code = new Code(method);
    for (int i = 0; i < sections.size(); i++) {
      Label next = new Label();
      code.load(JvmType.INT, 1);
      code.constant(i);
      code.jump(Opcodes.IF_ICMPNE, next);
      code.loadReference(2);
      code.load(JvmType.LONG, 3);
      code.load(JvmType.INT, 5);
      code.load(JvmType.INT, 6);
      code.invokeStatic(name, SHARED + i, SHARED_DESCRIPTOR);
      code.label(next);
    }
    code.op(Opcodes.RETURN);
    end(method);
    for (int i = 0; i < sections.size(); i++) {
      writeShared(SHARED + i, sections.get(i));
    }
  }

  /// `shared(arguments, scratch, begin, end)`: the iterations of one parallel loop.
  private void writeShared(String methodName, Section section) {
    MethodVisitor method = method(Opcodes.ACC_STATIC, methodName, SHARED_DESCRIPTOR);
    Code code = new Code(method);
    code.line(kernel.span().line());
    int arguments = code.local(1);
    int scratch = code.local(2);
    int begin = code.local(1);
    int end = code.local(1);
    Label again = new Label();
    Label done = new Label();
    code.label(again);
    code.load(JvmType.INT, begin);
    code.load(JvmType.INT, end);
    code.jump(Opcodes.IF_ICMPGE, done);
    int count = 0;
    Part iteration = section.iteration();
    while (count < iteration.buffers().size()) {
      argument(code, arguments, count++);
    }
    code.load(JvmType.LONG, scratch);
    for (Var var : iteration.variables()) {
      if (var == section.counter()) {
        code.load(JvmType.INT, begin);
      } else {
        argument(code, arguments, count++);
        fromLong(code, JvmType.of(var.type().element()));
      }
    }
    for (int i = 0; i < 2; i++) {
      argument(code, arguments, count++);
      code.op(Opcodes.L2I);
    }
    code.invokeStatic(name, iteration.name(), iteration.descriptor());
    code.increment(begin);
    code.jump(Opcodes.GOTO, again);
    code.label(done);
    code.op(Opcodes.RETURN);
    end(method);
  }

  private static void argument(Code code, int arguments, int index) {
    code.loadReference(arguments);
    code.constant(index);
    code.op(Opcodes.LALOAD);
  }

  private static void fromLong(Code code, JvmType type) {
    switch (type) {
      case INT -> code.op(Opcodes.L2I);
      case LONG -> { }
      case FLOAT -> {
        code.op(Opcodes.L2I);
        code.invokeStatic("java/lang/Float", "intBitsToFloat", "(I)F");
      }
      case DOUBLE -> code.invokeStatic("java/lang/Double", "longBitsToDouble", "(J)D");
    }
  }

  private void writeInterface() {
    MethodVisitor constructor = method(Opcodes.ACC_PUBLIC, "<init>", "()V");
    constructor.visitVarInsn(Opcodes.ALOAD, 0);
    constructor.visitMethodInsn(Opcodes.INVOKESPECIAL, "java/lang/Object", "<init>", "()V", false);
    constructor.visitInsn(Opcodes.RETURN);
    end(constructor);
    int count = tasks.map(loop -> Math.toIntExact(((dev.einfall.ir.loop.Expr.IntLiteral) loop.extent()).value())).orElse(1);
    MethodVisitor taskCount = method(Opcodes.ACC_PUBLIC, "tasks", "()I");
    new Code(taskCount).constant(count);
    taskCount.visitInsn(Opcodes.IRETURN);
    end(taskCount);
    MethodVisitor scratchBytes = method(Opcodes.ACC_PUBLIC, "scratchBytes", "()J");
    new Code(scratchBytes).constant(layout.bytes());
    scratchBytes.visitInsn(Opcodes.LRETURN);
    end(scratchBytes);
    MethodVisitor sectionCount = method(Opcodes.ACC_PUBLIC, "sections", "()I");
    new Code(sectionCount).constant(sections.size());
    sectionCount.visitInsn(Opcodes.IRETURN);
    end(sectionCount);
    writeRun();
    writeSections();
    writeRehearse();
    MethodVisitor text = method(Opcodes.ACC_PUBLIC, "toString", "()Ljava/lang/String;");
    text.visitLdcInsn(kernel.name());
    text.visitInsn(Opcodes.ARETURN);
    end(text);
  }

  private void writeRun() {
    MethodVisitor method = method(Opcodes.ACC_PUBLIC, "run", "([JJIIL" + TEAM + ";)V");
    Code code = new Code(method);
    code.loadReference(1);
    code.load(JvmType.LONG, 2);
    code.load(JvmType.INT, 4);
    code.load(JvmType.INT, 5);
    callLoop(code, Integer.MAX_VALUE, 0, 6);
    code.op(Opcodes.RETURN);
    end(method);
  }

  /// A task at each place, with loops at that place, from the first task and iterations to the last; and with loops at the opposite one:
  /// what is left of a rank is code of its own, and stands in other tasks than what is left of the rank of the tasks.
  private void writeRehearse() {
    MethodVisitor method = method(Opcodes.ACC_PUBLIC, "rehearse", "([JJL" + TEAM + ";)V");
    Code code = new Code(method);
    TaskPlaces places = tasks.map(TaskPlaces::of).orElse(new TaskPlaces(List.of(1)));
    for (int place = 0; place <= Arithmetic.LAST_PLACE; place++) {
      int task = places.task(place);
      for (int loops : IntStream.of(place, Arithmetic.LAST_PLACE - place).distinct().toArray()) {
        code.loadReference(1);
        code.load(JvmType.LONG, 2);
        code.constant(task);
        code.constant(task + 1);
        callLoop(code, RehearsedIterations.INNERMOST, loops, 4);
      }
    }
    code.op(Opcodes.RETURN);
    end(method);
  }

  private void callLoop(Code code, int cap, int place, int team) {
    code.constant(cap);
    code.constant(place);
    code.loadReference(team);
    code.invokeStatic(name, KernelCode.LOOP, LOOP_DESCRIPTOR);
  }

  private MethodVisitor method(int access, String methodName, String descriptor) {
    MethodVisitor method = writer.visitMethod(access, methodName, descriptor, null, null);
    method.visitCode();
    return method;
  }

  private static void end(MethodVisitor method) {
    method.visitMaxs(0, 0);
    method.visitEnd();
  }

  /// Computes stack maps. No two classes ever meet in one variable that is read afterwards, so that nothing need be known
  /// about their common superclass, and none is loaded to find it.
  private static final class FrameWriter extends ClassWriter {
    FrameWriter() {
      super(COMPUTE_FRAMES);
    }

    @Override
    protected String getCommonSuperClass(String first, String second) {
      return "java/lang/Object";
    }
  }
}
