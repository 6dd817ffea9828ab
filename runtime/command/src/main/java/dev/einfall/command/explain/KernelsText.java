package dev.einfall.command.explain;

import dev.einfall.command.page.CascadeView;
import dev.einfall.command.page.CascadeView.Entry;
import dev.einfall.command.page.CascadeView.Kernel;
import dev.einfall.ir.cascade.Mapping;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// The kernels of a cascade: what shares one, and its loops.
final class KernelsText {
  private final CascadeView view;

  KernelsText(CascadeView view) {
    this.view = view;
  }

  void append(StringBuilder text) {
    int number = 1;
    for (Kernel kernel : view.repeated()) {
      text.append("  ").append(number++).append(". ").append(WorkText.name(kernel)).append(shared(kernel)).append('\n');
      kernel.members().forEach(member -> member(kernel, member, text));
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

  private void member(Kernel kernel, Entry member, StringBuilder text) {
    member.tensors().stream().flatMap(tensor -> view.cascade().mapping().nest(tensor).stream()).forEach(nest -> {
      String name = kernel.members().size() > 1 || member.tensors().size() > 1 ? view.name(nest.tensor()) + ": " : "";
      text.append("       ").append(name).append(loops(nest)).append('\n');
    });
  }

  private static String loops(Mapping.Nest nest) {
    List<String> parts = new ArrayList<>();
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
