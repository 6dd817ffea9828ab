package dev.einfall.command.explain;

import dev.einfall.command.page.CascadeView;
import dev.einfall.command.page.CascadeView.Entry;
import dev.einfall.command.page.CascadeView.Kernel;
import dev.einfall.command.page.Quantities;
import dev.einfall.ir.Size;
import dev.einfall.passes.Target;
import dev.einfall.passes.analysis.TrafficBound;
import dev.einfall.passes.analysis.TrafficBound.Product;
import dev.einfall.passes.cascade.Work;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// What the kernels of a cascade compute and move, what the machine takes for that at least, and what any mapping has to move.
final class WorkText {
  private static final int PRODUCTS = 3;

  private final Stage stage;
  private final CascadeView view;
  private final Target target;
  private final Limits limits;

  WorkText(Stage stage, Target target, Limits limits) {
    this.stage = stage;
    this.view = CascadeView.of(stage.cascade());
    this.target = target;
    this.limits = limits;
  }

  void append(StringBuilder text) {
    TextTable table = new TextTable("lrrrrl");
    table.row("kernel", "operations", "bytes", "op/B", "at least", "limited by");
    view.repeated().forEach(kernel -> table.row(row(name(kernel), work(kernel).operations(), view.bytesMoved(kernel))));
    if (view.repeated().size() > 1) {
      table.row(row("all", view.work().operations(), view.bytesMoved()));
    }
    table.append(text);
    bounds(text);
  }

  static String name(Kernel kernel) {
    return kernel.members().stream().map(WorkText::name).collect(Collectors.joining(" "));
  }

  /// A recurrence of many states is called by the first.
  private static String name(Entry member) {
    int others = member.tensors().size() - 1;
    return others < 3 ? member.name() : member.name().substring(0, member.name().indexOf(',')) + " (and " + others + " more)";
  }

  private static Work work(Kernel kernel) {
    return kernel.members().stream().map(Entry::work).reduce(Work.NONE, Work::plus);
  }

  private List<String> row(String name, Size operationCount, Size byteCount) {
    double operations = operationCount.constant().orElseThrow();
    double bytes = byteCount.constant().orElseThrow();
    double intensity = bytes == 0 ? Double.POSITIVE_INFINITY : operations / bytes;
    return List.of(name.length() > 60 ? name.substring(0, 57) + "..." : name, Quantities.count(operationCount), Quantities.bytes(byteCount),
        bytes == 0 ? "-" : Quantities.ratio(intensity), Limits.time(limits.seconds(operations, bytes)), limits.limiting(intensity));
  }

  private void bounds(StringBuilder text) {
    TrafficBound bound = TrafficBound.of(stage.cascade(), target.l2Bytes(), stage.once());
    text.append("\n  Any mapping moves at least ").append(Quantities.bytes(bound.bytes())).append(" through a cache of M = ")
        .append(Quantities.bytes(Size.of(target.l2Bytes()))).append(" (orders of magnitude, but for the first):\n");
    TextTable table = new TextTable("lrl");
    table.row("  inputs and outputs once", Quantities.bytes(Size.of(bound.compulsory())), "");
    List<Product> products = bound.products().stream().filter(product -> product.bytes() > 0).toList();
    products.stream().sorted(Comparator.comparingDouble(Product::bytes).reversed()).limit(PRODUCTS).forEach(product ->
        table.row("  " + stage.name(product.tensor()) + " at " + Stage.place(product.span()), Quantities.bytes(product.bytes()),
            product.formula() + " elements" + product.unstored().map(tensor -> ", " + stage.name(tensor) + " never stored").orElse("")));
    table.append(text);
    if (products.size() > PRODUCTS) {
      text.append("    and ").append(products.size() - PRODUCTS).append(" products that move less\n");
    }
  }
}
