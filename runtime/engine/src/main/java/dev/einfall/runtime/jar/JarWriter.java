package dev.einfall.runtime.jar;

import dev.einfall.ir.InternalException;
import dev.einfall.runtime.launch.ArchivedProgram;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/// Writes the jar of a program: a typed class and its source, the classes that it needs, the classes of kernels, and the constants. Classes of
/// Einfall have other names in each jar, so that jars of different builds are at peace in one application. The same program gives the same
/// bytes.
public final class JarWriter {
  /// The earliest that a jar can say.
  private static final LocalDateTime TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  private final ProgramFiles files;
  private final String className;
  private final String folder;
  private final String prefix;

  private JarWriter(ProgramFiles files, String className) {
    this.files = files;
    this.className = className;
    this.folder = "einfall_" + className.substring(className.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    this.prefix = className.substring(0, className.lastIndexOf('.') + 1).replace('.', '/') + folder + "/";
  }

  /// Writes `jar`, or replaces it.
  ///
  /// @param className the qualified name of the typed class
  /// @param origin what is said of where the program comes from
  /// @throws IOException when it cannot be written
  /// @throws IllegalStateException when this JDK has no Java compiler
  public static void write(ProgramFiles files, String className, String origin, Path jar) throws IOException {
    Path target = jar.toAbsolutePath();
    requireWritable(target);
    Path unfinished = target.resolveSibling(target.getFileName() + ".unfinished");
    Path classes = Files.createTempDirectory("einfall-jar");
    try {
      new JarWriter(files, className).write(origin, classes, unfinished);
      Files.move(unfinished, target, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(unfinished);
      delete(classes);
    }
  }

  /// @throws IOException when no file can be written at `jar`
  public static void requireWritable(Path jar) throws IOException {
    Path folder = jar.toAbsolutePath().getParent();
    if (folder == null || Files.isDirectory(jar)) {
      throw new IOException("it is a directory");
    }
    if (!Files.isDirectory(folder)) {
      throw new IOException("there is no directory " + folder);
    }
    if (!Files.isWritable(folder) || Files.exists(jar) && !Files.isWritable(jar)) {
      throw new IOException("it is not permitted");
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private void write(String origin, Path classes, Path jar) throws IOException {
    for (Map.Entry<String, byte[]> file : RuntimeClasses.of(all()).entrySet()) {
      put(classes.resolve(renamed(file.getKey()) + ".class"), renamed(file.getValue()));
    }
    String behind = renamed(ArchivedProgram.class.getName().replace('.', '/')).replace('/', '.');
    TypedClass typed = new TypedClass(className, folder, behind, origin, files.plan());
    put(classes.resolve(className.replace('.', '/') + ".java"), typed.source().getBytes(StandardCharsets.UTF_8));
    compile(classes.resolve(className.replace('.', '/') + ".java"), classes);
    try (OutputStream file = Files.newOutputStream(jar); JarOutputStream out = new JarOutputStream(file)) {
      entry(out, "META-INF/MANIFEST.MF", manifest());
      List<Path> written;
      try (Stream<Path> paths = Files.walk(classes)) {
        written = paths.filter(Files::isRegularFile).sorted().toList();
      }
      for (Path path : written) {
        entry(out, classes.relativize(path).toString().replace('\\', '/'), Files.readAllBytes(path));
      }
      entry(out, prefix + "plan", files.plan().print().getBytes(StandardCharsets.UTF_8));
      for (int i = 0; i < files.kernels().size(); i++) {
        entry(out, prefix + "kernels/" + i, renamed(files.kernels().get(i)));
        if (files.plain().get(i).isPresent()) {
          entry(out, prefix + "kernels/" + i + "-plain", renamed(files.plain().get(i).get()));
        }
      }
      constants(out);
    }
  }

  private List<byte[]> all() {
    List<byte[]> all = new ArrayList<>(files.kernels());
    files.plain().stream().flatMap(Optional::stream).forEach(all::add);
    return all;
  }

  private String renamed(String name) {
    return prefix + name.substring(RuntimeClasses.ROOT.length());
  }

  private byte[] renamed(byte[] classFile) {
    return new ClassFile(classFile).renamed(RuntimeClasses.ROOT, prefix).bytes();
  }

  private static void put(Path file, byte[] contents) throws IOException {
    Files.createDirectories(file.getParent());
    Files.write(file, contents);
  }

  private static void compile(Path source, Path classes) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    if (compiler == null) {
      throw new IllegalStateException("a jar needs a Java compiler, and this JDK has no module jdk.compiler");
    }
    StringWriter problems = new StringWriter();
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
      List<String> options = List.of("-proc:none", "-nowarn", "-encoding", "UTF-8", "-d", classes.toString(), "-cp", classes.toString());
      boolean isCompiled = compiler.getTask(problems, manager, null, options, null, manager.getJavaFileObjects(source)).call();
      if (!isCompiled) {
        throw new InternalException("the class of a jar does not compile: " + problems);
      }
    }
  }

  private static byte[] manifest() throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(new Attributes.Name("Created-By"), "Einfall");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    manifest.write(out);
    return out.toByteArray();
  }

  private static void entry(JarOutputStream out, String name, byte[] contents) throws IOException {
    JarEntry entry = new JarEntry(name);
    entry.setTimeLocal(TIME);
    out.putNextEntry(entry);
    out.write(contents);
    out.closeEntry();
  }

  /// Constants are not compressed: weights hardly get smaller, and take long to read then.
  private void constants(JarOutputStream out) throws IOException {
    JarEntry entry = new JarEntry(prefix + "constants");
    entry.setTimeLocal(TIME);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(files.constants().bytes());
    entry.setCrc(files.plan().checksum());
    out.putNextEntry(entry);
    files.constants().write(out);
    out.closeEntry();
  }
}
