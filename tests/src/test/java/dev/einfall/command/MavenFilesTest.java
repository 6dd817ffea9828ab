package dev.einfall.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MavenFilesTest {
  private static final String PLACE = "maven:org.example:model:1.0!data/weights.bin";

  @TempDir
  private Path directory;

  private MavenFiles files() {
    return new MavenFiles(List.of(directory.resolve("none"), directory.resolve("repository")), directory.resolve("cache"),
        new PrintWriter(Writer.nullWriter()));
  }

  private void store(String content) throws IOException {
    Path jar = directory.resolve("repository/org/example/model/1.0/model-1.0.jar");
    Files.createDirectories(jar.getParent());
    try (OutputStream file = Files.newOutputStream(jar); ZipOutputStream zip = new ZipOutputStream(file)) {
      zip.putNextEntry(new ZipEntry("data/weights.bin"));
      zip.write(content.getBytes(StandardCharsets.UTF_8));
    }
  }

  @Test
  void extractsOnce() throws IOException {
    store("hello");
    Path file = files().file(PLACE);
    assertEquals("hello", Files.readString(file));
    assertTrue(file.toString().endsWith("-weights.bin"), file.toString());
    var time = Files.getLastModifiedTime(file);
    assertEquals(file, files().file(PLACE));
    assertEquals(time, Files.getLastModifiedTime(file));
  }

  @Test
  void extractsAgainWhatWasCutOff() throws IOException {
    store("hello");
    Path file = files().file(PLACE);
    Files.writeString(file, "hel");
    assertEquals("hello", Files.readString(files().file(PLACE)));
  }

  @Test
  void tellsReleasesApart() throws IOException {
    store("hello");
    Path old = files().file(PLACE);
    store("world");
    assertNotEquals(old, files().file(PLACE));
    assertEquals("world", Files.readString(files().file(PLACE)));
  }

  @Test
  void extractsFromManyProcessesAtOnce() throws Exception {
    store("hello".repeat(100_000));
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      List<Future<Long>> sizes = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        sizes.add(threads.submit(() -> Files.size(files().file(PLACE))));
      }
      for (Future<Long> size : sizes) {
        assertEquals(500_000, size.get());
      }
    }
    try (Stream<Path> left = Files.list(files().file(PLACE).getParent())) {
      assertEquals(1, left.count());
    }
  }

  @Test
  void refusesWhatIsNotThere() throws IOException {
    store("hello");
    var e = assertThrows(UserError.class, () -> files().file("maven:org.example:model:1.0!weights.bin"));
    assertTrue(e.getMessage().endsWith("model-1.0.jar holds no file weights.bin"), e.getMessage());
    assertThrows(UserError.class, () -> files().file("maven:org.example:model:1.0!data"));
    assertThrows(UserError.class, () -> files().file("maven:org.example:model:1.0"));
    assertThrows(UserError.class, () -> files().file("maven:org.example:model!x"));
    assertThrows(UserError.class, () -> files().file("maven:../..:model:1.0!x"));
    assertThrows(UserError.class, () -> files().file("maven:org.example:model:..!x"));
    assertThrows(UserError.class, () -> files().file("maven:org.example:model:1.0!../../x"));
  }
}
