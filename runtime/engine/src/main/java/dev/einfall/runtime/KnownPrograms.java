package dev.einfall.runtime;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Imports;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.runtime.plans.Outline;
import dev.einfall.runtime.plans.OutlineKey;
import dev.einfall.runtime.plans.PlanCache;
import dev.einfall.runtime.plans.ProgramIdentity;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.function.Supplier;

/// Programs that were read before, if the options name a directory for them. A plan that was kept runs without its program: that is read
/// again only where somebody asks for the cascade.
final class KnownPrograms {
  /// Empty where nothing is kept.
  private final Optional<PlanCache> cache;
  private final Options options;

  private KnownPrograms(Optional<PlanCache> cache, Options options) {
    this.cache = cache;
    this.options = options;
  }

  /// Those for `options`. A program whose promises are checked is read, and so is one for the reference interpreter.
  static KnownPrograms of(Options options) {
    boolean isRead = options.checkPromises() || options.backend() == Options.Backend.REFERENCE;
    return new KnownPrograms(isRead ? Optional.empty() : KeptPlans.cache(options), options);
  }

  /// What is known of a program.
  ///
  /// @param cascade reads it
  record Known(Outline outline, Supplier<Cascade> cascade) {}

  /// What is known of the program of `source`; empty if a file of it has changed.
  Optional<Known> find(Source source, Imports imports) {
    return cache.flatMap(kept -> key(source).flatMap(kept::find)).flatMap(outline -> outline.unchanged(source, imports)
        .map(same -> new Known(outline, new Lazy<>(() -> EinReader.read(source, options.function(), same).cascade()))));
  }

  /// Keeps what must be known of `program`, which was read without an error.
  ///
  /// @param inputSizes the names of sizes in its inputs
  /// @param boundSizes those that its weights tell
  void keep(Source source, EinProgram program, ProgramIdentity identity, SortedSet<String> inputSizes, SortedSet<String> boundSizes, Recorded imports) {
    List<Outline.Declared> inputs = program.inputs().stream().map(input -> declared(input.name(), input.type(), input.shape())).toList();
    List<Outline.Declared> outputs = program.results().stream().map(result -> declared(result.name(), result.type(), result.shape())).toList();
    List<Outline.Weight> weights = program.cascade().weights().stream().map(weight -> new Outline.Weight(weight.key(),
        declared(weight.tensor().name(), weight.tensor().type(), weight.tensor().shape()))).toList();
    key(source).ifPresent(key -> cache.orElseThrow().keep(key, new Outline(identity, inputs, outputs, program.weights(), weights,
        List.copyOf(inputSizes), List.copyOf(boundSizes), List.copyOf(imports.found))));
  }

  /// Whether there is a place for what is known.
  boolean canKeep() {
    return cache.isPresent() && PlanCache.build().isPresent();
  }

  private Optional<OutlineKey> key(Source source) {
    return PlanCache.build().map(build -> OutlineKey.of(build, source, options.function()));
  }

  private static Outline.Declared declared(String name, ElementType type, List<Size> shape) {
    return new Outline.Declared(name, type, shape);
  }

  /// Finds what `imports` finds, and remembers it.
  static final class Recorded implements Imports {
    private final Imports imports;
    private final List<Outline.Import> found = new ArrayList<>();

    Recorded(Imports imports) {
      this.imports = imports;
    }

    @Override
    public Optional<Source> find(String path, Source importer) {
      Optional<Source> source = imports.find(path, importer);
      source.ifPresent(text -> found.add(Outline.Import.of(path, importer, text)));
      return source;
    }
  }
}
