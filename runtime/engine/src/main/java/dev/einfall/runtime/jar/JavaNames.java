package dev.einfall.runtime.jar;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.SourceVersion;

/// Names for Java of what programs call otherwise.
public final class JavaNames {
  /// Methods of every record without parameters.
  private static final Set<String> RESERVED =
      Set.of("clone", "finalize", "getClass", "hashCode", "notify", "notifyAll", "toString", "wait");

  private JavaNames() {}

  /// A name of a class for the function `function` of the file `file`: `minilm.Minilm` for `main` in `minilm.ein`.
  public static String usualClass(String function, String file) {
    String word = function.equals("main") ? file.replaceFirst("\\.[^.]*$", "") : function;
    String name = Stream.of(word.split("[^A-Za-z0-9]+")).filter(part -> !part.isEmpty())
        .map(part -> Character.toUpperCase(part.charAt(0)) + part.substring(1)).collect(Collectors.joining());
    String valid = name.isEmpty() || Character.isDigit(name.charAt(0)) ? "Program" + name : name;
    String lower = valid.toLowerCase(Locale.ROOT);
    return (SourceVersion.isName(lower) ? lower : lower + "_") + "." + valid;
  }

  /// @throws IllegalArgumentException for what is not a name of a class in a package
  public static String requireClass(String name) {
    // Names of other letters would have to be written otherwise in class files.
    boolean isName = Pattern.matches("[A-Za-z0-9_$.]+", name) && SourceVersion.isName(name);
    if (!isName || !name.contains(".") || name.startsWith("java.") || name.startsWith("dev.einfall.")) {
      throw new IllegalArgumentException("'" + name + "' is not the name of a class in a package of yours, such as com.example.MiniLm");
    }
    return name;
  }

  /// Names for parameters, in order, all different and none of `taken`.
  static List<String> parameters(List<String> names, Set<String> taken) {
    Set<String> used = new HashSet<>(taken);
    List<String> result = new ArrayList<>();
    for (String name : names) {
      String letters = name.replaceAll("[^A-Za-z0-9_$]", "_");
      String valid = SourceVersion.isName(letters) && !RESERVED.contains(letters) ? letters : "_" + letters;
      String free = valid;
      for (int i = 1; !SourceVersion.isName(free) || !used.add(free); i++) {
        free = valid + "_" + i;
      }
      result.add(free);
    }
    return result;
  }
}
