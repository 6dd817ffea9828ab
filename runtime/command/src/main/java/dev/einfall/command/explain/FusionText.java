package dev.einfall.command.explain;

import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Recurrence;
import dev.einfall.ir.cascade.SharedRanks;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.analysis.Barrier;
import dev.einfall.passes.analysis.PassCount.Count;
import dev.einfall.passes.analysis.PassCount.Traversal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Whether two Einsums can share loops, over which ranks, and if not, why; and whether they do.
final class FusionText {
  private final Stage written;
  private final Optional<Stage> rewritten;

  /// A rank of each of the two.
  private record Pair(String first, String second) {}

  /// A fiber that both walk along, each in a pass.
  private record Meeting(Count count, Traversal first, Traversal second) {
    boolean isSamePass() {
      return first.pass() == second.pass();
    }

    Traversal later() {
      return second.pass() > first.pass() ? second : first;
    }

    /// The barriers between the two.
    List<Barrier> between() {
      int from = Math.min(first.pass(), second.pass());
      return later().barriers().stream().filter(barrier -> barrier.pass() > from).toList();
    }
  }

  FusionText(Stage written, Optional<Stage> rewritten) {
    this.written = written;
    this.rewritten = rewritten;
  }

  /// The answer for the definitions of `a` and `b`.
  void append(Tensor a, Tensor b, StringBuilder text) {
    text.append(title(a)).append(" and ").append(title(b)).append("\n");
    Map<Pair, List<Meeting>> meetings = meetings(a, b);
    if (meetings.isEmpty()) {
      text.append("  They walk along no fiber together: no loop of the one has anything to do with one of the other.\n");
    }
    meetings.forEach((pair, all) -> pair(a, b, pair, all, text));
    other(a, b, meetings, text);
    rewritten.ifPresent(stage -> outcome(a, b, stage, text));
  }

  private String title(Tensor tensor) {
    return written.name(tensor) + " (" + Stage.place(tensor.span()) + ")";
  }

  private Map<Pair, List<Meeting>> meetings(Tensor a, Tensor b) {
    Map<Pair, List<Meeting>> meetings = new LinkedHashMap<>();
    for (Count count : written.passes().all()) {
      for (Traversal first : by(a, count)) {
        for (Traversal second : by(b, count)) {
          meetings.computeIfAbsent(new Pair(first.rank().name(), second.rank().name()), _ -> new ArrayList<>())
              .add(new Meeting(count, first, second));
        }
      }
    }
    return meetings;
  }

  /// The walks of the definition of `tensor` along a fiber; of the tensor itself, the walk that makes it.
  private List<Traversal> by(Tensor tensor, Count count) {
    return count.walks().stream().filter(walk -> walk.by() == tensor).toList();
  }

  private void pair(Tensor a, Tensor b, Pair pair, List<Meeting> all, StringBuilder text) {
    String ranks = "  over " + pair.first + " of " + written.name(a) + " and " + pair.second + " of " + written.name(b) + ": ";
    Optional<Meeting> apart = all.stream().filter(meeting -> !meeting.isSamePass()).findFirst();
    if (apart.isEmpty()) {
      text.append(ranks).append("yes, in one pass over ").append(fibers(all)).append('\n');
      return;
    }
    Meeting meeting = apart.get();
    text.append(ranks).append("no, pass ").append(meeting.first.pass()).append(" and pass ").append(meeting.second.pass())
        .append(" over ").append(fibers(List.of(meeting))).append('\n');
    for (Barrier barrier : meeting.between()) {
      text.append("    ").append(written.name(barrier.whole())).append(" (").append(Stage.place(barrier.wholeSpan())).append(") needs all")
          .append(barrier.over().map(rank -> " " + rank.name()).orElse("")).append(" before ").append(written.name(barrier.reader()))
          .append(" (").append(Stage.place(barrier.readerSpan())).append(") reads")
          .append(barrier.along().map(rank -> " along " + rank.name()).orElse("")).append('\n');
    }
  }

  private String fibers(List<Meeting> all) {
    return all.stream().map(meeting -> written.name(meeting.count.tensor()) + " along " + written.rank(meeting.count)).distinct()
        .collect(Collectors.joining(", "));
  }

  /// What else stands between the two.
  private void other(Tensor a, Tensor b, Map<Pair, List<Meeting>> meetings, StringBuilder text) {
    List<Definition> both = written.cascade().definitions().stream()
        .filter(definition -> definition.tensors().contains(a) || definition.tensors().contains(b)).toList();
    if (both.size() == 2 && both.get(1).reads().anyMatch(both.get(0).tensors()::contains)) {
      misaligned(both, meetings).forEach(problem -> text.append("  ").append(problem).append('\n'));
    }
    Stream.of(a, b).filter(written.once()::contains).forEach(tensor ->
        text.append("  ").append(written.name(tensor)).append(" depends on weights alone: it is computed once, and not in every run\n"));
    Stream.of(a, b).filter(written::isOutput).forEach(tensor ->
        text.append("  ").append(written.name(tensor)).append(" is an output: it is stored whole in any case\n"));
  }

  /// Where the second needs the first at other places than its own, along a rank that both write along.
  private static List<String> misaligned(List<Definition> both, Map<Pair, List<Meeting>> meetings) {
    List<String> own = names(both.getFirst());
    List<String> other = names(both.getLast());
    return meetings.keySet().stream().filter(pair -> own.contains(pair.first) && other.contains(pair.second))
        .flatMap(pair -> new SharedRanks(both, List.of(pair.first)).problem().stream()).distinct().toList();
  }

  private static List<String> names(Definition definition) {
    List<Rank> ranks = switch (definition) {
      case Einsum einsum -> einsum.ranks();
      case Recurrence recurrence -> recurrence.updates().getFirst().ranks();
    };
    return ranks.stream().map(Rank::name).toList();
  }

  private void outcome(Tensor a, Tensor b, Stage stage, StringBuilder text) {
    Optional<Definition> first = find(a, stage);
    Optional<Definition> second = find(b, stage);
    if (first.isEmpty() || second.isEmpty()) {
      Stream.of(a, b).filter(tensor -> find(tensor, stage).isEmpty()).forEach(tensor -> text.append("  as compiled, there is no ")
          .append(written.name(tensor)).append(" any more: it is a part of others\n"));
      return;
    }
    Optional<Mapping.Group> group = stage.cascade().mapping().group(first.get().tensors().getFirst());
    boolean together = first.get() == second.get()
        || group.isPresent() && group.get().members().contains(second.get().tensors().getFirst());
    text.append("  as compiled: ").append(together ? "one kernel" : "two kernels").append(", ").append(names(first.get(), stage))
        .append(first.get() == second.get() ? "" : " and " + names(second.get(), stage))
        .append(together ? group.map(fused -> ", over " + String.join(" ", fused.shared())).orElse("") : "").append('\n');
  }

  private static String names(Definition definition, Stage stage) {
    return definition.tensors().stream().map(stage::name).collect(Collectors.joining(", "));
  }

  /// What computes `tensor` at a later stage: the definition of that name, or else the first, of what stands at the same place.
  private static Optional<Definition> find(Tensor tensor, Stage stage) {
    List<Tensor> same = stage.tensors().stream().filter(other -> other.span().equals(tensor.span()) && stage.definitions().containsKey(other)).toList();
    return same.stream().filter(other -> other.name().equals(tensor.name())).findFirst().or(() -> same.stream().findFirst())
        .map(stage.definitions()::get);
  }
}
