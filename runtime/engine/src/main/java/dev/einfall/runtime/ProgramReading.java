package dev.einfall.runtime;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.runtime.plans.ProgramIdentity;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// The cascade of a program for some sizes, and its weights.
interface ProgramReading {

  /// @param text the cascade
  /// @param identified what tells it from others
  record Read(Supplier<Cascade> text, Supplier<ProgramIdentity> identified, Weights weights) {

    static Read of(Cascade cascade, Weights weights) {
      return new Read(() -> cascade, new Lazy<>(() -> ProgramIdentity.of(cascade)), weights);
    }

    /// The cascade, which is read now if it was not yet.
    Cascade cascade() {
      return text.get();
    }

    ProgramIdentity identity() {
      return identified.get();
    }
  }

  /// @throws dev.einfall.ir.CompileException when the program is wrong at these sizes
  Read at(SortedMap<String, Long> sizes);

  /// That of a program which is one cascade for all sizes.
  static ProgramReading same(Read read) {
    return _ -> read;
  }

  /// That of a program which is read anew for each set of sizes.
  ///
  /// @param check refuses what is wrong
  static ProgramReading forEach(EinProgram program, Optional<WeightsFile> file, Consumer<Cascade> check) {
    return sizes -> {
      Cascade cascade = program.cascade(sizes);
      check.accept(cascade);
      return Read.of(cascade, Weights.find(cascade, file, new SizeBinding()));
    };
  }
}
