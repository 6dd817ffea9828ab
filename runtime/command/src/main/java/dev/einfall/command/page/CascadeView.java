package dev.einfall.command.page;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Constants;
import dev.einfall.passes.cascade.Work;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A cascade as a graph: its tensors with their names, its definitions with what they read and what they take, and the kernels
/// that Einsums share.
public record CascadeView(Cascade cascade, CascadePrinter printer, List<Port> inputs, List<Port> weights, List<Entry> entries, List<Kernel> kernels) {

  /// A tensor that is given, and the name in the weights file of one that is read there.
  public record Port(String name, Tensor tensor, Optional<String> key) {}

  /// One Einsum or recurrence.
  ///
  /// @param index its place in the cascade
  /// @param name the names of its tensors
  /// @param reads the tensors that it reads, each once
  /// @param isOnce whether it depends on weights alone, so that it is computed once and not in every run
  public record Entry(int index, String name, String text, Kind kind, Definition definition, Work work, List<Read> reads, boolean isOnce) {
    public List<Tensor> tensors() {
      return definition.tensors();
    }
  }

  /// A tensor that is read, and the entry that defines it, if one does.
  ///
  /// @param isConstant whether it is a weight, or computed of weights alone
  public record Read(String name, Tensor tensor, Optional<Integer> definedBy, boolean isConstant) {}

  /// Entries that run together, in order, for each point of the ranks `shared`, named as in the first; an entry alone shares none.
  public record Kernel(List<Entry> members, List<String> shared) {}

  public static CascadeView of(Cascade cascade) {
    CascadePrinter printer = CascadePrinter.of(cascade);
    Set<Tensor> once = Constants.of(cascade);
    Map<Tensor, Integer> definedBy = new IdentityHashMap<>();
    List<Entry> entries = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      List<Read> reads = definition.reads().map(tensor -> new Read(
          printer.name(tensor), tensor, Optional.ofNullable(definedBy.get(tensor)), once.contains(tensor))).toList();
      String name = definition.tensors().stream().map(printer::name).collect(Collectors.joining(", "));
      entries.add(new Entry(entries.size(), name, printer.text(definition), Kind.of(definition), definition,
          Work.of(definition), reads, definition.tensors().stream().allMatch(once::contains)));
      definition.tensors().forEach(tensor -> definedBy.put(tensor, entries.size() - 1));
    }
    return new CascadeView(cascade, printer,
        cascade.inputs().stream().map(input -> new Port(printer.name(input), input, Optional.empty())).toList(),
        cascade.weights().stream()
            .map(weight -> new Port(printer.name(weight.tensor()), weight.tensor(), Optional.of(weight.key()))).toList(),
        entries, kernels(cascade, entries));
  }

  private static List<Kernel> kernels(Cascade cascade, List<Entry> entries) {
    List<Kernel> kernels = new ArrayList<>();
    for (Entry entry : entries) {
      Optional<Mapping.Group> group = cascade.mapping().group(entry.tensors().getFirst());
      if (group.isEmpty()) {
        kernels.add(new Kernel(List.of(entry), List.of()));
      } else if (group.get().members().getFirst() == entry.tensors().getFirst()) {
        List<Entry> members = entries.stream().filter(other -> group.get().members().contains(other.tensors().getFirst())).toList();
        kernels.add(new Kernel(members, group.get().shared()));
      }
    }
    return kernels;
  }

  /// The name of a tensor.
  public String name(Tensor tensor) {
    return printer.name(tensor);
  }

  /// The kernels of every run.
  public List<Kernel> repeated() {
    return kernels.stream().filter(kernel -> !kernel.members().getFirst().isOnce()).toList();
  }

  /// The work of one run.
  public Work work() {
    return entries.stream().filter(entry -> !entry.isOnce()).map(Entry::work).reduce(Work.NONE, Work::plus);
  }

  /// The bytes that one run moves if each kernel reads what it does not make itself, and writes what others read.
  public Size bytesMoved() {
    return repeated().stream().map(this::bytesMoved).reduce(Size.of(0), Size::plus);
  }

  /// The bytes that `kernel` moves in a run.
  public Size bytesMoved(Kernel kernel) {
    List<Tensor> own = kernel.members().stream().flatMap(member -> member.tensors().stream()).toList();
    SequencedMap<Tensor, Size> reads = new LinkedHashMap<>();
    kernel.members().forEach(member -> member.work().reads().forEach((tensor, bytes) -> reads.merge(tensor, bytes, CascadeView::larger)));
    Stream<Size> read = reads.entrySet().stream().filter(entry -> !own.contains(entry.getKey())).map(Map.Entry::getValue);
    Stream<Size> written = own.stream().filter(tensor -> isReadOutside(tensor, kernel)).map(Quantities::bytesOf);
    return Stream.concat(read, written).reduce(Size.of(0), Size::plus);
  }

  private static Size larger(Size a, Size b) {
    return Quantities.known(a, b) && b.constant().orElseThrow() > a.constant().orElseThrow() ? b : a;
  }

  /// Whether a tensor of `kernel` is a result or read by another kernel, so that it has to be in memory.
  public boolean isReadOutside(Tensor tensor, Kernel kernel) {
    return cascade.outputs().stream().anyMatch(output -> output.tensor() == tensor)
        || entries.stream().anyMatch(entry -> !kernel.members().contains(entry)
            && entry.reads().stream().anyMatch(read -> read.tensor() == tensor));
  }

  /// The names in the weights file of the weights that `entry` reads, or that what it reads is computed of, once.
  List<String> keys(Entry entry) {
    return entry.reads().stream().filter(Read::isConstant).flatMap(this::keys).distinct().toList();
  }

  private Stream<String> keys(Read read) {
    return read.definedBy().isPresent() ? keys(entries.get(read.definedBy().get())).stream()
        : weights.stream().filter(weight -> weight.tensor() == read.tensor()).flatMap(weight -> weight.key().stream());
  }
}
