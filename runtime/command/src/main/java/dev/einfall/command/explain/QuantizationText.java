package dev.einfall.command.explain;

import dev.einfall.runtime.quantize.QuantizationReport;
import java.util.Locale;

/// What quantizing a program came to, for people.
public final class QuantizationText {
  private QuantizationText() {}

  public static String of(QuantizationReport report) {
    TextTable table = new TextTable("lllrrr");
    table.row("weight", "format", "shape", "bytes before", "after", "error");
    report.weights().forEach(row -> table.row(row.key(), row.format(), row.shape().toString(), Long.toString(row.bytesBefore()),
        Long.toString(row.bytesAfter()), String.format(Locale.ROOT, "%.4f", row.error())));
    StringBuilder text = new StringBuilder(report.policy().toString()).append('\n');
    if (!report.weights().isEmpty()) {
      table.append(text);
      weights(report, text);
    }
    report.caches().forEach(cache -> text.append(String.format(Locale.ROOT, "cache %s%s: %s, %d bytes a row before, %d after (%.1f %%), as %s%n", cache.name(),
        cache.origin().map(origin -> " made anew of " + origin).orElse(""), cache.format(),
        cache.bytesBefore(), cache.bytesAfter(), 100.0 * cache.bytesAfter() / cache.bytesBefore(), String.join(", ", cache.names()))));
    report.similarity().ifPresent(similarity -> text.append(String.format(Locale.ROOT, "cosine similarity of '%s' on %d: mean %.5f, least %.5f%n",
        similarity.output(), similarity.count(), similarity.mean(), similarity.least())));
    return text.append("program: ").append(report.program()).append('\n').toString();
  }

  private static void weights(QuantizationReport report, StringBuilder text) {
    text.append(String.format(Locale.ROOT, "weights: %d bytes before, %d after (%.1f %%); of these quantized %d before, %d after (%.1f %%)%n",
        report.bytesBefore(), report.bytesAfter(), 100.0 * report.bytesAfter() / report.bytesBefore(), report.bytesBefore() - report.bytesKept(),
        report.bytesAfter() - report.bytesKept(), 100.0 * (report.bytesAfter() - report.bytesKept()) / (report.bytesBefore() - report.bytesKept())));
  }
}
