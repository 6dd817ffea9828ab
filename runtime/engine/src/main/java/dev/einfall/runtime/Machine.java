package dev.einfall.runtime;

import dev.einfall.passes.Target;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// The machine that runs this JVM.
final class Machine {
  private static final Path CACHES = Path.of("/sys/devices/system/cpu/cpu0/cache");
  private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

  private Machine() {}

  /// This machine as a target for code with vectors of `vectorBytes` and `threads` threads. Cache sizes that the system does
  /// not tell are those of a common one.
  static Target target(int vectorBytes, int threads) {
    Target usual = Target.of(vectorBytes, threads);
    Set<String> features = features();
    return usual.withCaches(cache(1, usual.l1Bytes()), cache(2, usual.l2Bytes()), cache(3, usual.l3Bytes()))
        .withPermutedBytes(features.contains("avx512vbmi")).withBitCount(bitCount(features))
        .withSubnormals(isMadeBy("AuthenticAMD"));
  }

  /// What the processor says that it has instructions for: on x86-64 `flags`, on AArch64 `Features`.
  private static Set<String> features() {
    try (Stream<String> lines = Files.lines(PROCESSORS)) {
      return lines.filter(line -> line.startsWith("flags") || line.startsWith("Features")).findFirst().map(line -> Set.copyOf(List.of(line.split("\\s+")))).orElse(Set.of());
    } catch (IOException | UncheckedIOException _) {
      return Set.of();
    }
  }

  /// Whether the processor's maker is `vendor`, as it says itself.
  private static boolean isMadeBy(String vendor) {
    try (Stream<String> lines = Files.lines(PROCESSORS)) {
      return lines.filter(line -> line.startsWith("vendor_id")).findFirst().filter(line -> line.endsWith(vendor)).isPresent();
    } catch (IOException | UncheckedIOException _) {
      return false;
    }
  }

  /// How many instructions count the ones in each lane: AArch64 counts those of bytes, and adds neighbours twice.
  private static int bitCount(Set<String> features) {
    return features.contains("avx512_vpopcntdq") ? 1 : features.contains("asimd") ? 3 : Target.BIT_COUNT_IN_STEPS;
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
