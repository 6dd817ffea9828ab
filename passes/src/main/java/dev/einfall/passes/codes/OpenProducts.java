package dev.einfall.passes.codes;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.cascade.EliminateCommonEinsums;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/// The Einsums of a cascade whose loops the program has not mapped, each of which a pass may write as several definitions.
final class OpenProducts {
  private OpenProducts() {}

  /// `cascade` with what `definitions` gives in place of an Einsum, where it gives something; of equal definitions that several were given, one stays.
  static Cascade rewritten(Cascade cascade, Consumer<Diagnostic> remarks, Function<Einsum, Optional<List<Definition>>> definitions) {
    List<Definition> result = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      boolean isOpen = definition instanceof Einsum einsum && !cascade.mapping().speaksOf(einsum.tensor());
      Optional<List<Definition>> own = isOpen ? definitions.apply((Einsum) definition) : Optional.empty();
      result.addAll(own.orElse(List.of(definition)));
    }
    return result.equals(cascade.definitions()) ? cascade : new EliminateCommonEinsums(Numerics.STRICT).apply(cascade.withDefinitions(result), remarks);
  }
}
