package dev.einfall.command.explain;

import dev.einfall.command.page.CascadeView;
import dev.einfall.command.page.PassReport;
import dev.einfall.command.page.Quantities;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.passes.Compute;
import dev.einfall.passes.Decision;
import dev.einfall.passes.Pipeline;
import dev.einfall.passes.PipelineOptions;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.BindSizes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What a program costs, what the passes make of it, and why, as text for people.
public final class Explanation {
  private static final int BUFFERS = 5;
  private static final int SHOWN = 24;

  private final PipelineOptions options;
  private final Limits limits;
  private final boolean all;
  private final SortedMap<String, Long> sizes;
  private final SortedSet<String> open = new TreeSet<>();
  private final List<Decision> decisions = new ArrayList<>();
  private final Stage written;
  private final Optional<PassReport> report;
  private final Optional<Stage> rewritten;
  private final Optional<KernelPlan> plan;

  /// Compiles `cascade`, if there is a number for each of its sizes.
  ///
  /// @param all whether tensors that are read in one pass are listed, too
  public Explanation(Cascade cascade, SortedMap<String, Long> sizes, PipelineOptions options, Limits limits, boolean all) {
    this.options = options;
    this.limits = limits;
    this.all = all;
    this.sizes = sizes;
    Stream.of(cascade.inputs().stream(), cascade.weights().stream().map(Cascade.Weight::tensor)).flatMap(tensors -> tensors)
        .flatMap(tensor -> tensor.shape().stream()).forEach(size -> open.addAll(size.names()));
    open.removeAll(sizes.keySet());
    written = Stage.of(new BindSizes(sizes).apply(cascade, _ -> {}));
    Pipeline heard = new Pipeline(options.withDecisions(options.decisions().withListener(decisions::add)), _ -> {}, _ -> {});
    report = open.isEmpty() ? Optional.of(PassReport.of(cascade, heard.cascadePasses(sizes))) : Optional.empty();
    rewritten = report.map(passes -> Stage.of(passes.result()));
    plan = open.isEmpty() ? Optional.of(new Pipeline(options, _ -> {}, _ -> {}).compile(cascade, sizes)) : Optional.empty();
  }

  /// The bytes of memory that a run needs for what is neither an input nor an output; empty while sizes have names.
  public Optional<Long> arenaBytes() {
    return plan.map(compiled -> compiled.arena().bytes());
  }

  /// Why `name` is not the name of a tensor that the program defines; empty if it is.
  public Optional<String> whyNotDefined(String name) {
    Optional<Tensor> tensor = written.named(name);
    if (tensor.isEmpty()) {
      return Optional.of("there is no tensor " + name + "; the program defines " + written.cascade().definitions().stream()
          .flatMap(definition -> definition.tensors().stream()).map(written::name).collect(Collectors.joining(", ")));
    }
    return written.definitions().containsKey(tensor.get()) ? Optional.empty() : Optional.of(name + " is given, and not computed");
  }

  /// Whether the tensors of two names can be computed in one loop.
  public String fusion(List<String> names) {
    StringBuilder text = new StringBuilder();
    new FusionText(written, rewritten).append(
        written.named(names.getFirst()).orElseThrow(), written.named(names.getLast()).orElseThrow(), text);
    return text.toString();
  }

  /// Everything.
  public String text() {
    StringBuilder text = new StringBuilder();
    head(text);
    title("Passes, as written", text);
    new PassesText(written, all).append(text);
    if (report.isEmpty()) {
      text.append("\nGive a number for each of the sizes ").append(String.join(", ", open)).append(", such as --size ").append(open.first())
          .append("=128, to see what the compiler makes of it.\n");
      return text.toString();
    }
    Stage stage = rewritten.orElseThrow();
    title("Passes, after the rewrites", text);
    new PassesText(stage, all).append(text);
    title("Work", text);
    new WorkText(stage, options.target(), limits).append(text);
    SumsText sums = new SumsText(written);
    if (!sums.isEmpty()) {
      title("Sums of whole numbers", text);
      sums.append(text);
    }
    title("Memory", text);
    memory(plan.orElseThrow(), text);
    title("Kernels", text);
    new KernelsText(CascadeView.of(stage.cascade()), all ? Integer.MAX_VALUE : SHOWN).append(text);
    choices(text);
    remarks(report.get().remarks(), text);
    return text.toString();
  }

  private static void title(String title, StringBuilder text) {
    text.append('\n').append(title).append("\n\n");
  }

  private void head(StringBuilder text) {
    text.append(written.cascade().name()).append(sizes.entrySet().stream()
        .map(size -> size.getKey() + "=" + size.getValue()).collect(Collectors.joining(" ", sizes.isEmpty() ? "" : " at ", ""))).append('\n');
    if (report.isEmpty()) {
      return;
    }
    Target target = options.target();
    text.append("compiled for ").append(target.isGpu() ? gpu(target) : processor(target)).append(", numerics ").append(options.numerics().name().toLowerCase(Locale.ROOT))
        .append(rounding(options.compute())).append('\n').append(limits.text()).append('\n');
  }

  private static String rounding(Compute compute) {
    return switch (compute) {
      case F32 -> "";
      case BF16 -> ", factors of products with weights in bf16";
      case I8 -> ", what meets weights of few bits in i8";
    };
  }

  private static String processor(Target target) {
    return target.threads() + (target.threads() == 1 ? " thread, " : " threads, ")
        + (target.lanes(Float.BYTES) == 1 ? "no vectors" : "vectors of " + target.vectorBytes() + " bytes") + ", caches of "
        + Quantities.bytes(Size.of(target.l1Bytes())) + " and " + Quantities.bytes(Size.of(target.l2Bytes()));
  }

  private static String gpu(Target target) {
    return "a GPU, whose blocks share up to " + Quantities.bytes(Size.of(target.sharedBytes())) + " of memory"
        + (target.tiles().isEmpty() ? "" : ", and whose warps multiply tiles of "
            + target.tiles().stream().map(tile -> tile.left().toString()).distinct().collect(Collectors.joining(", ")))
        + (target.warpgroupTiles().isEmpty() ? "" : ", and groups of four of them tiles of "
            + target.warpgroupTiles().stream().map(tile -> tile.shape().left().toString()).distinct().collect(Collectors.joining(", ")));
  }

  private static void memory(KernelPlan plan, StringBuilder text) {
    KernelPlan.Arena arena = plan.arena();
    text.append("  ").append(Quantities.exact(Size.of(arena.bytes()))).append(" bytes of intermediate tensors in memory, besides inputs,")
        .append(" weights and outputs; what lives in a kernel is not counted\n");
    List<Buffer> largest = arena.placements().stream().map(KernelPlan.Placement::buffer)
        .sorted(Comparator.comparingLong(Buffer::bytes).reversed()).limit(BUFFERS).toList();
    TextTable table = new TextTable("lr");
    largest.forEach(buffer -> table.row("  " + buffer, Quantities.bytes(Size.of(buffer.bytes()))));
    table.append(text);
    if (arena.placements().size() > BUFFERS) {
      text.append("    and ").append(arena.placements().size() - BUFFERS).append(" smaller ones, in the same memory where they do not live together\n");
    }
  }

  /// What the cost model chose, and the best of what else it considered.
  private void choices(StringBuilder text) {
    if (decisions.isEmpty()) {
      return;
    }
    title("Choices of the cost model", text);
    TextTable table = new TextTable("llrl");
    for (Decision decision : decisions.subList(0, all ? decisions.size() : Math.min(SHOWN, decisions.size()))) {
      List<Decision.Alternative> others = decision.alternatives().stream().filter(other -> !other.name().equals(decision.chosen()))
          .sorted(Comparator.comparingDouble(Decision.Alternative::cycles)).toList();
      double cycles = decision.alternatives().stream().filter(one -> one.name().equals(decision.chosen()))
          .mapToDouble(Decision.Alternative::cycles).findFirst().orElse(Double.NaN);
      table.row(decision.subject(), decision.chosen(), Quantities.count(Math.rint(cycles)) + " cycles", others.isEmpty() ? "nothing else"
          : "of " + decision.alternatives().size() + ", next " + others.getFirst().name() + " " + Quantities.count(Math.rint(others.getFirst().cycles())));
    }
    table.append(text);
    if (!all && decisions.size() > SHOWN) {
      text.append("  and ").append(decisions.size() - SHOWN).append(" more: --all shows them\n");
    }
  }

  private static void remarks(List<Diagnostic> remarks, StringBuilder text) {
    List<String> shown = remarks.stream().map(remark -> "  " + Stage.place(remark.span()) + ": " + remark.message() + "\n").distinct().toList();
    if (!shown.isEmpty()) {
      title("Declined", text);
      shown.forEach(text::append);
    }
  }
}
