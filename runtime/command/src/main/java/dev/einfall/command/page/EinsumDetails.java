package dev.einfall.command.page;

import dev.einfall.command.page.CascadeView.Entry;
import dev.einfall.command.page.CascadeView.Kernel;
import dev.einfall.command.page.CascadeView.Port;
import dev.einfall.command.page.CascadeView.Read;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Everything about each Einsum of a cascade: a line of a table, and an article.
final class EinsumDetails {
  private final String stage;
  private final CascadeView view;
  private final SourceListing sources;

  EinsumDetails(String stage, CascadeView view, SourceListing sources) {
    this.stage = stage;
    this.view = view;
    this.sources = sources;
  }

  /// The table of all Einsums.
  String table() {
    Html html = new Html().raw("<table class=\"einsums\"><thead><tr><th>Einsum</th><th class=\"wide\">shape</th><th class=\"wide number\">points</th>"
        + "<th class=\"number\">operations</th><th class=\"share\"></th><th class=\"number\">bytes</th>"
        + "<th class=\"number\" title=\"operations for each byte\">op/B</th><th>line</th></tr></thead>\n<tbody>\n");
    double most = view.entries().stream().filter(entry -> !entry.isOnce())
        .mapToDouble(entry -> value(entry.work().operations())).max().orElse(0);
    view.entries().forEach(entry -> line(entry, most, html));
    return html.raw("</tbody></table>\n").toString();
  }

  private void line(Entry entry, double most, Html html) {
    Work work = entry.work();
    html.raw("<tr data-entry=\"" + stage + "-" + entry.index() + "\" class=\"kind-" + entry.kind().text()
        + (entry.isOnce() ? " once" : "") + "\" tabindex=\"0\"><td class=\"mark\">")
        .element("code", "", entry.text()).raw("</td><td class=\"wide\">")
        .element("code", "", entry.tensors().stream().map(Quantities::type).distinct().collect(Collectors.joining(", ")))
        .raw("</td>");
    number("wide number", work.points(), html);
    number("number", work.operations(), html);
    double share = most == 0 || entry.isOnce() ? 0 : 100 * value(work.operations()) / most;
    html.raw(String.format(Locale.ROOT, "<td class=\"share\"><i style=\"width:%.1f%%\"></i></td>", share));
    html.raw("<td class=\"number\" title=\"" + Quantities.exact(work.bytes()) + "\">").text(Quantities.bytes(work.bytes()))
        .raw("</td>").element("td", "class=\"number\"", Quantities.intensity(work)).raw("<td>");
    link(entry.definition().span(), sources.place(entry.definition().span()), html);
    html.raw(entry.isOnce() ? " <span class=\"note\">once</span>" : "").raw("</td></tr>\n");
  }

  private static double value(Size size) {
    return size.constant().map(Long::doubleValue).orElse(0.0);
  }

  private static void number(String style, Size size, Html html) {
    html.raw("<td class=\"" + style + "\" title=\"" + Quantities.exact(size) + "\">").text(Quantities.count(size)).raw("</td>");
  }

  private void link(Span span, String place, Html html) {
    sources.anchor(span).ifPresentOrElse(
        anchor -> html.raw("<a href=\"#" + anchor + "\">").text(place).raw("</a>"),
        () -> html.raw("<span class=\"note\">made by a pass</span>"));
  }

  /// The articles of all Einsums.
  String articles() {
    Html html = new Html();
    view.entries().forEach(entry -> article(entry, html));
    return html.toString();
  }

  private void article(Entry entry, Html html) {
    html.raw("<article class=\"detail kind-" + entry.kind().text() + "\" data-of=\"" + stage + "-" + entry.index() + "\">\n<h3>")
        .text(entry.name()).raw(" <span class=\"badge\" title=\"").text(entry.kind().meaning()).raw("\">").text(entry.kind().text())
        .raw("</span></h3>\n").element("pre", "class=\"formula\"", entry.text()).raw("\n");
    if (entry.isOnce()) {
      html.element("p", "class=\"note\"", "Depends on weights alone: computed once, and not in every run.");
    }
    ranks(entry, html);
    tensors(entry, html);
    work(entry.work(), html);
    how(entry, html);
    sources.excerpt(entry.definition().span()).ifPresent(excerpt -> {
      html.raw("<h4>Source ");
      link(entry.definition().span(), SourceListing.shortPlace(entry.definition().span()), html);
      html.raw("</h4>").element("pre", "class=\"source\"", excerpt);
    });
    html.raw("</article>\n");
  }

  private static void ranks(Entry entry, Html html) {
    html.raw("<h4>Iteration space</h4>\n<table><thead><tr><th>rank</th><th class=\"number\">size</th><th></th></tr></thead>"
        + "<tbody>\n");
    List<String> rows = switch (entry.definition()) {
      case Einsum einsum -> rows(einsum.ranks(), "of the result");
      case Recurrence recurrence -> {
        List<String> all = new ArrayList<>(rows(recurrence.steps(), "a step after the other"));
        recurrence.updates().forEach(update -> all.addAll(rows(update.ranks(), "of an update")));
        yield all;
      }
    };
    rows.forEach(html::raw);
    entry.definition().exprs().flatMap(Expr::nodes).distinct().forEach(node ->
        rows(node.bound(), "reduced by " + reduction(node)).forEach(html::raw));
    html.raw("</tbody></table>\n");
    if (rows.isEmpty()) {
      html.element("p", "class=\"note\"", "The result is one element.");
    }
  }

  private static String reduction(Expr node) {
    return switch (node) {
      case Expr.Reduce reduce -> reduce.reduction().text();
      case Expr.Fold fold -> fold.combiner().name();
      default -> "";
    };
  }

  private static List<String> rows(List<Rank> ranks, String role) {
    return ranks.stream().map(rank -> new Html().raw("<tr><td>").element("code", "", rank.name()).raw("</td>")
        .element("td", "class=\"number\"", Quantities.exact(rank.size())).element("td", "", role).raw("</tr>\n").toString()).toList();
  }

  private void tensors(Entry entry, Html html) {
    html.raw("<h4>Tensors</h4>\n<table><thead><tr><th></th><th>tensor</th><th>type and shape</th>"
        + "<th class=\"number\">size</th></tr></thead><tbody>\n");
    String[] names = entry.name().split(", ");
    for (int i = 0; i < names.length; i++) {
      tensor("writes", names[i], "", entry.tensors().get(i), html);
    }
    for (Read read : entry.reads()) {
      String target = read.definedBy().map(index -> "data-entry=\"" + stage + "-" + index + "\" tabindex=\"0\"").orElse("");
      tensor(role(read), read.name(), target, read.tensor(), html);
    }
    html.raw("</tbody></table>\n");
    List<Port> weights = view.weights().stream()
        .filter(weight -> entry.reads().stream().anyMatch(read -> read.tensor() == weight.tensor())).toList();
    weights.forEach(weight -> html.raw("<p class=\"key\">").element("code", "", weight.name()).text(" is ")
        .element("code", "", weight.key().orElseThrow()).raw("</p>\n"));
  }

  private String role(Read read) {
    boolean isInput = view.inputs().stream().anyMatch(input -> input.tensor() == read.tensor());
    return isInput ? "input" : read.definedBy().isPresent() ? "reads" : "weight";
  }

  private static void tensor(String role, String name, String attributes, Tensor tensor, Html html) {
    html.raw("<tr " + attributes + ">").element("td", "", role).raw("<td>").element("code", "", name).raw("</td><td>")
        .element("code", "", Quantities.type(tensor)).raw("</td>")
        .element("td", "class=\"number\"", Quantities.bytes(Quantities.bytesOf(tensor))).raw("</tr>\n");
  }

  private static void work(Work work, Html html) {
    html.raw("<h4>Work</h4>\n<table class=\"work\"><tbody>\n");
    quantity("points", Quantities.exact(work.points()), html);
    quantity("operations", Quantities.exact(work.operations()), html);
    quantity("bytes read", Quantities.exact(work.bytesRead()), html);
    quantity("bytes written", Quantities.exact(work.bytesWritten()), html);
    quantity("operations for each byte", Quantities.intensity(work), html);
    html.raw("</tbody></table>\n");
  }

  private static void quantity(String name, String value, Html html) {
    html.raw("<tr>").element("td", "", name).element("td", "class=\"number\"", value).raw("</tr>\n");
  }

  /// The kernel that the Einsum is part of, and its loops.
  private void how(Entry entry, Html html) {
    Kernel kernel = view.kernels().stream().filter(candidate -> candidate.members().contains(entry)).findFirst().orElseThrow();
    Mapping.Nest nest = view.cascade().mapping().nest(entry.tensors().getFirst()).orElse(null);
    if (kernel.members().size() < 2 && nest == null) {
      return;
    }
    html.raw("<h4>How</h4>\n");
    if (kernel.members().size() > 1) {
      html.element("p", "", "In " + GraphSvg.shared(kernel) + ": "
          + kernel.members().stream().map(Entry::name).collect(Collectors.joining(", ")) + ".");
    }
    if (nest != null) {
      html.element("pre", "class=\"source\"", loops(nest));
    }
  }

  private static String loops(Mapping.Nest nest) {
    StringBuilder text = new StringBuilder();
    nest.flattened().forEach(flatten -> text.append("flatten ").append(String.join(" ", flatten.ranks())).append('\n'));
    nest.splits().forEach(split -> text.append("split ").append(split.rank()).append(' ')
        .append(split.factors().stream().map(Object::toString).collect(Collectors.joining(" "))).append('\n'));
    text.append(nest.order().isEmpty() ? "" : "order " + String.join(" ", nest.order()) + "\n");
    for (Mapping.Binding binding : Mapping.Binding.values()) {
      String bound = nest.bindings().stream().filter(candidate -> candidate.binding() == binding)
          .map(Mapping.Bound::loop).collect(Collectors.joining(" "));
      text.append(bound.isEmpty() ? "" : binding.name().toLowerCase(Locale.ROOT) + " " + bound + "\n");
    }
    return text.toString();
  }
}
