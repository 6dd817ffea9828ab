package dev.einfall.command.page;

import dev.einfall.command.page.CascadeView.Entry;
import dev.einfall.command.page.CascadeView.Kernel;
import dev.einfall.command.page.CascadeView.Read;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// Draws a cascade: inputs on top, a box for each kernel with a row for each of its Einsums, outputs at the bottom. Weights,
/// and what is computed of them once, are named in the rows that read them.
final class GraphSvg {
  private static final int MOST_CHARACTERS = 50;
  private static final double CHARACTER = 7.25;
  private static final double MARGIN = 16;
  private static final double ROW = 44;
  private static final double LINE = 15;
  private static final double HEAD = 22;
  private static final double PORT_HEIGHT = 42;

  private final String stage;
  private final CascadeView view;
  private final double operations;
  private final List<Kernel> kernels;
  private final List<LayeredLayout.Box> boxes = new ArrayList<>();
  private final List<LayeredLayout.Arrow> arrows = new ArrayList<>();
  private final Map<Tensor, int[]> ports = new IdentityHashMap<>();
  private final List<String> tensors = new ArrayList<>();
  private final Html svg = new Html();

  private GraphSvg(String stage, CascadeView view) {
    this.stage = stage;
    this.view = view;
    this.kernels = view.repeated();
    this.operations = view.work().operations().constant().map(Long::doubleValue).orElse(0.0);
  }

  /// The drawing of `view`; rows have the attribute `data-entry="STAGE-INDEX"`.
  static String of(String stage, CascadeView view) {
    GraphSvg graph = new GraphSvg(stage, view);
    graph.collect();
    graph.draw(LayeredLayout.of(graph.boxes, graph.arrows));
    return graph.svg.toString();
  }

  private void collect() {
    for (CascadeView.Port input : view.inputs()) {
      port(input.tensor(), boxes.size(), 0, input.name());
      boxes.add(new LayeredLayout.Box(portWidth(input.name(), input.tensor()), PORT_HEIGHT));
    }
    for (Kernel kernel : kernels) {
      int box = boxes.size();
      boxes.add(new LayeredLayout.Box(width(kernel), height(kernel)));
      kernel.members().forEach(member -> arrows(member, box));
      kernel.members().forEach(member -> member.tensors().forEach(
          tensor -> port(tensor, box, kernel.members().indexOf(member), member.name())));
    }
    for (Cascade.Output output : view.cascade().outputs()) {
      arrow(output.tensor(), boxes.size());
      boxes.add(new LayeredLayout.Box(portWidth(output.name(), output.tensor()), PORT_HEIGHT));
    }
  }

  private void port(Tensor tensor, int box, int port, String name) {
    ports.put(tensor, new int[] {box, port, tensors.size()});
    tensors.add(name + ": " + Quantities.type(tensor));
  }

  private void arrows(Entry entry, int box) {
    entry.reads().forEach(read -> arrow(read.tensor(), box));
  }

  private void arrow(Tensor tensor, int box) {
    int[] port = ports.get(tensor);
    if (port != null && port[0] != box) {
      arrows.add(new LayeredLayout.Arrow(port[0], port[1], box));
    }
  }

  private static double portWidth(String name, Tensor tensor) {
    return Math.max(name.length(), Quantities.type(tensor).length()) * CHARACTER + 36;
  }

  private double width(Kernel kernel) {
    int longest = kernel.members().stream().mapToInt(member -> Math.max(
        shortened(member.text()).length(), Math.max(summary(member).length(), constants(member).length()))).max().orElseThrow();
    return Math.max(150, longest * CHARACTER + 26) + (kernel.members().size() > 1 ? 12 : 0);
  }

  private double height(Kernel kernel) {
    double rows = kernel.members().stream().mapToDouble(this::height).sum();
    return kernel.members().size() > 1 ? HEAD + rows + 6 * kernel.members().size() : rows;
  }

  private double height(Entry entry) {
    return constants(entry).isEmpty() ? ROW : ROW + LINE;
  }

  /// What of a text fits a box: the start of its first line.
  private static String shortened(String whole) {
    String text = whole.lines().map(line -> line.endsWith("{") ? line + " …" : line).findFirst().orElse("");
    return text.length() <= MOST_CHARACTERS ? text : text.substring(0, MOST_CHARACTERS - 1) + "…";
  }

  private static String summary(Entry entry) {
    return shortened(Quantities.type(entry.tensors().getFirst()) + " · " + Quantities.count(entry.work().operations()) + " op");
  }

  /// The weights that an Einsum reads, what is computed of weights once, and where they are in the weights file.
  private String constants(Entry entry) {
    String names = entry.reads().stream().filter(Read::isConstant).map(Read::name).collect(Collectors.joining(", "));
    String place = commonStart(view.keys(entry));
    return names.isEmpty() ? "" : shortened((place.isEmpty() ? "with " : place + ": ") + names);
  }

  /// The names before dots that all keys start with.
  private static String commonStart(List<String> keys) {
    String start = keys.isEmpty() ? "" : keys.getFirst();
    do {
      start = start.substring(0, Math.max(0, start.lastIndexOf('.')));
    } while (!start.isEmpty() && !allStartWith(start + ".", keys));
    return start;
  }

  private static boolean allStartWith(String start, List<String> keys) {
    return keys.stream().allMatch(key -> key.startsWith(start));
  }

  private void draw(LayeredLayout.Picture picture) {
    double width = picture.width() + 2 * MARGIN;
    double height = picture.height() + 2 * MARGIN;
    svg.raw(format("<svg class=\"graph\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
        + "height=\"%.0f\" role=\"img\" aria-label=\"The graph of the cascade\">\n", width, height, width, height));
    svg.raw(format("<defs><marker id=\"head-%s\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" markerUnits=\"userSpaceOnUse\" "
        + "orient=\"auto\"><path d=\"M0,0.5 L8,4 L0,7.5 z\" class=\"head\"/></marker></defs>\n", stage));
    svg.raw(format("<g transform=\"translate(%.0f %.0f)\">\n", MARGIN, MARGIN));
    picture.pieces().forEach(this::piece);
    for (int i = 0; i < boxes.size(); i++) {
      box(i, picture.corners().get(i));
    }
    svg.raw("</g>\n</svg>\n");
  }

  private void piece(LayeredLayout.Piece piece) {
    String tensor = ports.values().stream().filter(port -> port[0] == piece.from() && port[1] == piece.port())
        .map(port -> tensors.get(port[2])).findFirst().orElseThrow();
    List<LayeredLayout.Point> points = piece.points();
    LayeredLayout.Point start = points.get(1);
    LayeredLayout.Point end = points.get(2);
    double middle = (start.y() + end.y()) / 2;
    StringBuilder path = new StringBuilder(format("M%.1f,%.1f V%.1f C%.1f,%.1f %.1f,%.1f %.1f,%.1f",
        points.getFirst().x(), points.getFirst().y(), start.y(), start.x(), middle, end.x(), middle, end.x(), end.y()));
    if (points.size() > 3 && points.getLast().y() > end.y() + 1) {
      path.append(format(" V%.1f", points.getLast().y()));
    }
    svg.raw("<path class=\"edge\" data-from=\"" + stage + "-" + piece.from() + "-" + piece.port() + "\" d=\"" + path + "\""
        + (piece.hasHead() ? " marker-end=\"url(#head-" + stage + ")\"" : "") + ">").element("title", "", tensor).raw("</path>\n");
  }

  private void box(int index, LayeredLayout.Point corner) {
    LayeredLayout.Box box = boxes.get(index);
    int inputs = view.inputs().size();
    if (index < inputs) {
      CascadeView.Port input = view.inputs().get(index);
      port("input", input.name(), input.tensor(), corner, box);
    } else if (index < inputs + kernels.size()) {
      kernel(kernels.get(index - inputs), corner, box, index);
    } else {
      Cascade.Output output = view.cascade().outputs().get(index - inputs - kernels.size());
      port("output", output.name(), output.tensor(), corner, box);
    }
  }

  private void port(String role, String name, Tensor tensor, LayeredLayout.Point corner, LayeredLayout.Box box) {
    svg.raw(format("<g class=\"port %s\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"20\"/>", role,
        corner.x(), corner.y(), box.width(), box.height()));
    double middle = corner.x() + box.width() / 2;
    label("name middle", middle, corner.y() + 18, name);
    label("type middle", middle, corner.y() + 33, Quantities.type(tensor));
    svg.raw("</g>\n");
  }

  private void kernel(Kernel kernel, LayeredLayout.Point corner, LayeredLayout.Box box, int index) {
    boolean isShared = kernel.members().size() > 1;
    double y = corner.y();
    if (isShared) {
      svg.raw(format("<rect class=\"kernel\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"8\"/>",
          corner.x(), corner.y(), box.width(), box.height()));
      label("kernel-name", corner.x() + 8, corner.y() + 15, shared(kernel));
      y += HEAD;
    }
    double inset = isShared ? 6 : 0;
    for (Entry member : kernel.members()) {
      row(member, corner.x() + inset, y, box.width() - 2 * inset, index + "-" + kernel.members().indexOf(member));
      y += height(member) + (isShared ? 6 : 0);
    }
  }

  static String shared(Kernel kernel) {
    String ranks = String.join(", ", kernel.shared());
    return "one kernel, " + kernel.members().size() + " Einsums" + (ranks.isEmpty() ? "" : " for each " + ranks);
  }

  private void row(Entry entry, double x, double y, double width, String port) {
    double height = height(entry);
    svg.raw(format("<g class=\"row kind-%s\" data-entry=\"%s-%d\" data-port=\"%s-%s\" tabindex=\"0\" role=\"button\">",
        entry.kind().text(), stage, entry.index(), stage, port)).element("title", "", entry.text());
    svg.raw(format("<rect class=\"card\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"5\"/>", x, y, width, height));
    svg.raw(format("<path class=\"mark\" d=\"M%.1f,%.1f h-3 a5,5 0 0 0 -5,5 v%.1f a5,5 0 0 0 5,5 h3 z\"/>", x + 8, y, height - 10));
    label("formula", x + 14, y + 18, shortened(entry.text()));
    label("type", x + 14, y + 34, summary(entry));
    if (!constants(entry).isEmpty()) {
      label("constants", x + 14, y + 34 + LINE, constants(entry));
    }
    double share = operations == 0 ? 0
        : entry.work().operations().constant().map(Long::doubleValue).orElse(0.0) / operations;
    svg.raw(format("<rect class=\"share\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"3\"/>",
        x + 8, y + height - 3, (width - 8) * share));
    svg.raw("</g>\n");
  }

  private void label(String style, double x, double y, String text) {
    svg.raw(format("<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", style, x, y)).text(text).raw("</text>");
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
