package dev.einfall.runtime.quantize;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Formatter;
import dev.einfall.frontend.LibraryFormats;
import dev.einfall.ir.Lines;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.CascadePrinter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/// The text of a quantized program: what was done, and a cascade.
///
/// @param file the program as it was
/// @param orders the orders of channels that are in other weights
/// @param folds the scales that are in other weights
/// @param caches those that are in a format
/// @param notes what else callers have to know
record ProgramText(Path file, EinProgram program, Policy policy, Calibration calibration, List<QuantizationReport.Row> rows,
    List<OrderedChannels.Fold> orders, List<FoldedScales.Fold> folds, List<CacheInput> caches,
    List<String> notes) {

  /// @param weights the name of the weights' file, beside the program, if there is one
  void write(Rewriting.Result result, Optional<String> weights, Path output) throws IOException {
    StringBuilder text = new StringBuilder(comment());
    imports().forEach(name -> text.append("import ").append(name).append('\n'));
    weights.ifPresent(place -> text.append("weights ").append(quoted(place)).append('\n'));
    Optional<String> tokenizer = program.tokenizer().isPresent() ? Optional.of(tokenizer(program.tokenizer().get(), output)) : Optional.empty();
    tokenizer.ifPresent(place -> text.append("tokenizer ").append(quoted(place)).append('\n'));
    text.append('\n').append(CascadePrinter.print(result.cascade(), result.shorthand()));
    Source source = new Source(output.toString(), Formatter.format(new Source(output.toString(), text.toString())));
    EinReader.read(source, Optional.empty());
    Files.writeString(output, source.text());
  }

  private TreeSet<String> imports() {
    TreeSet<String> names = new TreeSet<>(policy.isInteger() ? List.of("std.integer") : List.of());
    Stream.of(policy.weights(), policy.activations(), policy.tables(), policy.caches()).flatMap(Optional::stream)
        .map(Encoding::format).map(LibraryFormats.Declared::file).forEach(names::add);
    return names;
  }

  private static String quoted(String text) {
    return Lines.quoted(text).replace("{", "\\{").replace("}", "\\}");
  }

  /// A path is one from the program's own place, so that its file comes along.
  private String tokenizer(String place, Path output) throws IOException {
    Path source = file.resolveSibling(place);
    if (!Files.isRegularFile(source)) {
      return place;
    }
    Path copy = output.resolveSibling(source.getFileName());
    if (!Files.exists(copy) || !Files.isSameFile(source, copy)) {
      Files.copy(source, copy, StandardCopyOption.REPLACE_EXISTING);
    }
    return copy.getFileName().toString();
  }

  private String comment() {
    StringBuilder text = new StringBuilder("# ").append(file.getFileName()).append(", quantized: ").append(policy).append(".\n");
    text.append("# Calibrated on ").append(calibration.name()).append(". By weight: format, bytes, and the norm of the error over that of the weight.\n");
    for (QuantizationReport.Row row : rows) {
      text.append(String.format(Locale.ROOT, "#   %s: %s, %d, %.4f\n", row.key().replaceAll("\\s", " "), row.format(), row.bytesAfter(), row.error()));
    }
    for (OrderedChannels.Fold order : orders) {
      text.append("# The channels of ").append(order.tensor()).append(" are in another order, as ").append(listed(order.keys())).append(" are.\n");
    }
    for (FoldedScales.Fold fold : folds) {
      text.append("# The scales of ").append(fold.tensor()).append(" for ").append(listed(fold.users())).append(" are in ").append(listed(fold.keys())).append(".\n");
    }
    for (CacheInput cache : caches) {
      QuantizationReport.Cache row = cache.row();
      String what = row.origin().map(origin -> row.name() + " is made anew of " + origin + ", which").orElse(row.name());
      text.append(String.format(Locale.ROOT, "# The cache %s is in %s: a row takes %d bytes, where it took %d.\n", what, row.format(), row.bytesAfter(), row.bytesBefore()));
    }
    notes.forEach(note -> text.append("# ").append(note).append(".\n"));
    return text.append('\n').toString();
  }

  private static String listed(List<String> keys) {
    return String.join(", ", keys).replaceAll("\\s", " ");
  }
}
