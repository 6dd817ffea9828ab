package dev.einfall.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.passes.Speeds;
import dev.einfall.runtime.tuning.Calibration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

@Isolated("measures")
class MachineSpeedsTest {
  private static final Calibration FAST = new Calibration(8, 400, 200, 100, 50, 500);

  @TempDir
  private Path directory;
  private final List<String> remarks = new ArrayList<>();
  private int measured;

  private Speeds speeds(int threads) {
    Options options = Options.defaults().withThreads(threads).withRemarks(remark -> remarks.add(remark.message()));
    return MachineSpeeds.of(directory.resolve("new"), options, () -> {
      measured++;
      return FAST;
    });
  }

  @Test
  void measuresOnce() {
    assertEquals(FAST.speeds(), speeds(1));
    assertEquals(FAST.speeds(), speeds(1));
    assertEquals(1, measured);
    speeds(2);
    assertEquals(2, measured, "other threads meet otherwise");
  }

  @Test
  void measuresAgainWhatIsDamaged() throws IOException {
    speeds(1);
    try (Stream<Path> files = Files.list(directory.resolve("new"))) {
      Files.writeString(files.findFirst().orElseThrow(), "einfall calib");
    }
    assertEquals(FAST.speeds(), speeds(1));
    assertEquals(2, measured);
    assertTrue(remarks.getFirst().endsWith("which is damaged: the machine is measured again"), remarks.toString());
    speeds(1);
    assertEquals(2, measured);
  }

  @Test
  void saysWhatIsNotPossible() throws IOException {
    Path occupied = Files.writeString(directory.resolve("occupied"), "");
    assertThrows(UncheckedIOException.class, () -> MachineSpeeds.of(occupied, Options.defaults(), () -> FAST));
    assertThrows(IllegalArgumentException.class, () -> MachineSpeeds.of(directory, Options.defaults().withVectorBytes(4)));
  }

  @Test
  void reachesThePasses() {
    Speeds speeds = FAST.speeds();
    assertEquals(speeds, Einfall.target(Options.defaults().withSpeeds(Optional.of(speeds))).speeds());
    assertEquals(Speeds.usual(), Einfall.target(Options.defaults()).speeds());
  }

  @Test
  void measuresThisMachine() {
    Options options = Options.defaults().withThreads(2);
    Calibration here = new MicroBenchmarks(new JvmBackend(JvmOptions.ofThisJvm()), Einfall.target(options)).measured();
    assertEquals(Optional.of(here.text()), Calibration.of(here.text()).map(Calibration::text), "numbers that can be read back");
  }
}
