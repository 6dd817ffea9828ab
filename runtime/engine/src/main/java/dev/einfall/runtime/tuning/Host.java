package dev.einfall.runtime.tuning;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/// What runs the code, as far as a measured time depends on it and the passes do not know of it.
///
/// @param jdk the build of the JDK, whose JIT makes the code; or the C compiler that does
/// @param processor its model and what it can do
public record Host(String jdk, String processor) {
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");
  /// How Linux names them for x86-64 and for AArch64.
  private static final String TELLING = "model name|flags|Features|CPU (implementer|part|variant)";

  /// This one.
  public static Host here() {
    return new Host(property("java.vm.name") + " " + property("java.vm.version") + ", " + property("java.vm.vendor"), described());
  }

  /// This one where a C compiler makes the code.
  ///
  /// @param compiler what tells it from others
  public static Host compilingBy(String compiler) {
    return new Host(compiler, described());
  }

  private static String property(String name) {
    return String.valueOf(System.getProperty(name));
  }

  private static String described() {
    String architecture = property("os.arch");
    Map<String, String> first = new LinkedHashMap<>();
    try (BufferedReader lines = Files.newBufferedReader(PROCESSORS)) {
      for (String line = lines.readLine(); line != null && !line.isBlank(); line = lines.readLine()) {
        String[] parts = line.split("\\s*:\\s*", 2);
        if (parts.length == 2 && parts[0].matches(TELLING)) {
          first.put(parts[0], parts[1].strip());
        }
      }
    } catch (IOException _) {
      return architecture;
    }
    return architecture + first.values().stream().map(value -> ", " + value).collect(Collectors.joining());
  }
}
