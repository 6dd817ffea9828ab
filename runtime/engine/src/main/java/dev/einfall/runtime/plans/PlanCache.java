package dev.einfall.runtime.plans;

import dev.einfall.runtime.tuning.TextDigest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/// Compiled programs in a directory, a file for each key. The first lines of a file say what the key is; then come a checksum of the rest,
/// and the plan. There are no weights in it.
///
/// ```
/// einfall plan 2
/// compiler 1180230-5d41402a 402311-9b74c989 ..
/// program linear {M=100} 8f14e45fceea167a..
/// ..
///
/// ....
/// ```
///
/// Beside the plans lie the outlines of their programs, and the libraries that C compilers made, in files of the same form.
///
/// Several processes may use it at the same time: a file appears as a whole, and one that is cut off, damaged or of something else counts
/// as none. When the files take more than there may be, those that were not used for longest are deleted. So may all be at any time.
///
/// @param mostBytes how many bytes the files may take
/// @param problems is told why the directory could not be used; whoever uses it goes on without
public record PlanCache(Path directory, long mostBytes, Consumer<String> problems) {
  private static final long USUAL_BYTES = 256L << 20;
  private static final String SUFFIX = ".plan";
  private static final String OUTLINE_SUFFIX = ".program";
  private static final String LIBRARY_SUFFIX = ".library";
  private static final String PART = ".part";
  /// What a process that was stopped has left of a file is nobody's after so long.
  private static final Duration ABANDONED = Duration.ofHours(1);

  /// One for up to 256 MB.
  public PlanCache(Path directory, Consumer<String> problems) {
    this(directory, USUAL_BYTES, problems);
  }

  /// What tells this build of the compiler from others; empty where that cannot be known, and nothing must be kept.
  public static Optional<String> build() {
    return CompilerBuild.running();
  }

  /// Where the plan for `key` is, if it is there.
  public Path file(PlanKey key) {
    return directory.resolve(key.digest() + SUFFIX);
  }

  /// The plan that was kept for `key`; empty if there is none that can be used.
  public Optional<StoredPlan> find(PlanKey key) {
    return find(file(key), key.lines(), PlanReader::read);
  }

  /// Keeps `plan` for `key`, for other processes, too.
  public void keep(PlanKey key, StoredPlan plan) {
    keep(file(key), key.lines(), out -> PlanWriter.write(plan, out));
  }

  /// The outline that was kept for `key`; empty if there is none that can be used.
  public Optional<Outline> find(OutlineKey key) {
    return find(file(key), key.lines(), OutlineText::read);
  }

  /// Keeps `outline` for `key`, for other processes, too.
  public void keep(OutlineKey key, Outline outline) {
    keep(file(key), key.lines(), out -> OutlineText.write(outline, out));
  }

  /// The library that was kept for a key of these lines; empty if there is none that can be used.
  public Optional<byte[]> findLibrary(List<String> key) {
    return find(library(key), key, DataInputStream::readAllBytes);
  }

  /// Keeps `library` for a key of these lines, for other processes, too.
  public void keepLibrary(List<String> key, byte[] library) {
    keep(library(key), key, out -> out.write(library));
  }

  private Path library(List<String> key) {
    return directory.resolve(TextDigest.ofLines(key) + LIBRARY_SUFFIX);
  }

  private Path file(OutlineKey key) {
    return directory.resolve(key.digest() + OUTLINE_SUFFIX);
  }

  /// Reads what a file holds.
  private interface Reading<T> {
    T read(DataInputStream in) throws IOException;
  }

  /// Writes what a file holds.
  private interface Writing {
    void write(DataOutputStream out) throws IOException;
  }

  private <T> Optional<T> find(Path file, List<String> lines, Reading<T> reading) {
    try {
      Optional<T> kept = read(Files.readAllBytes(file), heading(lines), reading);
      if (kept.isEmpty()) {
        problems.accept("ignored " + file + ", which is damaged: it is made again");
      } else {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      }
      return kept;
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException e) {
      problems.accept("ignored " + file + ": " + e);
      return Optional.empty();
    }
  }

  private static <T> Optional<T> read(byte[] bytes, byte[] heading, Reading<T> reading) {
    int start = heading.length + Long.BYTES;
    if (bytes.length < start || !Arrays.equals(bytes, 0, heading.length, heading, 0, heading.length)) {
      return Optional.empty();
    }
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes, heading.length, bytes.length - heading.length))) {
      return in.readLong() == checksum(bytes, start) ? Optional.of(reading.read(in)) : Optional.empty();
    } catch (IOException | RuntimeException _) {
      return Optional.empty();
    }
  }

  private void keep(Path file, List<String> lines, Writing writing) {
    try {
      Files.createDirectories(directory);
      Path part = Files.createTempFile(directory, "plan", PART);
      Files.write(part, bytes(heading(lines), writing));
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      makeRoom();
    } catch (IOException e) {
      problems.accept("cannot keep what was compiled in " + directory + ": " + e);
    }
  }

  private static byte[] bytes(byte[] heading, Writing writing) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      writing.write(out);
    }
    byte[] written = bytes.toByteArray();
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(file)) {
      out.write(heading);
      out.writeLong(checksum(written, 0));
      out.write(written);
    }
    return file.toByteArray();
  }

  private static byte[] heading(List<String> lines) {
    return (String.join("\n", lines) + "\n\n").getBytes(StandardCharsets.UTF_8);
  }

  private static long checksum(byte[] bytes, int from) {
    CRC32 checksum = new CRC32();
    checksum.update(bytes, from, bytes.length - from);
    return checksum.getValue() << Integer.SIZE | bytes.length - from;
  }

  /// A file of the directory.
  private record Kept(Path file, long bytes, Instant used) {}

  /// Deletes the files that were not used for longest until the others take no more than they may. Others may delete at the same time.
  ///
  /// @throws IOException when one cannot be deleted
  public void makeRoom() throws IOException {
    List<Kept> all = new ArrayList<>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        kept(file).ifPresent(all::add);
      }
    }
    all.sort(Comparator.comparing(Kept::used));
    long bytes = all.stream().mapToLong(Kept::bytes).sum();
    for (Kept kept : all) {
      boolean isAbandoned = kept.file.toString().endsWith(PART) && kept.used.isBefore(Instant.now().minus(ABANDONED));
      boolean isTooMuch = !kept.file.toString().endsWith(PART) && bytes > mostBytes;
      if (isAbandoned || isTooMuch) {
        Files.deleteIfExists(kept.file);
        bytes -= kept.bytes;
      }
    }
  }

  private static Optional<Kept> kept(Path file) throws IOException {
    boolean isOurs = Stream.of(SUFFIX, OUTLINE_SUFFIX, LIBRARY_SUFFIX, PART).anyMatch(file.toString()::endsWith);
    try {
      return isOurs ? Optional.of(new Kept(file, Files.size(file), Files.getLastModifiedTime(file).toInstant())) : Optional.empty();
    } catch (NoSuchFileException _) {
      return Optional.empty();
    }
  }
}
