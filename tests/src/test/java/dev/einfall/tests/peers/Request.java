package dev.einfall.tests.peers;

import dev.einfall.passes.Compute;
import dev.einfall.runtime.Options;
import dev.einfall.runtime.nativecode.Toolchain;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What to measure, from the words of a command line: `threads=1,2`, `seconds=6` for a case, `forks=3`, `forced`,
/// `about=reduce,group`, `backend=c`, `compute=bf16`, `target=avx2`; any other words are such that the name of a case must hold them all; of `m1,m16`,
/// one of them.
///
/// @param forks the new JVMs whose medians count; 0 to measure in this one
/// @param forced whether to measure the alternatives among which the cost model chooses
/// @param backend what runs our programs
/// @param compute what factors of our products are rounded to
/// @param target what C is written for; this machine if empty
/// @param about what the subjects of the decisions hold that are measured then, one of these
record Request(List<Integer> threads, double seconds, int forks, boolean forced, Options.Backend backend, Compute compute, Optional<String> target, List<String> about, List<String> words) {
  private static final double SECONDS = 4;

  static Request of(List<String> arguments) {
    Request request = new Request(List.of(1, 2), SECONDS, 0, false, Options.Backend.AUTO, Compute.F32, Optional.empty(), List.of(""), List.of());
    for (String argument : arguments) {
      request = request.with(argument);
    }
    return request;
  }

  private Request with(String argument) {
    if (argument.startsWith("threads=")) {
      List<Integer> given = Arrays.stream(value(argument).split(",")).map(Integer::valueOf).toList();
      return new Request(given, seconds, forks, forced, backend, compute, target, about, words);
    }
    if (argument.startsWith("seconds=")) {
      return new Request(threads, Double.parseDouble(value(argument)), forks, forced, backend, compute, target, about, words);
    }
    if (argument.startsWith("forks=")) {
      return new Request(threads, seconds, Integer.parseInt(value(argument)), forced, backend, compute, target, about, words);
    }
    if (argument.equals("forced")) {
      return new Request(threads, seconds, forks, true, backend, compute, target, about, words);
    }
    if (argument.startsWith("backend=")) {
      return new Request(threads, seconds, forks, forced, Options.Backend.valueOf(value(argument).toUpperCase(Locale.ROOT)), compute, target, about, words);
    }
    if (argument.startsWith("compute=")) {
      return with(Compute.valueOf(value(argument).toUpperCase(Locale.ROOT)));
    }
    if (argument.startsWith("target=")) {
      return new Request(threads, seconds, forks, forced, backend, compute, Optional.of(value(argument)), about, words);
    }
    if (argument.startsWith("about=")) {
      return new Request(threads, seconds, forks, forced, backend, compute, target, List.of(value(argument).split(",")), words);
    }
    List<String> more = new ArrayList<>(words);
    more.add(argument);
    return new Request(threads, seconds, forks, forced, backend, compute, target, about, more);
  }

  /// The same with another backend.
  Request with(Options.Backend newBackend) {
    return new Request(threads, seconds, forks, forced, newBackend, compute, target, about, words);
  }

  /// The same with factors rounded otherwise.
  Request with(Compute newCompute) {
    return new Request(threads, seconds, forks, forced, backend, newCompute, target, about, words);
  }

  private static String value(String argument) {
    return argument.substring(argument.indexOf('=') + 1);
  }

  /// The options of our programs.
  Options options(int threadCount) {
    Options options = Options.defaults().withThreads(threadCount).withBackend(backend).withCompute(compute);
    return target.map(name -> options.withToolchain(Toolchain.usual().withTarget(name))).orElse(options);
  }

  /// Whether decisions about `subject` are wanted.
  boolean asksAbout(String subject) {
    return about.stream().anyMatch(subject::contains);
  }

  /// Whether the case of this name is wanted.
  boolean wants(String name) {
    List<String> parts = List.of(name.split(" "));
    return words.stream().allMatch(word -> Arrays.stream(word.split(",")).anyMatch(parts::contains));
  }
}
