package dev.einfall.tests.peers;

import dev.einfall.passes.PassCatalog;
import dev.einfall.runtime.Options;
import java.util.List;
import java.util.stream.Collectors;

/// Programs without the passes that are to be worth something: as many passes over the data as the source has, and recurrences
/// step by step.
final class Plain {
  private static final List<String> PASSES = List.of("reduce-passes", "schedule-recurrences");

  private Plain() {}

  static Options options(Options options) {
    return options.without(PassCatalog.names().stream().filter(PASSES::contains).collect(Collectors.toSet()));
  }
}
