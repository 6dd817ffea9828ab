package dev.einfall.tests.fuzz;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Mutates the programs of the repository and gives them to the readers. Program `i` of a seed is always the same.
public final class ReaderFuzzer {
  private static final long MOST_MILLIS = 10_000;
  private static final long MOST_BYTES = 8L << 30;
  private static final long HANG_MILLIS = 120_000;

  /// What a thread has if nothing else is said.
  private static final long STACK_BYTES = 1 << 20;
  private static final int MOST_FAILURES = 20;

  /// One program in so many is loop text.
  private static final int LOOP_SHARE = 10;

  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  /// One in so many is read twice.
  private static final int TWICE_SHARE = 4;

  /// One in so many starts from a program that is wrong already.
  private static final int WRONG_SHARE = 6;

  private static final int CHOICES = 3;

  private final List<Tokens> cascades;
  private final List<Tokens> wrong;
  private final List<Tokens> loops;
  private final long seed;
  private final Path failures;
  private final Map<String, String> found = new LinkedHashMap<>();
  private final AtomicReference<String> current = new AtomicReference<>("");
  private volatile long begun = System.nanoTime();
  private long read;
  private long allNanos;
  private long slowestNanos;
  private long slowest;
  private long mostBytes;
  private long hungriest;

  /// @param failures the folder for programs that fail
  public ReaderFuzzer(List<Seed> seeds, long seed, Path failures) {
    this.cascades = tokens(seeds, one -> !one.isLoopText() && !one.isWrong());
    this.wrong = tokens(seeds, one -> !one.isLoopText() && one.isWrong());
    this.loops = tokens(seeds, Seed::isLoopText);
    this.seed = seed;
    this.failures = failures;
  }

  private static List<Tokens> tokens(List<Seed> seeds, Predicate<Seed> wanted) {
    return seeds.stream().filter(wanted).map(one -> Tokens.of(one.text())).toList();
  }

  /// Runs programs 0 to `programs - 1`, and prints what came of them; returns how many ways to fail there were.
  public long run(long programs, PrintStream report) throws IOException {
    long begin = System.nanoTime();
    long done = onThread(programs, report);
    double seconds = (System.nanoTime() - begin) / 1e9;
    report.printf("reader: %d programs of seed %d: %d read, %d rejected, %d failures; slowest %d ms (program %d), "
            + "largest %d MB (program %d); %.0f programs a second, %.2f ms each%n", done, seed, read, done - read, found.size(),
        slowestNanos / 1_000_000, slowest, mostBytes >> 20, hungriest, done / seconds, allNanos / 1e6 / Math.max(1, done));
    return found.size();
  }

  private long onThread(long programs, PrintStream report) throws IOException {
    long[] done = new long[1];
    Thread thread = new Thread(null, () -> {
      while (done[0] < programs && found.size() < MOST_FAILURES) {
        program(done[0]++, report);
      }
    }, "fuzz", STACK_BYTES);
    AtomicReference<Throwable> stopped = new AtomicReference<>();
    thread.setUncaughtExceptionHandler((_, thrown) -> stopped.set(thrown));
    thread.setDaemon(true);
    thread.start();
    try {
      while (!thread.join(java.time.Duration.ofSeconds(1))) {
        if (System.nanoTime() - begun > HANG_MILLIS * 1_000_000) {
          write("hang", done[0] - 1, current.get(), "does not end");
          report.println("program " + (done[0] - 1) + " does not end; it is in " + failures);
          found.put("hang", "does not end");
          return done[0];
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    if (stopped.get() != null) {
      throw new IllegalStateException("program " + (done[0] - 1) + " stopped the fuzzer", stopped.get());
    }
    return done[0];
  }

  private boolean isLoopText(long number) {
    return number % LOOP_SHARE == LOOP_SHARE - 1;
  }

  /// Program `number`.
  public String text(long number) {
    Random random = new Random(seed * 1_000_003 + number);
    List<Tokens> programs = isLoopText(number) ? loops : number % WRONG_SHARE == 0 ? wrong : cascades;
    return new Mutator(programs, random).mutate(shortOne(programs, random));
  }

  /// The shortest of a few: mistakes show as well in short programs, and many more of them can be tried.
  private static Tokens shortOne(List<Tokens> programs, Random random) {
    return Stream.generate(() -> programs.get(random.nextInt(programs.size()))).limit(CHOICES)
        .min(Comparator.comparingInt(Tokens::size)).orElseThrow();
  }

  private void program(long number, PrintStream report) {
    String text = text(number);
    current.set(text);
    begun = System.nanoTime();
    long nanos = THREADS.getCurrentThreadCpuTime();
    long bytes = THREADS.getCurrentThreadAllocatedBytes();
    Trial trial = Trial.of(text, isLoopText(number), number % TWICE_SHARE == 0);
    nanos = THREADS.getCurrentThreadCpuTime() - nanos;
    if (nanos > MOST_MILLIS * 1_000_000) {
      nanos = nanosAgain(text, number);
    }
    bytes = THREADS.getCurrentThreadAllocatedBytes() - bytes;
    measure(number, nanos, bytes);
    read += trial.isRead() ? 1 : 0;
    if (trial.problem().isPresent()) {
      fail(number, text, trial.problem().get(), report);
    } else if (nanos > MOST_MILLIS * 1_000_000) {
      fail(number, text, "takes " + nanos / 1_000_000 + " ms", report);
    } else if (bytes > MOST_BYTES) {
      fail(number, text, "allocates " + (bytes >> 20) + " MB", report);
    }
  }

  /// The time without that of the first time, at which much may have been interpreted.
  private long nanosAgain(String text, long number) {
    begun = System.nanoTime();
    long nanos = THREADS.getCurrentThreadCpuTime();
    Trial.of(text, isLoopText(number), false);
    return THREADS.getCurrentThreadCpuTime() - nanos;
  }

  private void measure(long number, long nanos, long bytes) {
    allNanos += nanos;
    if (nanos > slowestNanos) {
      slowestNanos = nanos;
      slowest = number;
    }
    if (bytes > mostBytes) {
      mostBytes = bytes;
      hungriest = number;
    }
  }

  /// Failures that look alike are one.
  private void fail(long number, String text, String problem, PrintStream report) {
    String kind = kind(problem);
    if (found.putIfAbsent(kind, problem) != null) {
      return;
    }
    boolean isCheap = !kind.startsWith("takes") && !kind.startsWith("allocates");
    String smaller = isCheap ? TextShrinking.shrink(text, shorter -> {
      begun = System.nanoTime();
      return Trial.of(shorter, isLoopText(number), true).problem().filter(other -> kind(other).equals(kind)).isPresent();
    }) : text;
    Path file = write("seed-" + seed, number, smaller, problem);
    report.println("program " + number + ": " + problem.lines().limit(8).reduce((a, b) -> a + "\n" + b).orElse("")
        + "\n  " + file);
  }

  /// What two failures have in common: without numbers and names, and only where it happened.
  private static String kind(String problem) {
    List<String> lines = new ArrayList<>(problem.lines().toList());
    String first = lines.getFirst().replaceAll("`[^`]*`", "``").replaceAll("\\d+", "0");
    String head = first.length() > 60 ? first.substring(0, 60) : first;
    boolean isStackOverflow = first.startsWith("java.lang.StackOverflow");
    String place = lines.size() > 1 && lines.get(1).startsWith("  at ") && !isStackOverflow ? lines.get(1) : "";
    boolean readsBack = first.startsWith("does not read back") && lines.size() > 1;
    return head + place + (readsBack ? lines.get(1).replaceAll("`[^`]*`|\\d+", "") : "");
  }

  private Path write(String name, long number, String text, String problem) {
    try {
      Files.createDirectories(failures);
      Path file = failures.resolve(name + "-program-" + number + (isLoopText(number) ? ".loop" : ".ein"));
      String comment = problem.lines().map(line -> "# " + line + "\n").reduce("", String::concat);
      Files.writeString(file, text + "\n# " + name + ", program " + number + "\n" + comment);
      return file;
    } catch (IOException error) {
      throw new java.io.UncheckedIOException(error);
    }
  }
}
