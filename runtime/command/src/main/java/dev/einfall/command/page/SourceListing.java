package dev.einfall.command.page;

import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The source files of a program, line by line, and the Einsums that each line makes.
final class SourceListing {
  private static final int MOST_LINES = 12;

  private final List<Source> sources = new ArrayList<>();
  private final Map<Source, Map<Integer, List<String>>> entries = new LinkedHashMap<>();

  /// A listing that shows `source` first.
  SourceListing(Source source) {
    add(source);
  }

  private Map<Integer, List<String>> add(Source source) {
    return entries.computeIfAbsent(source, _ -> {
      sources.add(source);
      return new TreeMap<>();
    });
  }

  /// Notes that the Einsum with the attribute `data-entry="entry"` is written at `span`.
  void add(Span span, String entry) {
    if (!span.isNone()) {
      add(span.source()).computeIfAbsent(span.line(), _ -> new ArrayList<>()).add(entry);
    }
  }

  /// The anchor of the line where `span` starts.
  Optional<String> anchor(Span span) {
    return span.isNone() ? Optional.empty() : Optional.of("L" + sources.indexOf(span.source()) + "-" + span.line());
  }

  /// `5`, or `softmax.ein:5` in another file than the first.
  String place(Span span) {
    return span.source().equals(sources.getFirst()) ? String.valueOf(span.line()) : shortPlace(span);
  }

  /// `minilm.ein:5`.
  static String shortPlace(Span span) {
    String name = span.source().name();
    return name.substring(name.lastIndexOf('/') + 1) + ":" + span.line();
  }

  /// The lines of `span`, the first few.
  Optional<String> excerpt(Span span) {
    if (span.isNone()) {
      return Optional.empty();
    }
    List<String> lines = span.source().text().lines().toList();
    int from = span.line() - 1;
    int to = Math.min(span.source().line(span.end()), Math.min(lines.size(), from + MOST_LINES));
    return Optional.of(String.join("\n", lines.subList(from, Math.max(from + 1, to))).stripIndent());
  }

  /// The listing of all files.
  String listing() {
    Html html = new Html();
    for (Source source : sources) {
      html.element("h3", "", source.name()).raw("<div class=\"listing\">");
      List<String> lines = source.text().lines().toList();
      for (int i = 1; i <= lines.size(); i++) {
        line(source, i, lines.get(i - 1), html);
      }
      html.raw("</div>\n");
    }
    return html.toString();
  }

  private void line(Source source, int number, String text, Html html) {
    List<String> made = entries.get(source).getOrDefault(number, List.of());
    html.raw("<div class=\"line" + (made.isEmpty() ? "" : " made") + "\" id=\"L" + sources.indexOf(source) + "-" + number + "\""
        + (made.isEmpty() ? "" : " data-entries=\"" + String.join(" ", made) + "\" tabindex=\"0\"") + "><b>" + number + "</b>")
        .element("code", text.strip().startsWith("#") ? "class=\"comment\"" : "", text).raw("</div>\n");
  }
}
