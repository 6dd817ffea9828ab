package dev.einfall.runtime.tuning;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32;

/// The record of a key in a directory: a text file to which lines are appended, each as soon as it is known. The first lines say what
/// the key is. Each other one is an entry, whose fields are divided by tabs; the last field is a checksum.
///
/// ```
/// # einfall tuning 1
/// # program linear {M=100} 5d41402abc4b2a76b9719d911017c592
/// ...
/// compared	choose-mappings Y	9b74c9897bac770f	m 12, n 32	..	8f14e45f
/// ```
///
/// Several processes may write at the same time. What a process that was stopped has left of a line, and what others have done to
/// lines, is found by the checksums and ignored.
public final class RecordFile {
  private static final String SUFFIX = ".tuning";
  private static final String COMMENT = "#";
  private static final long RETRY_NANOS = 1_000_000;

  private final Path file;
  private final TuningKey key;
  private final String digest;

  public RecordFile(Path directory, TuningKey key) {
    this.key = key;
    this.digest = key.digest();
    this.file = directory.resolve(digest + SUFFIX);
  }

  public Path file() {
    return file;
  }

  /// What is in a file.
  ///
  /// @param problems what was ignored, and why
  public record Contents(List<Entry> entries, List<String> problems) {}

  /// What is there now. A file that is not there is empty.
  public Contents read() {
    Contents contents = new Contents(new ArrayList<>(), new ArrayList<>());
    try {
      String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
      List<String> lines = text.lines().toList();
      List<Integer> damaged = new ArrayList<>();
      for (int i = 0; i < lines.size(); i++) {
        if (!lines.get(i).isBlank() && !lines.get(i).startsWith(COMMENT) && !read(lines.get(i), contents.entries)) {
          damaged.add(i + 1);
        }
      }
      if (!damaged.isEmpty()) {
        contents.problems.add("ignored " + (damaged.size() == 1 ? "line " : "lines ") + numbers(damaged) + " of " + file
            + ": cut off or damaged; what was measured there can be measured again");
      }
    } catch (NoSuchFileException _) {
      return contents;
    } catch (IOException e) {
      contents.problems.add("cannot read the record " + file + ": " + e);
    }
    return contents;
  }

  private static String numbers(List<Integer> numbers) {
    String first = String.join(", ", numbers.stream().limit(5).map(String::valueOf).toList());
    return numbers.size() <= 5 ? first : first + " and " + (numbers.size() - 5) + " more";
  }

  private boolean read(String line, List<Entry> entries) {
    int tab = line.lastIndexOf('\t');
    if (tab < 0 || !line.substring(tab + 1).equals(checksum(line.substring(0, tab)))) {
      return false;
    }
    return Entry.of(List.of(line.substring(0, tab).split("\t", -1))).map(entries::add).orElse(false);
  }

  /// Adds `entry`. It is in the file when this returns.
  ///
  /// @throws UncheckedIOException when that is not possible
  public void append(Entry entry) {
    String line = String.join("\t", entry.fields());
    try {
      Files.createDirectories(file.getParent());
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
          FileLock _ = lock(channel)) {
        channel.position(channel.size());
        String before = channel.size() == 0 ? heading() : endsInALine(channel) ? "" : "\n";
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(before + line + "\t" + checksum(line) + "\n");
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the record " + file + ": " + e.getMessage(), e);
    }
  }

  /// Locks are those of processes: a thread of this one that has it makes others of this one fail, not wait.
  private static FileLock lock(FileChannel channel) throws IOException {
    while (true) {
      try {
        return channel.lock();
      } catch (OverlappingFileLockException _) {
        LockSupport.parkNanos(RETRY_NANOS);
      }
    }
  }

  private static boolean endsInALine(FileChannel channel) throws IOException {
    ByteBuffer last = ByteBuffer.allocate(1);
    return channel.read(last, channel.size() - 1) == 1 && last.get(0) == '\n';
  }

  private String heading() {
    StringBuilder heading = new StringBuilder();
    key.lines().forEach(line -> heading.append(COMMENT).append(' ').append(line).append('\n'));
    return heading.toString();
  }

  /// Depends on the key, so that lines of another record count as damaged.
  private String checksum(String line) {
    CRC32 checksum = new CRC32();
    checksum.update((digest + line).getBytes(StandardCharsets.UTF_8));
    return String.format("%08x", checksum.getValue());
  }
}
