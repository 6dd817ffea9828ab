package dev.einfall.command.explain;

import dev.einfall.command.page.Html;
import dev.einfall.command.page.Quantities;
import java.util.List;
import java.util.Locale;

/// A [Waterline] as a part of a page: a plot in which each kernel is a column, as wide as its part of the time and filled up to its
/// efficiency, so that what is above the water is the time lost; and a table.
public final class WaterlinePlot {
  private static final double LEFT = 44;
  private static final double WIDTH = 1100;
  private static final double TOP = 8;
  private static final double HEIGHT = 260;
  private static final double BOTTOM = 34;
  private static final double GAP = 1;
  /// What a letter of a label takes, about.
  private static final double LETTER = 7.4;

  private final Waterline waterline;
  private final double seconds;

  private WaterlinePlot(Waterline waterline) {
    this.waterline = waterline;
    this.seconds = waterline.lines().stream().mapToDouble(line -> line.launches() * line.seconds()).sum();
  }

  /// The section of a page.
  public static String of(Waterline waterline) {
    return new WaterlinePlot(waterline).section();
  }

  private String section() {
    double bound = waterline.lines().stream().mapToDouble(line -> line.launches() * line.bound()).sum();
    Html html = new Html().raw("<section class=\"card waterline\"><h2>Where time is lost <small>")
        .text(Limits.time(seconds) + " a run, " + Waterline.percent(bound / seconds) + " of what the machine can do").raw("</small></h2>\n<p class=\"note\">")
        .text("A column for each kernel, as wide as its part of the time, the one that loses most first. It is filled up to its efficiency: what the"
            + " machine takes for its operations and bytes at least, over what it takes. What is above the water is lost. ")
        .text(waterline.limits().text()).raw("</p>\n<p class=\"legend\"><i class=\"arithmetic\"></i>limited by arithmetic <i class=\"memory\"></i>limited by memory"
            + " <i class=\"lost\"></i>lost</p>\n");
    plot(bound / seconds, html);
    table(html);
    return html.element("p", "class=\"note\"", "Medians of " + waterline.runs()
        + " runs of the whole program: a kernel finds in the caches what the one before left there.").raw("</section>\n").toString();
  }

  private void plot(double all, Html html) {
    html.raw(format("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"efficiency of each kernel over time\">\n",
        LEFT + WIDTH + 4, TOP + HEIGHT + BOTTOM));
    for (int percent = 0; percent <= 100; percent += 25) {
      double y = height(percent / 100.0);
      html.raw(format("<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/><text class=\"type\" text-anchor=\"end\" x=\"%.1f\" y=\"%.1f\">%d %%</text>\n",
          LEFT, y, LEFT + WIDTH, LEFT - 6, y + 4, percent));
    }
    double x = LEFT;
    for (Waterline.Line line : waterline.lines()) {
      double width = WIDTH * line.launches() * line.seconds() / seconds;
      column(line, x, width, html);
      x += width;
    }
    html.raw(format("<path class=\"all\" d=\"M%.1f %.1fH%.1f\"/>\n", LEFT, height(Math.min(1, all)), LEFT + WIDTH))
        .raw(format("<text class=\"type\" x=\"%.1f\" y=\"%.1f\">0</text><text class=\"type\" text-anchor=\"end\" x=\"%.1f\" y=\"%.1f\">",
            LEFT, TOP + HEIGHT + 28, LEFT + WIDTH, TOP + HEIGHT + 28)).text(Limits.time(seconds)).raw("</text>\n</svg>\n");
  }

  private void column(Waterline.Line line, double x, double width, Html html) {
    double inner = Math.max(0.2, width - GAP);
    double water = height(Math.min(1, line.efficiency()));
    html.raw("<g><title>").text(name(line) + ": " + Limits.time(line.launches() * line.seconds()) + " a run in " + line.launches()
            + (line.launches() == 1 ? " launch, " : " launches, ") + Waterline.percent(line.efficiency()) + ", " + Limits.time(Math.max(0, line.lost())) + " lost")
        .raw("</title>")
        .raw(format("<rect class=\"lost\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"/>", x, TOP, inner, water - TOP))
        .raw(format("<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\"/>", limit(line), x, water, inner, TOP + HEIGHT - water));
    List<String> labels = List.of(line.kernel().name(), Waterline.percent(line.efficiency()));
    if (labels.getFirst().length() * LETTER < inner) {
      label(labels.getFirst(), "name", x + width / 2, TOP + HEIGHT + 14, html);
    }
    if (labels.getLast().length() * LETTER < inner) {
      boolean isAbove = water - TOP > 18;
      label(labels.getLast(), isAbove ? "" : "sunk", x + width / 2, isAbove ? water - 5 : water + 15, html);
    }
    html.raw("</g>\n");
  }

  private static void label(String text, String kind, double x, double y, Html html) {
    html.raw(format("<text class=\"middle %s\" x=\"%.1f\" y=\"%.1f\">", kind, x, y)).text(text).raw("</text>");
  }

  private static double height(double efficiency) {
    return TOP + HEIGHT * (1 - efficiency);
  }

  private String limit(Waterline.Line line) {
    return waterline.limits().limiting(line.work().operations() / Math.max(1, line.work().bytes()));
  }

  private static String name(Waterline.Line line) {
    return line.kernel().name() + " " + Stage.place(line.kernel().span());
  }

  private void table(Html html) {
    html.raw("<table class=\"einsums\"><thead><tr><th>kernel</th>");
    for (String title : List.of("launches", "operations", "bytes", "at least", "takes", "efficiency", "lost in a run", "of all")) {
      html.element("th", "class=\"number\"", title);
    }
    html.raw("<th></th></tr></thead><tbody>\n");
    double most = waterline.lines().stream().mapToDouble(Waterline.Line::lost).max().orElse(1);
    for (Waterline.Line line : waterline.lines()) {
      double lost = Math.max(0, line.lost());
      html.raw("<tr><td>").element("code", "", line.kernel().name()).text(" " + Stage.place(line.kernel().span())).raw("</td>");
      for (String cell : List.of(String.valueOf(line.launches()), Quantities.count(Math.rint(line.work().operations())), Quantities.bytes(line.work().bytes()),
          Limits.time(line.bound()), Limits.time(line.seconds()), Waterline.percent(line.efficiency()), Limits.time(lost), Waterline.percent(lost / seconds))) {
        html.element("td", "class=\"number\"", cell);
      }
      html.raw(format("<td class=\"share\"><i style=\"width:%.0f%%\"></i></td></tr>\n", 100 * lost / Math.max(most, Double.MIN_NORMAL)));
    }
    html.raw("</tbody></table>\n");
  }

  private static String format(String text, Object... values) {
    return String.format(Locale.ROOT, text, values);
  }
}
