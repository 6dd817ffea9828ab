package dev.einfall.runtime;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.cascade.Cascade;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Consumer;

/// The cascade of a program for some sizes, and its weights.
interface ProgramReading {

  record Read(Cascade cascade, Weights weights) {}

  /// @throws dev.einfall.ir.CompileException when the program is wrong at these sizes
  Read at(SortedMap<String, Long> sizes);

  /// That of a program which is one cascade for all sizes.
  static ProgramReading same(Cascade cascade, Weights weights) {
    Read read = new Read(cascade, weights);
    return _ -> read;
  }

  /// That of a program which is read anew for each set of sizes.
  ///
  /// @param check refuses what is wrong
  static ProgramReading forEach(EinProgram program, Optional<WeightsFile> file, Consumer<Cascade> check) {
    return sizes -> {
      Cascade cascade = program.cascade(sizes);
      check.accept(cascade);
      return new Read(cascade, Weights.find(cascade, file, new SizeBinding()));
    };
  }
}
