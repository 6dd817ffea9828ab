package dev.einfall.command.explain;

import dev.einfall.command.page.Quantities;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.analysis.Barrier;
import dev.einfall.passes.analysis.LiveFootprint;
import dev.einfall.passes.analysis.PassCount.Count;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// How many passes a cascade takes over each tensor, and why.
final class PassesText {
  private static final int TENSORS = 24;
  private static final int REASONS = 8;
  private static final int BARRIERS = 6;

  private final Stage stage;
  private final boolean all;

  /// @param all whether everything is shown, and not only what says most
  PassesText(Stage stage, boolean all) {
    this.stage = stage;
    this.all = all;
  }

  void append(StringBuilder text) {
    TextTable table = new TextTable("lllll");
    table.row("tensor", "type", "passes", "least live", "place");
    List<Tensor> several = stage.tensors().stream().filter(this::isShown).toList();
    List<Tensor> shown = several.stream().limit(all ? Long.MAX_VALUE : TENSORS).toList();
    shown.forEach(tensor -> table.row(stage.name(tensor), Quantities.type(tensor), passes(tensor), live(tensor), Stage.place(tensor.span())));
    table.append(text);
    rest(several.size() - shown.size(), "of several passes", text);
    rest(stage.tensors().size() - several.size(), "of one pass", text);
    Map<List<Barrier>, List<Count>> reasons = reasons(shown);
    reasons.entrySet().stream().limit(all ? Long.MAX_VALUE : REASONS).forEach(reason -> reason(reason.getKey(), reason.getValue(), text));
    if (!all && reasons.size() > REASONS) {
      text.append("\n  and ").append(reasons.size() - REASONS).append(" more such lists: --all shows them\n");
    }
  }

  private static void rest(int count, String what, StringBuilder text) {
    if (count > 0) {
      text.append("  and ").append(count).append(count == 1 ? " tensor " : " tensors ").append(what).append('\n');
    }
  }

  private boolean isShown(Tensor tensor) {
    return all || stage.isInput(tensor)
        || !stage.once().contains(tensor) && stage.passes().counts(tensor).stream().anyMatch(count -> count.passes() > 1);
  }

  private String passes(Tensor tensor) {
    List<Count> counts = stage.passes().counts(tensor);
    return counts.isEmpty() ? "-" : counts.stream().map(this::passes).collect(Collectors.joining("  "));
  }

  private String passes(Count count) {
    String steps = count.repeated().stream().map(Rank::name).map(name -> " x " + name).collect(Collectors.joining());
    return stage.rank(count) + " " + (count.passes() == 0 ? "-" : count.passes() + steps);
  }

  /// The dimensions of which everything is needed, and how much that is.
  private String live(Tensor tensor) {
    LiveFootprint live = LiveFootprint.of(tensor, stage.passes());
    if (!live.whole().contains(true)) {
      return "one element";
    }
    List<String> ranks = new ArrayList<>();
    for (Count count : stage.passes().counts(tensor)) {
      if (live.whole().get(count.dimension())) {
        ranks.add(stage.rank(count));
      }
    }
    return "all " + String.join(" ", ranks) + ": " + Quantities.bytes(live.bytes());
  }

  /// The fibers that take several passes, by the barriers that make them.
  private Map<List<Barrier>, List<Count>> reasons(List<Tensor> shown) {
    Map<List<Barrier>, List<Count>> reasons = new LinkedHashMap<>();
    shown.stream().flatMap(tensor -> stage.passes().counts(tensor).stream()).filter(count -> count.passes() > 1)
        .forEach(count -> reasons.computeIfAbsent(count.barriers(), _ -> new ArrayList<>()).add(count));
    return reasons;
  }

  private void reason(List<Barrier> barriers, List<Count> counts, StringBuilder text) {
    text.append("\n  ").append(counts.stream().map(count -> stage.name(count.tensor()) + " along " + stage.rank(count))
        .distinct().collect(Collectors.joining(", "))).append(": ").append(counts.getFirst().passes()).append(" passes\n");
    TextTable table = new TextTable("lllll");
    barriers.stream().limit(all ? Long.MAX_VALUE : BARRIERS).forEach(barrier -> table.row(barrier(barrier)));
    table.append(text);
    if (!all && barriers.size() > BARRIERS) {
      text.append("    and ").append(barriers.size() - BARRIERS).append(" more\n");
    }
  }

  private List<String> barrier(Barrier barrier) {
    String over = barrier.over().map(rank -> " " + rank.name()).orElse("");
    String along = barrier.along().map(rank -> " along " + rank.name()).orElse("");
    return List.of("  " + barrier.pass() + ".", stage.name(barrier.whole()) + " needs all" + over,
        Stage.place(barrier.wholeSpan()), "before " + stage.name(barrier.reader()) + " reads" + along,
        Stage.place(barrier.readerSpan()));
  }
}
