package dev.einfall.runtime.tuning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordFileTest {
  private static final TuningKey KEY = new TuningKey(List.of("einfall tuning 1", "program imagined"));
  private static final Question QUESTION = new Question("choose-mappings Y", "0123456789abcdef");
  private static final List<Entry> ENTRIES = List.of(
      new Entry.Compared(QUESTION, new Entry.Time("m 12, n 32", 1e4, 2.5e3, 0.01), new Entry.Time("m 8, n 48", 1.1e4, 2.1e3, 0.02), 9),
      new Entry.Better(QUESTION, "m 8, n 48", 1.19),
      new Entry.Skipped(QUESTION, "m 4, n 96", "the same code"));

  @TempDir
  private Path directory;

  private RecordFile record() {
    return new RecordFile(directory.resolve("not/there/yet"), KEY);
  }

  private RecordFile written() {
    RecordFile record = record();
    ENTRIES.forEach(record::append);
    return record;
  }

  @Test
  void readsWhatIsWritten() throws IOException {
    assertEquals(new RecordFile.Contents(List.of(), List.of()), record().read());
    assertEquals(new RecordFile.Contents(ENTRIES, List.of()), written().read());
    assertTrue(Files.readString(record().file()).startsWith("# einfall tuning 1\n# program imagined\ncompared\tchoose-mappings Y\t"));
  }

  @Test
  void ignoresALineThatIsCutOff() throws IOException {
    RecordFile record = written();
    String text = Files.readString(record.file());
    for (int end = text.length() - 2; end > text.lastIndexOf('\n', text.length() - 2) + 1; end--) {
      Files.writeString(record.file(), text.substring(0, end));
      RecordFile.Contents contents = record.read();
      assertEquals(ENTRIES.subList(0, 2), contents.entries());
      assertEquals(1, contents.problems().size());
      assertTrue(contents.problems().getFirst().startsWith("ignored line 5 of " + record.file()), contents.problems().toString());
    }
    record.append(ENTRIES.get(2));
    assertEquals(ENTRIES, record.read().entries(), "what follows stands in a line of its own");
  }

  @Test
  void ignoresDamage() throws IOException {
    RecordFile record = written();
    String text = Files.readString(record.file());
    Files.writeString(record.file(), text.replace("1.19", "9.19"));
    assertEquals(List.of(ENTRIES.get(0), ENTRIES.get(2)), record.read().entries());
    Files.write(record.file(), new byte[] {0, -1, -128, '\n', 'x', 9, 'y', '\n'});
    assertEquals(List.of(), record.read().entries());
    assertTrue(record.read().problems().getFirst().startsWith("ignored lines 1, 2 of "), record.read().problems().toString());
  }

  @Test
  void ignoresLinesOfOtherRecords() throws IOException {
    RecordFile other = new RecordFile(directory, new TuningKey(List.of("another")));
    assertNotEquals(other.file().getFileName(), record().file().getFileName());
    Files.copy(written().file(), other.file());
    assertEquals(List.of(), other.read().entries());
    assertEquals(1, other.read().problems().size());
  }

  @Test
  void saysWhatCannotBeRead() throws IOException {
    RecordFile record = record();
    Files.createDirectories(record.file());
    assertEquals(List.of(), record.read().entries());
    assertTrue(record.read().problems().getFirst().startsWith("cannot read the record "), record.read().problems().toString());
  }

  @Test
  void takesLinesOfManyWriters() throws InterruptedException {
    List<Thread> writers = new ArrayList<>();
    for (int writer = 0; writer < 4; writer++) {
      String name = "writer " + writer;
      writers.add(Thread.ofPlatform().start(() -> IntStream.range(0, 100)
          .forEach(i -> record().append(new Entry.Better(new Question(name, "0"), "tile " + i, 1.5)))));
    }
    for (Thread writer : writers) {
      writer.join();
    }
    RecordFile.Contents contents = record().read();
    assertEquals(List.of(), contents.problems());
    assertEquals(400, contents.entries().stream().distinct().count());
    assertEquals(4, Evidence.of(contents.entries()).better().stream().filter(better -> better.alternative().equals("tile 99")).count(),
        "the last line of each counts");
  }
}
