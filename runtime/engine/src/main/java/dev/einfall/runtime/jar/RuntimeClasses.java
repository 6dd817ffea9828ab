package dev.einfall.runtime.jar;

import dev.einfall.ir.InternalException;
import dev.einfall.runtime.launch.ArchivedProgram;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// The classes of Einfall that a program needs to run: those that stand behind the class of its jar, and those that its kernels call.
public final class RuntimeClasses {
  /// Where all classes of Einfall are.
  static final String ROOT = "dev/einfall/";
  private static final String GENERATED = ROOT + "generated/";
  private static final Pattern NAME = Pattern.compile(ROOT + "[\\w/$]*\\w");
  /// What other classes name in texts only.
  private static final List<String> FIRST = List.of(ArchivedProgram.class.getName().replace('.', '/'), GENERATED + "Anchor");

  private RuntimeClasses() {}

  /// The class files, by the names of classes.
  ///
  /// @param kernels the classes of kernels
  public static SortedMap<String, byte[]> of(Collection<byte[]> kernels) {
    SortedMap<String, byte[]> found = new TreeMap<>();
    Deque<String> toRead = new ArrayDeque<>(FIRST);
    kernels.forEach(kernel -> toRead.addAll(new ClassFile(kernel).names(NAME)));
    while (!toRead.isEmpty()) {
      String name = toRead.remove();
      if (!found.containsKey(name) && isClass(name)) {
        byte[] file = read(name);
        found.put(name, file);
        toRead.addAll(new ClassFile(file).names(NAME));
      }
    }
    return found;
  }

  /// Packages are named too, and the classes of kernels name themselves.
  private static boolean isClass(String name) {
    String last = name.substring(name.lastIndexOf('/') + 1);
    return Character.isUpperCase(last.charAt(0)) && (!name.startsWith(GENERATED) || name.endsWith("/Anchor"));
  }

  private static byte[] read(String name) {
    try (InputStream in = RuntimeClasses.class.getResourceAsStream("/" + name + ".class")) {
      if (in == null) {
        throw new InternalException("the class file of " + name + " is missing");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the class file of " + name, e);
    }
  }
}
