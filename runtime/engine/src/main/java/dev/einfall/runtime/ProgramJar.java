package dev.einfall.runtime;

import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.backends.jvm.KernelCode;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.runtime.jar.Constants;
import dev.einfall.runtime.jar.JarWriter;
import dev.einfall.runtime.jar.JavaNames;
import dev.einfall.runtime.jar.ProgramFiles;
import dev.einfall.runtime.launch.ArchivedPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Compiles programs ahead of time, to jars that need the JDK alone. A jar has a typed class, the code of the kernels, and the constants as the
/// setup has packed them; when it is loaded, only the JIT compiles.
public final class ProgramJar {
  private final KernelPlan plan;
  private final CompiledPlan compiled;
  private final int vectorBytes;
  private final Map<Buffer, Integer> numbers = new IdentityHashMap<>();
  private final List<ArchivedPlan.Place> intermediate = new ArrayList<>();
  private final Map<String, Integer> kernels = new LinkedHashMap<>();
  private final List<Call> firsts = new ArrayList<>();
  private final Constants constants;

  private ProgramJar(CompiledPlan compiled, int vectorBytes) {
    this.plan = compiled.plan();
    this.compiled = compiled;
    this.vectorBytes = vectorBytes;
    plan.inputs().forEach(this::number);
    plan.outputs().forEach(output -> number(output.buffer()));
    this.constants = new Constants(constants());
    intermediate();
    compiled.launches().stream().filter(call -> kernels.putIfAbsent(call.digest(), kernels.size()) == null).forEach(firsts::add);
  }

  /// Compiles the program in `file` and writes `jar`, or replaces it.
  ///
  /// @param sizes numbers for all size names in the shapes of inputs
  /// @param className the qualified name of the typed class; empty for one from the names of the function and the file
  /// @param options the backend is the JVM's, whatever they say, and nothing is kept
  /// @return the name of the class
  /// @throws dev.einfall.ir.CompileException when the program is at fault
  /// @throws IllegalArgumentException when a size is missing, or `className` is not a name of a class in a package
  /// @throws IllegalStateException when this JDK has no Java compiler
  /// @throws UncheckedIOException when the jar cannot be written
  public static String write(Path file, Options options, Map<String, Long> sizes, Optional<String> className, Path jar) {
    className.ifPresent(JavaNames::requireClass);
    io(jar, () -> JarWriter.requireWritable(jar));
    Options ahead = options.withBackend(Options.Backend.JVM).withCache(Optional.empty());
    try (Program program = Einfall.compile(file, ahead)) {
      String name = className.orElseGet(() -> JavaNames.usualClass(program.name(), file.getFileName().toString()));
      int vectorBytes = Einfall.target(ahead).vectorBytes();
      return program.compiled(sizes, executable -> {
        ProgramFiles files = new ProgramJar((CompiledPlan) executable, vectorBytes).files();
        io(jar, () -> JarWriter.write(files, name, " from `" + file.getFileName() + "`", jar));
        return name;
      });
    }
  }

  private interface Writing {
    void write() throws IOException;
  }

  private static void io(Path jar, Writing writing) {
    try {
      writing.write();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + jar + ": " + e.getMessage(), e);
    }
  }

  private void number(Buffer buffer) {
    numbers.put(buffer, numbers.size());
  }

  /// The weights and constants that the launches of a run read.
  @SuppressWarnings("restricted") // The plan has the memory for as long as it is in use.
  private List<MemorySegment> constants() {
    List<MemorySegment> parts = new ArrayList<>();
    for (Call call : compiled.launches()) {
      for (Buffer buffer : call.arguments()) {
        Optional<Long> address = numbers.containsKey(buffer) ? Optional.empty() : compiled.fixed(buffer);
        if (address.isPresent()) {
          number(buffer);
          parts.add(MemorySegment.ofAddress(address.get()).reinterpret(buffer.bytes()));
        }
      }
    }
    return parts;
  }

  private void intermediate() {
    for (KernelPlan.Placement placement : plan.arena().placements()) {
      number(placement.buffer());
      intermediate.add(new ArchivedPlan.Place(placement.offset(), placement.buffer().bytes()));
    }
  }

  private ProgramFiles files() {
    JvmBackend plain = new JvmBackend(JvmOptions.ofThisJvm().withVectors(false));
    List<KernelCode> codes = firsts.stream().map(call -> JvmBackend.code(call.code())).toList();
    List<KernelCode> withoutVectors = firsts.stream().map(call -> plain.write(call.kernel().orElseThrow())).toList();
    List<ArchivedPlan.Kernel> described = new ArrayList<>();
    List<Optional<byte[]>> others = new ArrayList<>();
    for (int i = 0; i < codes.size(); i++) {
      boolean isSame = withoutVectors.get(i).hasSameClass(codes.get(i));
      Map<String, Integer> plainMethods = isSame ? Map.of() : withoutVectors.get(i).methods();
      described.add(new ArchivedPlan.Kernel(codes.get(i).name(), codes.get(i).methods(), plainMethods));
      others.add(isSame ? Optional.empty() : Optional.of(withoutVectors.get(i).classFile()));
    }
    ArchivedPlan archived = new ArchivedPlan(plan.name(), vectorBytes,
        plan.inputs().stream().map(buffer -> port(buffer.name(), buffer, -1)).toList(), plan.outputs().stream().map(this::port).toList(), constants.places(), intermediate, plan.arena().bytes(), constants.bytes(), constants.checksum(), described, launches());
    return new ProgramFiles(archived, codes.stream().map(KernelCode::classFile).toList(), others, constants);
  }

  private ArchivedPlan.Port port(KernelPlan.Output output) {
    return port(output.name(), output.buffer(), output.start().map(plan.inputs()::indexOf).orElse(-1));
  }

  private static ArchivedPlan.Port port(String name, Buffer buffer, int start) {
    ElementType type = buffer.type();
    return new ArchivedPlan.Port(name, type, buffer.extents().stream().map(Integer::longValue).toList(), start);
  }

  private List<ArchivedPlan.Call> launches() {
    return compiled.launches().stream()
        .map(call -> new ArchivedPlan.Call(kernels.get(call.digest()), call.arguments().stream().map(numbers::get).toList())).toList();
  }
}
