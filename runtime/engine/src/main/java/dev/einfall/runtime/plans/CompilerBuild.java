package dev.einfall.runtime.plans;

import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.frontend.EinReader;
import dev.einfall.grammar.EinfallParser;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.passes.Pipeline;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
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
    return String.format("%d-%08x", read(place.toFile(), checksum), checksum.getValue());
  }

  /// Adds names and contents to `checksum`, and returns how many bytes there are. There may be a thousand files, for which a new JVM takes a
  /// fraction of the time that it takes for as many paths.
  private static long read(File place, CRC32 checksum) throws IOException {
    String[] names = place.list();
    if (names == null) {
      try (FileInputStream in = new FileInputStream(place)) {
        byte[] bytes = in.readAllBytes();
        checksum.update(bytes);
        return bytes.length;
      }
    }
    long length = 0;
    Arrays.sort(names);
    for (String name : names) {
      checksum.update(name.getBytes(StandardCharsets.UTF_8));
      length += read(new File(place, name), checksum);
    }
    return length;
  }
}
