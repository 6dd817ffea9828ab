package dev.einfall.command.explain;

import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.analysis.AccumulatorWidth;
import java.util.List;
import java.util.stream.Collectors;

/// How wide the accumulators of sums of integers must be, and which may leave their types.
final class SumsText {
  private final Stage stage;
  private final List<AccumulatorWidth.Sum> sums;

  SumsText(Stage stage) {
    this.stage = stage;
    this.sums = AccumulatorWidth.of(stage.cascade());
  }

  boolean isEmpty() {
    return sums.isEmpty();
  }

  void append(StringBuilder text) {
    TextTable table = new TextTable("llrlrll");
    table.row("tensor", "over", "terms", "range", "bits", "type", "");
    for (AccumulatorWidth.Sum sum : sums) {
      table.row(stage.name(sum.tensor()), sum.reduce().ranks().stream().map(Rank::name).collect(Collectors.joining(" ")),
          Long.toString(sum.terms()), sum.range().toString(), sum.bits() > Long.SIZE ? "> 64" : Integer.toString(sum.bits()),
          sum.reduce().type().toString(), sum.mayOverflow() ? "may overflow" : "");
    }
    table.append(text);
  }
}
