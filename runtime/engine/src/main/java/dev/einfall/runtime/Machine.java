package dev.einfall.runtime;

import dev.einfall.passes.Target;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// The machine that runs this JVM.
final class Machine {
  private static final Path CACHES = Path.of("/sys/devices/system/cpu/cpu0/cache");

  private Machine() {}

  /// This machine as a target for code with vectors of `vectorBytes` and `threads` threads. Cache sizes that the system does
  /// not tell are those of a common one.
  static Target target(int vectorBytes, int threads) {
    Target usual = Target.of(vectorBytes, threads);
    return usual.withCaches(cache(1, usual.l1Bytes()), cache(2, usual.l2Bytes()), cache(3, usual.l3Bytes()));
  }

  private static long cache(int level, long usual) {
    if (!Files.isDirectory(CACHES)) {
      return usual;
    }
    try (DirectoryStream<Path> caches = Files.newDirectoryStream(CACHES, "index*")) {
      for (Path cache : caches) {
        if (line(cache, "level").equals(String.valueOf(level)) && !line(cache, "type").equals("Instruction")) {
          return kibibytes(line(cache, "size"));
        }
      }
    } catch (IOException | NumberFormatException _) {
      return usual;
    }
    return usual;
  }

  private static String line(Path cache, String file) throws IOException {
    return Files.readString(cache.resolve(file)).strip();
  }

  private static long kibibytes(String size) {
    return Long.parseLong(size.replaceFirst("K$", "")) << 10;
  }
}
