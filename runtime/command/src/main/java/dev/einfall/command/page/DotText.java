package dev.einfall.command.page;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/// Writes a cascade in the language of Graphviz: inputs, weights, Einsums and outputs as nodes, tensors as edges, and the
/// Einsums of one kernel in a cluster.
public final class DotText {
  private final CascadeView view;
  private final Map<Tensor, String> nodes = new IdentityHashMap<>();
  private final StringBuilder text = new StringBuilder();

  private DotText(CascadeView view) {
    this.view = view;
  }

  public static String of(Cascade cascade) {
    return new DotText(CascadeView.of(cascade)).text();
  }

  private String text() {
    line("digraph " + quoted(view.cascade().name()) + " {");
    line("  rankdir=TB");
    line("  node [shape=box, fontname=\"monospace\", fontsize=10]");
    line("  edge [fontname=\"monospace\", fontsize=9]");
    view.inputs().forEach(port -> node("input", port, "shape=oval, style=filled, fillcolor=\"#dbeafe\"", ""));
    view.weights().forEach(port -> node("weight", port, "style=\"filled,rounded\", fillcolor=\"#f3f4f6\"",
        "\n" + port.key().orElseThrow()));
    for (int i = 0; i < view.kernels().size(); i++) {
      kernel(i, view.kernels().get(i));
    }
    view.entries().forEach(entry -> entry.reads().forEach(read -> line(
        "  " + nodes.get(read.tensor()) + " -> " + nodes.get(entry.tensors().getFirst()) + " [label=" + quoted(type(read.tensor())) + "]")));
    outputs();
    line("}");
    return text.toString();
  }

  private void node(String kind, CascadeView.Port port, String style, String note) {
    String id = kind + "_" + port.name();
    nodes.put(port.tensor(), id);
    line("  " + id + " [label=" + quoted(port.name() + ": " + type(port.tensor()) + note) + ", " + style + "]");
  }

  private void kernel(int index, CascadeView.Kernel kernel) {
    boolean isShared = kernel.members().size() > 1;
    String indent = isShared ? "    " : "  ";
    if (isShared) {
      line("  subgraph cluster_" + index + " {");
      line("    label=\"one kernel\"; fontname=\"monospace\"; fontsize=9; style=rounded; color=\"#9ca3af\"");
    }
    for (CascadeView.Entry entry : kernel.members()) {
      String id = "einsum_" + entry.index();
      entry.tensors().forEach(tensor -> nodes.put(tensor, id));
      line(indent + id + " [label=" + quoted(entry.text().lines().map(DotText::wrapped).collect(Collectors.joining("\n"))) + ", style=filled, fillcolor=\"" + color(entry.kind()) + "\"]");
    }
    if (isShared) {
      line("  }");
    }
  }

  private void outputs() {
    for (Cascade.Output output : view.cascade().outputs()) {
      String id = "output_" + output.name();
      line("  " + quoted(id) + " [label=" + quoted(output.name() + ": " + type(output.tensor()))
          + ", shape=oval, style=filled, fillcolor=\"#dcfce7\"]");
      line("  " + nodes.get(output.tensor()) + " -> " + quoted(id));
    }
  }

  private static String color(Kind kind) {
    return switch (kind) {
      case PRODUCT -> "#fde68a";
      case REDUCTION -> "#fed7aa";
      case ELEMENTWISE -> "#ffffff";
      case GATHER -> "#e9d5ff";
      case MOVE -> "#e5e7eb";
      case ORDERED -> "#fbcfe8";
    };
  }

  private static String type(Tensor tensor) {
    return tensor.type() + tensor.shape().stream().map(Size::toString).collect(Collectors.joining(", ", "[", "]"));
  }

  /// A long text in lines of about 60 characters.
  private static String wrapped(String text) {
    StringBuilder lines = new StringBuilder(" ".repeat(text.length() - text.stripLeading().length()));
    int length = 0;
    for (String word : text.stripLeading().split(" ")) {
      boolean isFull = length > 0 && length + word.length() > 60;
      lines.append(length == 0 ? "" : isFull ? "\n  " : " ").append(word);
      length = isFull ? word.length() + 2 : length + word.length() + 1;
    }
    return lines.toString();
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
  }

  private void line(String line) {
    text.append(line).append('\n');
  }
}
