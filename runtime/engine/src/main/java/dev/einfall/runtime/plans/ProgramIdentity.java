package dev.einfall.runtime.plans;

import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.runtime.tuning.TextDigest;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Stream;

/// What tells a program from others.
///
/// @param cascade a digest of what it computes
/// @param sources a digest of the texts that it comes from: code holds the places of what it computes, for the messages about wrong values
///     and for stack traces
public record ProgramIdentity(String name, String cascade, String sources) {

  public static ProgramIdentity of(Cascade cascade) {
    return new ProgramIdentity(cascade.name(), TextDigest.of(CascadePrinter.print(cascade)), sources(cascade));
  }

  private static String sources(Cascade cascade) {
    Set<Source> sources = new LinkedHashSet<>();
    Stream<Tensor> tensors = Stream.of(cascade.inputs().stream(), cascade.weights().stream().map(Cascade.Weight::tensor),
        cascade.definitions().stream().flatMap(definition -> definition.tensors().stream())).flatMap(all -> all);
    tensors.forEach(tensor -> sources.add(tensor.span().source()));
    StringBuilder text = new StringBuilder();
    sources.forEach(source -> text.append(source.name()).append('\n').append(source.text()).append('\n'));
    return TextDigest.of(text.toString());
  }
}
