package dev.einfall.tests.random;

import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Makes a sample that fails smaller while it still fails: fewer outputs, definitions turned into inputs, recurrences with
/// fewer updates and steps, expressions replaced by their parts or by literals, smaller sizes.
public final class Shrinking {
  private static final int MOST_TRIES = 3_000;
  private static final long MOST_NANOS = 60_000_000_000L;

  private final Predicate<Sample> fails;
  private final long end = System.nanoTime() + MOST_NANOS;
  private int tries;

  private Shrinking(Predicate<Sample> fails) {
    this.fails = fails;
  }

  /// The smallest sample found for which `fails` holds, as it does for `sample`.
  public static Sample shrink(Sample sample, Predicate<Sample> fails) {
    return new Shrinking(fails).run(sample);
  }

  private Sample run(Sample sample) {
    Sample smallest = sample;
    for (Optional<Sample> next = Optional.of(sample); next.isPresent(); next = smaller(smallest)) {
      smallest = next.get();
    }
    return smallest;
  }

  private Optional<Sample> smaller(Sample sample) {
    return Stream.<java.util.function.Function<Sample, Stream<Sample>>>of(Shrinking::fewerOutputs, Shrinking::earlierInputs,
            Shrinking::withoutRecurrences, Shrinking::simplerDefinitions, Shrinking::smallerSizes)
        .flatMap(candidates -> candidates.apply(sample))
        .filter(candidate -> isValid(candidate) && tries++ < MOST_TRIES && System.nanoTime() < end && fails.test(candidate))
        .findFirst();
  }

  private static boolean isValid(Sample sample) {
    try {
      CascadeVerifier.verify(sample.cascade());
      return sample.cascade().definitions().stream().allMatch(definition ->
          !(definition instanceof Recurrence recurrence) || SimplerRecurrences.isText(recurrence));
    } catch (dev.einfall.ir.InternalException _) {
      return false;
    }
  }

  private static Stream<Sample> fewerOutputs(Sample sample) {
    List<Cascade.Output> outputs = sample.cascade().outputs();
    return outputs.size() == 1 ? Stream.empty() : outputs.stream().flatMap(output -> {
      List<Cascade.Output> rest = outputs.stream().filter(other -> other != output).toList();
      return Stream.of(List.of(output), rest).map(kept -> changed(sample, sample.cascade().inputs(), sample.cascade().definitions(), kept));
    });
  }

  private static Sample changed(Sample sample, List<Tensor> inputs, List<Definition> definitions, List<Cascade.Output> outputs) {
    Cascade old = sample.cascade();
    return sample.with(Pruning.prune(
        new Cascade(old.name(), inputs, old.weights(), definitions, outputs, old.mapping()), false));
  }

  private static Sample changed(Sample sample, List<Definition> definitions) {
    return changed(sample, sample.cascade().inputs(), definitions, sample.cascade().outputs());
  }

  /// Each definition that has no output, given as inputs instead.
  private static Stream<Sample> earlierInputs(Sample sample) {
    Cascade old = sample.cascade();
    return old.definitions().stream()
        .filter(definition -> old.outputs().stream().noneMatch(output -> definition.tensors().contains(output.tensor())))
        .map(definition -> {
          List<Tensor> inputs = new ArrayList<>(old.inputs());
          inputs.addAll(definition.tensors());
          List<Definition> rest = old.definitions().stream().filter(other -> other != definition).toList();
          return changed(sample, inputs, rest, old.outputs());
        });
  }

  /// Each recurrence left out, with its bases in place of its states.
  private static Stream<Sample> withoutRecurrences(Sample sample) {
    Cascade old = sample.cascade();
    return old.definitions().stream()
        .flatMap(definition -> definition instanceof Recurrence recurrence ? Stream.of(recurrence) : Stream.empty())
        .map(recurrence -> {
          Substitution bases = Substitution.ofStates(recurrence);
          List<Definition> rest = old.definitions().stream().filter(other -> other != recurrence).map(bases::definition).toList();
          List<Tensor> defined = rest.stream().flatMap(definition -> definition.tensors().stream()).toList();
          List<Cascade.Output> outputs = old.outputs().stream()
              .map(output -> new Cascade.Output(output.name(), bases.tensor(output.tensor())))
              .filter(output -> defined.contains(output.tensor())).toList();
          boolean once = outputs.stream().map(Cascade.Output::tensor).distinct().count() == outputs.size();
          return outputs.isEmpty() || !once ? null : changed(sample, old.inputs(), rest, outputs);
        }).filter(Objects::nonNull);
  }

  private static Stream<Sample> simplerDefinitions(Sample sample) {
    List<Definition> definitions = sample.cascade().definitions();
    return definitions.stream().flatMap(definition -> simpler(definition).map(simpler -> {
      List<Definition> changed = new ArrayList<>(definitions);
      changed.set(definitions.indexOf(definition), simpler);
      return changed(sample, changed);
    }));
  }

  private static Stream<? extends Definition> simpler(Definition definition) {
    return switch (definition) {
      case Einsum einsum ->
          SimplerExprs.of(einsum.value(), new LinkedHashSet<>(einsum.ranks())).map(einsum::withValue);
      case Recurrence recurrence -> SimplerRecurrences.of(recurrence);
    };
  }

  private static Stream<Sample> smallerSizes(Sample sample) {
    return sample.sizes().entrySet().stream().filter(entry -> entry.getValue() > 1).flatMap(entry ->
        Stream.of(1L, entry.getValue() / 2, entry.getValue() - 1).distinct().filter(value -> value < entry.getValue())
            .map(value -> {
              SortedMap<String, Long> sizes = new TreeMap<>(sample.sizes());
              sizes.put(entry.getKey(), value);
              return sample.with(sizes);
            }));
  }
}
