package dev.einfall.tests.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// all-MiniLM-L6-v2 in Einfall and in ONNX Runtime, for one text of 128 tokens: how long until it runs, until it runs at full speed, and how
/// much memory that takes. Each engine in new JVMs of its own, with the flags of the command `einfall`.
final class StartupPeers {
  /// What a new JVM is told to do: `startup-fork ENGINE THREADS DIRECTORY`.
  static final String FORK = "startup-fork";
  private static final int FORKS = 3;
  /// Einfall as it compiles for the first time, and as it finds what another JVM has compiled.
  private static final List<String> ENGINES = List.of("einfall", "kept", "onnxruntime");

  private StartupPeers() {}

  /// Prints a table for each number of threads: medians of several new JVMs, in which the engines take turns.
  static void run(Request request) throws IOException, InterruptedException {
    Path directory = Files.createTempDirectory("einfall-startup");
    try {
      run(request, directory);
    } finally {
      delete(directory);
    }
  }

  private static void run(Request request, Path directory) throws IOException, InterruptedException {
    for (int threads : request.threads()) {
      NewJvm.output(FORK, "fill", String.valueOf(threads), directory.toString());
      Map<String, List<Startup>> measured = new LinkedHashMap<>();
      for (int fork = 0; fork < Math.max(1, request.forks() == 0 ? FORKS : request.forks()); fork++) {
        for (String engine : ENGINES) {
          Startup one = Startup.read(NewJvm.output(FORK, engine, String.valueOf(threads), directory.toString()));
          measured.computeIfAbsent(engine, _ -> new ArrayList<>()).add(one);
        }
      }
      print(threads, measured);
    }
  }

  private static void print(int threads, Map<String, List<Startup>> measured) {
    List<Startup> medians = ENGINES.stream().map(engine -> Startup.median(measured.get(engine))).toList();
    System.out.printf("%n%-52s", "startup minilm f32 b=1 s=128 t=" + threads);
    ENGINES.forEach(engine -> System.out.printf(" %12s", engine));
    for (Startup.Figure figure : Startup.Figure.values()) {
      System.out.printf("%n%-52s", figure.meaning());
      medians.forEach(median -> System.out.printf(" %12.0f", median.get(figure)));
    }
    System.out.println();
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }

  /// Measures one engine in this process, for the JVM that started it to read.
  ///
  /// @param engine `fill` to compile for `kept`, and to measure nothing
  /// @param directory where compiled programs may be kept
  static void fork(String engine, int threads, Path directory) throws Exception {
    if (engine.equals("fill")) {
      StartingEngines.einfall(threads, Optional.of(directory)).close();
      return;
    }
    StartupClock clock = new StartupClock(switch (engine) {
      case "einfall" -> () -> StartingEngines.einfall(threads, Optional.empty());
      case "kept" -> () -> StartingEngines.einfall(threads, Optional.of(directory));
      case "onnxruntime" -> () -> StartingEngines.onnxRuntime(threads);
      default -> throw new IllegalArgumentException("no engine " + engine);
    });
    System.out.print(clock.measure().written());
  }
}
