package dev.einfall.command;

import dev.einfall.runtime.Program;
import dev.einfall.runtime.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/// How long runs of a program take until their results are in the memory of the host, in nanoseconds, shortest first.
record Latency(List<Long> nanoseconds) {

  /// Runs `program` up to `runs` times, for up to `seconds`, but once at least.
  static Latency measure(Program program, Map<String, Tensor> inputs, int runs, double seconds) {
    List<Long> times = new ArrayList<>();
    long start = System.nanoTime();
    do {
      long before = System.nanoTime();
      Map<String, Tensor> outputs = program.run(inputs);
      outputs.values().forEach(Tensor::data);
      times.add(System.nanoTime() - before);
      outputs.values().forEach(Tensor::close);
    } while (times.size() < runs && System.nanoTime() - start < seconds * 1e9);
    Collections.sort(times);
    return new Latency(times);
  }

  double medianMillis() {
    return nanoseconds.get(nanoseconds.size() / 2) / 1e6;
  }

  double minMillis() {
    return nanoseconds.getFirst() / 1e6;
  }

  int runs() {
    return nanoseconds.size();
  }
}
