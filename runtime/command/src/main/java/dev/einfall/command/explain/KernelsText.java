package dev.einfall.command.explain;

import dev.einfall.command.page.CascadeView;
import dev.einfall.command.page.CascadeView.Entry;
import dev.einfall.command.page.CascadeView.Kernel;
import dev.einfall.command.page.Quantities;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// The kernels of a cascade: what shares one, and its loops.
final class KernelsText {
  private static final int SHOWN = 8;

  private final CascadeView view;
  private final int most;

  /// @param most how many kernels are shown
  KernelsText(CascadeView view, int most) {
    this.view = view;
    this.most = most;
  }

  void append(StringBuilder text) {
    int number = 1;
    for (Kernel kernel : view.repeated().subList(0, Math.min(most, view.repeated().size()))) {
      text.append("  ").append(number++).append(". ").append(WorkText.name(kernel)).append(shared(kernel)).append('\n');
      inside(kernel, text);
      kernel.members().forEach(member -> member(kernel, member, text));
    }
    if (view.repeated().size() > most) {
      text.append("  and ").append(view.repeated().size() - most).append(" more: --all shows them\n");
    }
    long once = view.kernels().size() - view.repeated().size();
    if (once > 0) {
      text.append("  and ").append(once).append(once == 1 ? " kernel that runs" : " kernels that run").append(" once, when the weights are known\n");
    }
  }

  private String shared(Kernel kernel) {
    return view.cascade().mapping().group(kernel.members().getFirst().tensors().getFirst()).map(group ->
        ": one kernel over " + String.join(" ", group.shared()) + (group.tile() == 1 ? "" : " in tiles of " + group.tile())).orElse("");
  }

  /// What lives in the kernel alone, for one point or tile of its shared ranks.
  private void inside(Kernel kernel, StringBuilder text) {
    Optional<Mapping.Group> group = view.cascade().mapping().group(kernel.members().getFirst().tensors().getFirst());
    List<Tensor> inside = kernel.members().stream().flatMap(member -> member.tensors().stream())
        .filter(tensor -> !view.isReadOutside(tensor, kernel)).toList();
    if (group.isEmpty() || inside.isEmpty()) {
      return;
    }
    SharedRanks shared = new SharedRanks(kernel.members().stream().map(Entry::definition).toList(), group.get().shared());
    Size all = Size.of(0);
    List<String> parts = new ArrayList<>();
    for (Tensor tensor : inside) {
      Size bytes = bytes(tensor, shared.dimensions(tensor)).times(Size.of(group.get().tile()));
      all = all.plus(bytes);
      parts.add(view.name(tensor) + " " + Quantities.bytes(bytes));
    }
    String rest = parts.size() > SHOWN ? ", and " + (parts.size() - SHOWN) + " more" : "";
    text.append("       keeps ").append(Quantities.bytes(all)).append(" at a time: ")
        .append(String.join(", ", parts.subList(0, Math.min(SHOWN, parts.size())))).append(rest).append('\n');
  }

  private static Size bytes(Tensor tensor, List<Integer> shared) {
    Size bytes = Size.of(tensor.type().bytes());
    for (int i = 0; i < tensor.shape().size(); i++) {
      bytes = shared.contains(i) ? bytes : bytes.times(tensor.shape().get(i));
    }
    return bytes;
  }

  private void member(Kernel kernel, Entry member, StringBuilder text) {
    member.tensors().stream().flatMap(tensor -> view.cascade().mapping().nest(tensor).stream()).forEach(nest -> {
      String name = kernel.members().size() > 1 || member.tensors().size() > 1 ? view.name(nest.tensor()) + ": " : "";
      text.append("       ").append(name).append(loops(nest)).append('\n');
    });
  }

  private static String loops(Mapping.Nest nest) {
    List<String> parts = new ArrayList<>();
    nest.flattened().forEach(flatten -> parts.add(String.join(" ", flatten.ranks()) + " as one " + flatten.name()));
    nest.splits().forEach(split -> parts.add(split.rank() + " in tiles of "
        + split.factors().stream().map(Object::toString).collect(Collectors.joining(" of "))));
    if (!nest.order().isEmpty()) {
      parts.add("order " + String.join(" ", nest.order()));
    }
    for (Mapping.Binding binding : Mapping.Binding.values()) {
      String bound = nest.bindings().stream().filter(candidate -> candidate.binding() == binding)
          .map(Mapping.Bound::loop).collect(Collectors.joining(" "));
      if (!bound.isEmpty()) {
        parts.add(binding.name().toLowerCase(Locale.ROOT) + " " + bound);
      }
    }
    return parts.isEmpty() ? "loops as written" : String.join("; ", parts);
  }
}
