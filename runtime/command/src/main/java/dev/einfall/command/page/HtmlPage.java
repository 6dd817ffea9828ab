package dev.einfall.command.page;

import dev.einfall.command.page.CascadeView.Entry;
import dev.einfall.command.page.CascadeView.Port;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.cascade.Work;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Collectors;

/// One page about a program, complete in itself, for someone who explains it to a colleague: what it takes and gives, the
/// cascade as a graph before and after the passes, each Einsum with its iteration space and work, and the source.
public final class HtmlPage {
  private static final String BEFORE = "before";
  private static final String AFTER = "after";

  private final Source source;
  private final SortedMap<String, Long> sizes;
  private final CascadeView before;
  private final Optional<CascadeView> after;
  private final Optional<PassReport> report;
  private final Optional<String> measured;
  private final SourceListing sources;

  private HtmlPage(Source source, SortedMap<String, Long> sizes, Cascade cascade, Optional<PassReport> report, Optional<String> measured) {
    this.source = source;
    this.sizes = sizes;
    this.before = CascadeView.of(cascade);
    this.report = report;
    this.measured = measured;
    this.after = report.map(passes -> CascadeView.of(passes.result()));
    this.sources = new SourceListing(source);
    note(BEFORE, before);
    after.ifPresent(view -> note(AFTER, view));
  }

  private void note(String stage, CascadeView view) {
    view.entries().forEach(entry -> sources.add(entry.definition().span(), stage + "-" + entry.index()));
  }

  /// The page.
  ///
  /// @param source the file that the program is in
  /// @param sizes the numbers given to sizes
  /// @param cascade the program with these sizes
  /// @param report what the passes make of it, if all sizes are numbers
  /// @param measured a section about what was measured, if anything was
  public static String of(Source source, SortedMap<String, Long> sizes, Cascade cascade, Optional<PassReport> report, Optional<String> measured) {
    return new HtmlPage(source, sizes, cascade, report, measured).page();
  }

  private String page() {
    Map<String, String> parts = Map.of(
        "title", Html.escaped(title()),
        "style", resource("page.css"),
        "script", resource("page.js"),
        "header", header(),
        "totals", totals(),
        "ports", ports(),
        "stages", stages(),
        "passes", passes(),
        "measured", measured.orElse(""),
        "source", sources.listing());
    return filled(resource("page.html"), parts);
  }

  /// `template` with each `${name}` replaced by the part of that name.
  private static String filled(String template, Map<String, String> parts) {
    StringBuilder page = new StringBuilder();
    int end = 0;
    for (int start = template.indexOf("${"); start >= 0; start = template.indexOf("${", end)) {
      page.append(template, end, start);
      end = template.indexOf('}', start) + 1;
      page.append(parts.get(template.substring(start + 2, end - 1)));
    }
    return page.append(template.substring(end)).toString();
  }

  private static String resource(String name) {
    try (InputStream stream = HtmlPage.class.getResourceAsStream(name)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new InternalException("no resource " + name + ": " + e.getMessage());
    }
  }

  private String header() {
    Html html = new Html().element("h1", "", title()).raw("<p class=\"place\">").element("code", "", source.name());
    if (!sizes.isEmpty()) {
      html.text(" with ").element("code", "", sizes.entrySet().stream()
          .map(size -> size.getKey() + " = " + size.getValue()).collect(Collectors.joining(", ")));
    }
    html.raw("</p>\n");
    comment().ifPresent(text -> html.element("p", "class=\"about\"", text));
    return html.toString();
  }

  /// The function's name, or the file's if that says nothing.
  private String title() {
    String file = source.name().substring(source.name().lastIndexOf('/') + 1);
    return before.cascade().name().equals("main") ? file.replaceFirst("\\.ein$", "") : before.cascade().name();
  }

  /// The comment at the start of the file.
  private Optional<String> comment() {
    String text = source.text().lines().takeWhile(line -> line.startsWith("#"))
        .map(line -> line.replaceFirst("^#+ ?", "")).collect(Collectors.joining(" ")).strip();
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }

  private String totals() {
    Html html = new Html();
    CascadeView last = after.orElse(before);
    Work first = before.work();
    Optional<Work> then = after.map(CascadeView::work);
    total("Einsums", String.valueOf(before.entries().size()),
        after.map(HtmlPage::kernels),
        "As written, and after the passes without what is computed once", html);
    total("operations", Quantities.count(first.operations()),
        then.map(work -> "→ " + Quantities.count(work.operations())), Quantities.exact(last.work().operations()), html);
    total("bytes moved between kernels", Quantities.bytes(before.bytesMoved()),
        after.map(view -> "→ " + Quantities.bytes(view.bytesMoved())),
        "If each Einsum, and after the passes each kernel, reads its operands from memory and writes its results there", html);
    Size least = sum(before.inputs().stream().map(Port::tensor).toList())
        .plus(sum(before.weights().stream().map(Port::tensor).toList()))
        .plus(sum(before.cascade().outputs().stream().map(Cascade.Output::tensor).toList()));
    total("inputs, weights and outputs", Quantities.bytes(least), Optional.empty(), "No program that reads all of them moves less",
        html);
    intensity(last.work(), least).ifPresent(value -> total("operations for each of these bytes", value, Optional.empty(),
        "The arithmetic intensity, if nothing between is moved", html));
    if (!before.weights().isEmpty()) {
      Size count = before.weights().stream().map(weight -> elements(weight.tensor())).reduce(Size.of(0), Size::plus);
      total("parameters in " + before.weights().size() + " weights", Quantities.count(count), Optional.empty(),
          Quantities.exact(count), html);
    }
    return html.toString();
  }

  private static String kernels(CascadeView view) {
    long einsums = view.entries().stream().filter(entry -> !entry.isOnce()).count();
    int kernels = view.repeated().size();
    return "→ " + einsums + " in " + kernels + (kernels == 1 ? " kernel" : " kernels");
  }

  private static Optional<String> intensity(Work work, Size bytes) {
    return Quantities.known(work.operations(), bytes)
        ? Optional.of(Quantities.ratio((double) work.operations().constant().orElseThrow() / bytes.constant().orElseThrow()))
        : Optional.empty();
  }

  private static Size elements(Tensor tensor) {
    return tensor.shape().stream().reduce(Size.of(1), Size::times);
  }

  private static Size sum(List<Tensor> tensors) {
    return tensors.stream().map(Quantities::bytesOf).reduce(Size.of(0), Size::plus);
  }

  private static void total(String name, String value, Optional<String> then, String title, Html html) {
    html.raw("<div class=\"total\" title=\"").text(title).raw("\">").element("b", value.contains("·") ? "class=\"formula\"" : "", value);
    then.ifPresent(text -> html.element("em", "", text));
    html.element("span", "", name).raw("</div>\n");
  }

  private String ports() {
    Html html = new Html().raw("<table><thead><tr><th></th><th>name</th><th>type and shape</th><th class=\"number\">size</th></tr>"
        + "</thead><tbody>\n");
    before.inputs().forEach(input -> port("input", input.name(), input.tensor(), html));
    before.cascade().outputs().forEach(output -> port("output", output.name(), output.tensor(), html));
    return html.raw("</tbody></table>\n").toString();
  }

  private static void port(String role, String name, Tensor tensor, Html html) {
    html.raw("<tr><td>" + role + "</td><td>").element("code", "", name).raw("</td><td>")
        .element("code", "", Quantities.type(tensor)).raw("</td>")
        .element("td", "class=\"number\"", Quantities.bytes(Quantities.bytesOf(tensor))).raw("</tr>\n");
  }

  private String stages() {
    Html html = new Html();
    stage(BEFORE, "As written", before, html);
    after.ifPresent(view -> stage(AFTER, "After the passes", view, html));
    return html.toString();
  }

  private void stage(String stage, String title, CascadeView view, Html html) {
    EinsumDetails details = new EinsumDetails(stage, view, sources);
    html.raw("<section class=\"stage\" id=\"" + stage + "\">\n<h2>" + title + " <small>" + summary(view) + "</small></h2>\n")
        .raw("<div class=\"viewport\">\n" + GraphSvg.of(stage, view) + "</div>\n")
        .raw("<details class=\"all\" open><summary>Every Einsum</summary>\n" + details.table() + "</details>\n")
        .raw("<div class=\"articles\" hidden>\n" + details.articles() + "</div>\n</section>\n");
  }

  private static String summary(CascadeView view) {
    long once = view.entries().stream().filter(Entry::isOnce).count();
    return view.entries().size() - once + " Einsums" + (once == 0 ? "" : ", and " + once + " computed once of weights alone");
  }

  private String passes() {
    if (report.isEmpty()) {
      return "<p class=\"note\">The passes need a number for each size: give them with <code>--size NAME=N</code> to see what they "
          + "make of the program.</p>\n";
    }
    Html html = new Html().raw("<table class=\"passes\"><thead><tr><th>pass</th><th>what it did</th></tr></thead><tbody>\n");
    for (PassReport.Effect effect : report.get().effects()) {
      html.raw(effect.what().isEmpty() ? "<tr class=\"unchanged\">" : "<tr>").raw("<td>").element("code", "", effect.pass()).raw("</td>")
          .element("td", "", effect.what().isEmpty() ? "nothing" : effect.what()).raw("</tr>\n");
    }
    html.raw("</tbody></table>\n<h3>Remarks</h3>\n");
    remarks(report.get().remarks(), html);
    return html.toString();
  }

  private void remarks(List<Diagnostic> remarks, Html html) {
    List<String> lines = new ArrayList<>();
    for (Diagnostic remark : remarks) {
      String place = sources.anchor(remark.span())
          .map(anchor -> "<a href=\"#" + anchor + "\">" + Html.escaped(SourceListing.shortPlace(remark.span())) + "</a>: ").orElse("");
      lines.add("<li>" + place + Html.escaped(remark.message()) + "</li>\n");
    }
    html.raw(lines.isEmpty() ? "<p class=\"note\">None: no pass declined anything worth telling.</p>\n"
        : "<ul>\n" + lines.stream().distinct().collect(Collectors.joining()) + "</ul>\n");
  }
}
