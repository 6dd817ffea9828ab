package dev.einfall.tests.peers;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// all-MiniLM-L6-v2 in Einfall and in ONNX Runtime, for one text of 128 tokens: how long until it runs, until it runs at full speed, and how
/// much memory that takes. Each engine in new JVMs of its own, with the flags of the command `einfall`.
final class StartupPeers {
  /// What a new JVM is told to do: `startup-fork ENGINE THREADS`.
  static final String FORK = "startup-fork";
  private static final int FORKS = 3;
  private static final List<String> ENGINES = List.of("einfall", "onnxruntime");

  private StartupPeers() {}

  /// Prints a table for each number of threads: medians of several new JVMs, in which the engines take turns.
  static void run(Request request) throws IOException, InterruptedException {
    for (int threads : request.threads()) {
      Map<String, List<Startup>> measured = new LinkedHashMap<>();
      for (int fork = 0; fork < Math.max(1, request.forks() == 0 ? FORKS : request.forks()); fork++) {
        for (String engine : ENGINES) {
          Startup one = Startup.read(NewJvm.output(FORK, engine, String.valueOf(threads)));
          measured.computeIfAbsent(engine, _ -> new ArrayList<>()).add(one);
        }
      }
      print(threads, measured);
    }
  }

  private static void print(int threads, Map<String, List<Startup>> measured) {
    List<Startup> medians = ENGINES.stream().map(engine -> Startup.median(measured.get(engine))).toList();
    System.out.printf("%n%-52s %12s %12s%n", "startup minilm f32 b=1 s=128 t=" + threads, ENGINES.getFirst(), ENGINES.getLast());
    for (Startup.Figure figure : Startup.Figure.values()) {
      System.out.printf("%-52s %12.0f %12.0f%n", figure.meaning(), medians.getFirst().get(figure), medians.getLast().get(figure));
    }
  }

  /// Measures one engine in this process, for the JVM that started it to read.
  static void fork(String engine, int threads) throws Exception {
    StartupClock clock = new StartupClock(switch (engine) {
      case "einfall" -> () -> StartingEngines.einfall(threads);
      case "onnxruntime" -> () -> StartingEngines.onnxRuntime(threads);
      default -> throw new IllegalArgumentException("no engine " + engine);
    });
    System.out.print(clock.measure().written());
  }
}
