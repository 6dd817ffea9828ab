package dev.einfall.backends.jvm;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import javax.management.JMException;
import javax.management.ObjectName;

/// Keeps HotSpot's first-tier compiler away from generated classes. It gives up on methods with many live vectors, which
/// then stay in a tier that is a hundred times slower; the interpreter profiles as well.
///
/// The method that rehearses is for the interpreter: compiled, it would have copies of all that it calls.
///
/// ```
/// [{ match: ["dev/einfall/generated/*.rehearse"], c1: { Exclude: true }, c2: { Exclude: true } },
///  { match: ["dev/einfall/generated/*.*"], c1: { Exclude: true } }]
/// ```
public final class CompilerDirectives {
  /// The first that matches counts.
  private static final String DIRECTIVES = """
      [{ match: ["dev/einfall/generated/*.rehearse"], c1: { Exclude: true }, c2: { Exclude: true } },
       { match: ["dev/einfall/generated/*.*"], c1: { Exclude: true } }]
      """;

  private CompilerDirectives() {}

  /// Adds the directives, once for the life of the JVM.
  ///
  /// @return why that was not possible, if it was not
  public static Optional<String> install() {
    return Once.FAILURE;
  }

  /// The text that a diagnostic command of the JVM prints.
  static String command(String operation, String... arguments) throws JMException {
    Object[] parameters = arguments.length == 0 ? null : new Object[] {arguments};
    String[] signature = arguments.length == 0 ? null : new String[] {String[].class.getName()};
    ObjectName commands = new ObjectName("com.sun.management:type=DiagnosticCommand");
    return (String) ManagementFactory.getPlatformMBeanServer().invoke(commands, operation, parameters, signature);
  }

  /// Whether this JVM can take diagnostic commands.
  static boolean available() {
    return ModuleLayer.boot().findModule("jdk.management").isPresent();
  }

  private static final class Once {
    static final Optional<String> FAILURE = add();

    private static Optional<String> add() {
      if (!available()) {
        return Optional.of("the module jdk.management is missing");
      }
      try {
        Path file = Files.createTempFile("einfall-directives", ".json");
        try {
          Files.writeString(file, DIRECTIVES);
          String answer = command("compilerDirectivesAdd", file.toString());
          return answer.contains("added") ? Optional.empty() : Optional.of(answer.strip());
        } finally {
          Files.delete(file);
        }
      } catch (IOException | JMException e) {
        return Optional.of(e.toString());
      }
    }
  }
}
