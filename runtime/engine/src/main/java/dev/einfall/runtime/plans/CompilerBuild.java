package dev.einfall.runtime.plans;

import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.frontend.EinReader;
import dev.einfall.grammar.EinfallParser;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.Pipeline;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/// Tells builds of the compiler apart: by the contents of the files that its classes come from, since a version number stays the same
/// while someone works on it.
final class CompilerBuild {
  /// One class of each part that plans, their code and outlines depend on; the standard library is beside the grammar.
  private static final List<Class<?>> PARTS = List.of(Kernel.class, EinfallParser.class, EinReader.class, Pipeline.class, JvmBackend.class, CompilerBuild.class);

  private CompilerBuild() {}

  /// A text for the build that runs; empty where it cannot be known, such as when classes come from no file.
  static Optional<String> running() {
    return Once.TEXT;
  }

  /// The files do not change while they are in use.
  private static final class Once {
    static final Optional<String> TEXT = read();

    private static Optional<String> read() {
      try {
        StringBuilder text = new StringBuilder();
        for (Path place : places()) {
          text.append(text.isEmpty() ? "" : " ").append(described(place));
        }
        return Optional.of(text.toString());
      } catch (IOException | URISyntaxException | IllegalArgumentException | FileSystemNotFoundException _) {
        return Optional.empty();
      }
    }
  }

  private static TreeSet<Path> places() throws IOException, URISyntaxException {
    TreeSet<Path> places = new TreeSet<>();
    for (Class<?> part : PARTS) {
      CodeSource source = part.getProtectionDomain().getCodeSource();
      if (source == null || source.getLocation() == null) {
        throw new IOException("no place");
      }
      places.add(Path.of(source.getLocation().toURI()));
    }
    return places;
  }

  /// The length and a checksum of a file, or of all files of a directory.
  private static String described(Path place) throws IOException {
    CRC32 checksum = new CRC32();
    long length = 0;
    try (Stream<Path> files = Files.walk(place)) {
      for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
        byte[] bytes = Files.readAllBytes(file);
        checksum.update(place.relativize(file).toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
        checksum.update(bytes);
        length += bytes.length;
      }
    }
    return String.format("%d-%08x", length, checksum.getValue());
  }
}
