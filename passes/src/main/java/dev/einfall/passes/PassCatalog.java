package dev.einfall.passes;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.WarpgroupTile;
import dev.einfall.passes.cascade.BindSizes;
import dev.einfall.passes.cascade.CancelInverses;
import dev.einfall.passes.cascade.ChooseMappings;
import dev.einfall.passes.cascade.EliminateCommonEinsums;
import dev.einfall.passes.cascade.ExtractInvariants;
import dev.einfall.passes.cascade.FoldConstants;
import dev.einfall.passes.cascade.FoldIntoWeights;
import dev.einfall.passes.cascade.FuseEpilogues;
import dev.einfall.passes.cascade.GroupEinsums;
import dev.einfall.passes.cascade.GroupProducts;
import dev.einfall.passes.cascade.GroupRecurrences;
import dev.einfall.passes.cascade.HoistFactors;
import dev.einfall.passes.cascade.InlineProducers;
import dev.einfall.passes.cascade.MergeProducts;
import dev.einfall.passes.cascade.NameRanks;
import dev.einfall.passes.cascade.NarrowProducts;
import dev.einfall.passes.cascade.NormalizeReductions;
import dev.einfall.passes.cascade.PackCores;
import dev.einfall.passes.cascade.PackOperands;
import dev.einfall.passes.cascade.ReassociateProducts;
import dev.einfall.passes.cascade.SplitReductions;
import dev.einfall.passes.cascade.TransformFilters;
import dev.einfall.passes.codes.DecodeInProducts;
import dev.einfall.passes.codes.DeferOffsets;
import dev.einfall.passes.codes.MultiplyBits;
import dev.einfall.passes.codes.MultiplyIntegers;
import dev.einfall.passes.codes.RoundTables;
import dev.einfall.passes.codes.SplitCodes;
import dev.einfall.passes.codes.SplitFields;
import dev.einfall.passes.codes.TabulateSteps;
import dev.einfall.passes.codes.WidenBytes;
import dev.einfall.passes.loop.BindLoops;
import dev.einfall.passes.loop.CollapseLoops;
import dev.einfall.passes.loop.DeferScales;
import dev.einfall.passes.loop.DropDeadStores;
import dev.einfall.passes.loop.ExpandFunctions;
import dev.einfall.passes.loop.ExpandSines;
import dev.einfall.passes.loop.FactorReductions;
import dev.einfall.passes.loop.FlattenLoops;
import dev.einfall.passes.loop.ForwardStores;
import dev.einfall.passes.loop.FuseLoops;
import dev.einfall.passes.loop.FuseMultiplyAdds;
import dev.einfall.passes.loop.KeepAccumulators;
import dev.einfall.passes.loop.MapThreads;
import dev.einfall.passes.loop.MergeDimensions;
import dev.einfall.passes.loop.PermutePlanes;
import dev.einfall.passes.loop.PermuteRows;
import dev.einfall.passes.loop.PlaceInOutputs;
import dev.einfall.passes.loop.ReorderLoops;
import dev.einfall.passes.loop.SelectDots;
import dev.einfall.passes.loop.SelectTiles;
import dev.einfall.passes.loop.ShareSubexpressions;
import dev.einfall.passes.loop.SimplifyIndices;
import dev.einfall.passes.loop.SplitLoops;
import dev.einfall.passes.loop.SplitRanges;
import dev.einfall.passes.loop.SumBytes;
import dev.einfall.passes.loop.TileProducts;
import dev.einfall.passes.loop.TransposeTiles;
import dev.einfall.passes.loop.TurnLoops;
import dev.einfall.passes.loop.UnrollLoops;
import dev.einfall.passes.loop.UnswitchLoops;
import dev.einfall.passes.loop.VectorizeLoops;
import dev.einfall.passes.lower.LowerEinsums;
import dev.einfall.passes.lower.Schedule;
import dev.einfall.passes.plan.PlanMemory;
import dev.einfall.passes.plan.ShareKernels;
import dev.einfall.passes.plan.SplitKernels;
import dev.einfall.passes.recurrence.AbsorbUsers;
import dev.einfall.passes.recurrence.KeepLastStates;
import dev.einfall.passes.recurrence.ScheduleRecurrences;
import dev.einfall.passes.reduce.DeferFactors;
import dev.einfall.passes.reduce.ReducePasses;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The passes by name, for `einfall opt` and the golden cases: `fold-constants,split-loops{i=8 4, j=2}`.
public final class PassCatalog {
  private PassCatalog() {}

  /// The options of one pass in braces, in order.
  private record Options(String pass, Map<String, String> values) {

    String text(String key, String otherwise) {
      return values.getOrDefault(key, otherwise);
    }

    int number(String key, int otherwise) {
      return Math.toIntExact(bytes(key, otherwise));
    }

    long bytes(String key, long otherwise) {
      try {
        return Long.parseLong(text(key, Long.toString(otherwise)));
      } catch (NumberFormatException _) {
        throw CompileException.of("option " + key + " of pass " + pass + " must be a number but is " + values.get(key));
      }
    }

    List<String> words(String key) {
      String text = text(key, "").strip();
      return text.isEmpty() ? List.of() : List.of(text.split("\\s+"));
    }

    Numerics numerics() {
      String name = text("numerics", "reassociate");
      try {
        return Numerics.valueOf(name.toUpperCase(Locale.ROOT));
      } catch (IllegalArgumentException _) {
        throw CompileException.of("option numerics of pass " + pass + " is " + name + "; it can be strict, reassociate or fast");
      }
    }

    Compute compute() {
      String name = text("compute", "f32");
      try {
        return Compute.valueOf(name.toUpperCase(Locale.ROOT));
      } catch (IllegalArgumentException _) {
        throw CompileException.of("option compute of pass " + pass + " is " + name + "; it can be f32, bf16 or i8");
      }
    }

    DotShape dot(String text) {
      try {
        return DotShape.of(text);
      } catch (IllegalArgumentException _) {
        throw CompileException.of("option dots of pass " + pass + " has " + text + ", which is none such as f32x16+bf16*bf16x2");
      }
    }

    TileShape tile(String text) {
      try {
        return TileShape.of(text);
      } catch (IllegalArgumentException _) {
        throw CompileException.of("option tiles of pass " + pass + " has " + text + ", which is none such as f32[16x8]+bf16[16x16]*bf16[16x8]/1");
      }
    }

    WarpgroupTile warpgroupTile(String text) {
      try {
        return WarpgroupTile.of(text);
      } catch (IllegalArgumentException _) {
        throw CompileException.of("option warpgroup-tiles of pass " + pass + " has " + text + ", which is none such as f32[64x32]+bf16[64x16]*bf16[16x32]/1/turns");
      }
    }

    Target target() {
      if (values.containsKey("shared-bytes")) {
        return Target.gpu(bytes("shared-bytes", 0));
      }
      Target usual = Target.of(number("vector-bytes", 64), number("threads", 1));
      return usual.withDots(words("dots").stream().map(this::dot).toList()).withTiles(words("tiles").stream().map(this::tile).toList()).withCaches(
          bytes("l1-bytes", usual.l1Bytes()), bytes("l2-bytes", usual.l2Bytes()), bytes("l3-bytes", usual.l3Bytes())).withBitCount(number("bit-count", usual.bitCount()));
    }
  }

  private static final Map<String, Function<Options, Pass>> PASSES = passes();

  private static Map<String, Function<Options, Pass>> passes() {
    Map<String, Function<Options, Pass>> passes = new LinkedHashMap<>();
    passes.put("bind-sizes", options -> new BindSizes(sizes(options)));
    passes.put("normalize-reductions", _ -> new NormalizeReductions());
    passes.put("fold-constants", options -> new FoldConstants(options.numerics()));
    passes.put("eliminate-common-einsums", options -> new EliminateCommonEinsums(options.numerics()));
    passes.put("reassociate-products", _ -> new ReassociateProducts());
    passes.put("fold-into-weights", _ -> new FoldIntoWeights());
    passes.put("defer-factors", _ -> new DeferFactors());
    passes.put("reduce-passes", options -> options.text("form", "given").equals("cheapest")
        ? new ReducePasses(options.target(), Decisions.byCost()) : new ReducePasses(
        options.number("tile", 64), options.number("rows", 64), options.number("parts", 1), options.number("row-bytes", 16 << 10),
        options.text("reference", "maximum").equals("exponent")));
    passes.put("inline-producers", _ -> new InlineProducers());
    passes.put("cancel-inverses", options -> new CancelInverses(options.numerics()));
    passes.put("extract-invariants", options -> new ExtractInvariants(options.numerics()));
    passes.put("absorb-users", _ -> new AbsorbUsers());
    passes.put("keep-last-states", _ -> new KeepLastStates());
    passes.put("schedule-recurrences", options -> new ScheduleRecurrences(options.target(), options.numerics(), Decisions.byCost()));
    passes.put("fuse-epilogues", _ -> new FuseEpilogues());
    passes.put("merge-products", _ -> new MergeProducts());
    passes.put("multiply-bits", options -> new MultiplyBits(options.target(), options.compute()));
    passes.put("decode-in-products", options -> new DecodeInProducts(options.number("row", 32), options.numerics(), options.text("subnormals", "slow").equals("quick"), options.number("bytes", 0)));
    passes.put("split-fields", options -> new SplitFields(options.number("row", 32)));
    passes.put("defer-offsets", options -> new DeferOffsets(options.text("centred", "no").equals("yes")));
    passes.put("multiply-integers", options -> new MultiplyIntegers(options.words("dots").stream().map(options::dot).toList(), options.compute()));
    passes.put("split-codes", options -> new SplitCodes(options.number("row", 32), options.bytes("cache-bytes", 16777216)));
    passes.put("tabulate-steps", options -> new TabulateSteps(options.number("row", 32), options.text("rounded", "no").equals("yes")));
    passes.put("round-tables", options -> new RoundTables(options.compute()));
    passes.put("widen-bytes", _ -> new WidenBytes());
    passes.put("narrow-products", options -> new NarrowProducts(options.compute(), options.text("in-steps", "no").equals("yes")));
    passes.put("name-ranks", _ -> new NameRanks());
    passes.put("group-recurrences", options -> new GroupRecurrences(options.target(), options.numerics()));
    passes.put("group-products", options -> new GroupProducts(options.target(), options.numerics()));
    passes.put("hoist-factors", options -> new HoistFactors(options.target(), options.numerics()));
    passes.put("transform-filters", options -> new TransformFilters(options.target(), options.numerics()));
    passes.put("group-einsums", options -> new GroupEinsums(options.bytes("row-bytes", options.target().rowBytes()), options.number("blocks", 0)));
    passes.put("split-reductions", options -> new SplitReductions(options.numerics()));
    passes.put("pack-cores", options -> new PackCores(options.words("warpgroup-tiles").stream().map(options::warpgroupTile).toList()));
    passes.put("choose-mappings", options -> new ChooseMappings(options.target(), options.numerics()));
    passes.put("pack-operands", options -> new PackOperands(options.target()));
    passes.put("lower-einsums", _ -> new LowerEinsums());
    passes.put("flatten-loops", options -> new FlattenLoops(
        options.values.keySet().stream().map(options::words).map(Mapping.Flatten::new).toList()));
    passes.put("merge-dimensions", _ -> new MergeDimensions());
    passes.put("fuse-loops", options -> new FuseLoops(schedule(options), options.numerics()));
    passes.put("place-in-outputs", options -> new PlaceInOutputs(options.number("vector-bytes", 64)));
    passes.put("split-ranges", options -> new SplitRanges(
        options.words("fixed"), options.words("whole"), options.number("copies", 8), options.numerics()));
    passes.put("unswitch-loops", options -> new UnswitchLoops(options.words("parallel"), options.words("unrolled"), options.number("copies", 8)));
    passes.put("reorder-loops", options -> new ReorderLoops(options.words("order"), options.words("lanes"), options.numerics()));
    passes.put("split-loops", PassCatalog::splitLoops);
    passes.put("select-tiles", options -> new SelectTiles(options.words("tiles").stream().map(options::tile).toList()));
    passes.put("defer-scales", options -> new DeferScales(options.words("tile"), options.number("most", 8)));
    passes.put("factor-reductions", options -> new FactorReductions(options.words("loops"), options.numerics()));
    passes.put("bind-loops", PassCatalog::bindLoops);
    passes.put("collapse-loops", _ -> new CollapseLoops());
    passes.put("split-kernels", options -> new SplitKernels(options.number("work", SplitKernels.WORK)));
    passes.put("tile-products", options -> new TileProducts(options.number("blocks", TileProducts.BLOCKS),
        options.words("tiles").stream().map(options::tile).toList(),
        options.words("warpgroup-tiles").stream().map(options::warpgroupTile).toList(), options.numerics()));
    passes.put("map-threads", options -> new MapThreads(options.number("threads", 128),
        options.words("tiles").stream().map(options::tile).toList(), options.numerics()));
    passes.put("expand-functions", options -> new ExpandFunctions(options.numerics()));
    passes.put("vectorize-loops", options -> new VectorizeLoops(options.number("vector-bytes", 64), options.numerics()));
    passes.put("expand-sines", options -> new ExpandSines(options.numerics()));
    passes.put("fuse-multiply-adds", _ -> new FuseMultiplyAdds());
    passes.put("unroll-loops", options -> new UnrollLoops(options.number("operations", 160), options.number("terms", 1)));
    passes.put("simplify-indices", _ -> new SimplifyIndices());
    passes.put("drop-dead-stores", options -> new DropDeadStores(options.numerics()));
    passes.put("transpose-tiles", _ -> new TransposeTiles());
    passes.put("keep-accumulators", options -> new KeepAccumulators(options.number("registers", 64)));
    passes.put("permute-planes", options -> new PermutePlanes(options.number("bytes", 64)));
    passes.put("permute-rows", _ -> new PermuteRows());
    passes.put("sum-bytes", _ -> new SumBytes());
    passes.put("select-dots", options -> new SelectDots(options.words("dots").stream().map(options::dot).toList()));
    passes.put("share-subexpressions", _ -> new ShareSubexpressions());
    passes.put("forward-stores", _ -> new ForwardStores());
    passes.put("turn-loops", options -> new TurnLoops(options.target().l2Bytes()));
    passes.put("share-kernels", _ -> new ShareKernels());
    passes.put("plan-memory", _ -> new PlanMemory());
    return passes;
  }

  /// The names of all passes, in the order of the pipeline.
  public static List<String> names() {
    return List.copyOf(PASSES.keySet());
  }

  /// The passes that `text` lists.
  ///
  /// @throws CompileException for an unknown pass or a malformed option
  public static List<Pass> parse(String text) {
    List<Pass> result = new ArrayList<>();
    for (String item : text.split(",(?![^{]*})")) {
      result.add(pass(item.strip()));
    }
    return result;
  }

  private static Pass pass(String text) {
    int brace = text.indexOf('{');
    if (brace >= 0 && !text.endsWith("}")) {
      throw CompileException.of("missing } after the options of pass " + text);
    }
    String name = brace < 0 ? text : text.substring(0, brace);
    Function<Options, Pass> make = PASSES.get(name);
    if (make == null) {
      throw CompileException.of("unknown pass " + name + "; there are " + String.join(", ", PASSES.keySet()));
    }
    return make.apply(new Options(name, brace < 0 ? Map.of() : options(text.substring(brace + 1, text.length() - 1))));
  }

  private static Map<String, String> options(String text) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String option : text.split(",")) {
      String[] parts = option.split("=", 2);
      if (parts.length != 2) {
        throw CompileException.of("option " + option.strip() + " must have the form name=value");
      }
      values.put(parts[0].strip(), parts[1].strip());
    }
    return values;
  }

  private static SortedMap<String, Long> sizes(Options options) {
    SortedMap<String, Long> sizes = new TreeMap<>();
    options.values.keySet().forEach(name -> sizes.put(name, (long) options.number(name, 0)));
    return sizes;
  }

  /// `split-loops{i=8 4, guarded=i2}`.
  private static Pass splitLoops(Options options) {
    List<Mapping.Split> splits = new ArrayList<>();
    options.values.keySet().stream().filter(loop -> !loop.equals("guarded")).forEach(loop ->
        splits.add(new Mapping.Split(loop, options.words(loop).stream().map(Integer::parseInt).toList())));
    return new SplitLoops(splits, options.words("guarded"));
  }

  /// `fuse-loops{n=64 16, order=n2 n1 n0, unroll=n1, vectorize=n0}`.
  private static Schedule schedule(Options options) {
    List<Mapping.Split> splits = new ArrayList<>();
    List<Mapping.Bound> bindings = new ArrayList<>();
    options.values.keySet().stream().filter(key -> !key.equals("order") && !key.equals("numerics")).forEach(key -> {
      Optional<Mapping.Binding> binding = Arrays.stream(Mapping.Binding.values())
          .filter(one -> one.name().toLowerCase(Locale.ROOT).equals(key)).findFirst();
      binding.ifPresentOrElse(one -> options.words(key).forEach(loop -> bindings.add(new Mapping.Bound(loop, one))),
          () -> splits.add(new Mapping.Split(key, options.words(key).stream().map(Integer::parseInt).toList())));
    });
    return new Schedule(List.of(), splits, options.words("order"), bindings, List.of());
  }

  /// `bind-loops{i=parallel, j=vectorize}`.
  private static Pass bindLoops(Options options) {
    List<Mapping.Bound> bindings = new ArrayList<>();
    options.values.forEach((loop, binding) -> {
      try {
        bindings.add(new Mapping.Bound(loop, Mapping.Binding.valueOf(binding.toUpperCase(Locale.ROOT))));
      } catch (IllegalArgumentException _) {
        throw CompileException.of("loop " + loop + " cannot become " + binding + "; it can be parallel, unroll or vectorize");
      }
    });
    return new BindLoops(bindings);
  }

  /// `pass` as [#parse] reads it.
  public static String text(Pass pass) {
    String options = switch (pass) {
      case BindSizes bind -> join(bind.sizes().entrySet().stream().map(size -> size.getKey() + "=" + size.getValue()).toList());
      case CancelInverses cancel -> text(cancel.numerics()).replaceFirst("^, ", "");
      case EliminateCommonEinsums eliminate -> text(eliminate.numerics()).replaceFirst("^, ", "");
      case FoldConstants fold -> text(fold.numerics()).replaceFirst("^, ", "");
      case ExtractInvariants extract -> text(extract.numerics()).replaceFirst("^, ", "");
      case GroupEinsums group -> "row-bytes=" + group.rowBytes();
      case GroupProducts group -> text(group.target()) + text(group.numerics());
      case GroupRecurrences group -> text(group.target()) + text(group.numerics());
      case ChooseMappings choose -> text(choose.target()) + text(choose.numerics());
      case ReducePasses reduce -> reduce.form() + ", rows=" + reduce.rows() + ", reference=" + (reduce.exponents() ? "exponent" : "maximum");
      case ReorderLoops reorder -> "order=" + String.join(" ", reorder.order())
          + (reorder.lanes().isEmpty() ? "" : ", lanes=" + String.join(" ", reorder.lanes())) + text(reorder.numerics());
      case SplitLoops split -> splitText(split);
      case ScheduleRecurrences schedule -> text(schedule.target()) + text(schedule.numerics());
      case FlattenLoops flatten -> join(flatten.flattened().stream().map(one -> one.name() + "=" + String.join(" ", one.ranks())).toList());
      case FactorReductions factor -> "loops=" + String.join(" ", factor.loops()) + text(factor.numerics());
      case FuseLoops fuse -> fuse.options() + text(fuse.numerics());
      case SplitRanges split -> "fixed=" + String.join(" ", split.fixed()) + ", whole=" + String.join(" ", split.whole())
          + ", copies=" + split.copies() + text(split.numerics());
      case BindLoops bind -> join(bind.bindings().stream()
          .map(bound -> bound.loop() + "=" + bound.binding().name().toLowerCase(Locale.ROOT)).toList());
      case ExpandFunctions expand -> text(expand.numerics()).replaceFirst("^, ", "");
      case ExpandSines expand -> text(expand.numerics()).replaceFirst("^, ", "");
      case DropDeadStores drop -> text(drop.numerics()).replaceFirst("^, ", "");
      case VectorizeLoops vectorize -> "vector-bytes=" + vectorize.vectorBytes() + text(vectorize.numerics());
      case UnrollLoops unroll -> "operations=" + unroll.operations() + (unroll.terms() == 1 ? "" : ", terms=" + unroll.terms());
      case TileProducts tile -> "blocks=" + tile.blocks()
          + (tile.tiles().isEmpty() ? "" : ", " + tiles(tile.tiles()))
          + (tile.warpgroupTiles().isEmpty() ? "" : ", " + warpgroupTiles(tile.warpgroupTiles())) + text(tile.numerics());
      case PackCores pack -> warpgroupTiles(pack.tiles());
      case MapThreads map -> "threads=" + map.threads()
          + (map.tiles().isEmpty() ? "" : ", " + tiles(map.tiles())) + text(map.numerics());
      case HoistFactors hoist -> text(hoist.target()) + text(hoist.numerics());
      case TransformFilters transform -> text(transform.target()) + text(transform.numerics());
      case PackOperands pack -> text(pack.target());
      case PlaceInOutputs place -> "vector-bytes=" + place.vectorBytes();
      case DeferScales defer -> (defer.tile().isEmpty() ? "" : "tile=" + String.join(" ", defer.tile()) + ", ") + "most=" + defer.most();
      case PermutePlanes permute -> "bytes=" + permute.bytes();
      case KeepAccumulators keep -> "registers=" + keep.registers();
      case MultiplyBits multiply -> text(multiply.target()) + (multiply.compute() == Compute.F32 ? "" : ", " + text(multiply.compute()));
      case DecodeInProducts decode -> "row=" + decode.row() + (decode.maySubnormals() ? ", subnormals=quick" : "") + (decode.bytes() == 0 ? "" : ", bytes=" + decode.bytes()) + text(decode.numerics());
      case SplitFields split -> "row=" + split.row();
      case DeferOffsets defer -> defer.centred() ? "centred=yes" : "";
      case MultiplyIntegers multiply -> join(Stream.of(dots(multiply.dots()), text(multiply.compute())).filter(text -> !text.isEmpty()).toList());
      case SplitCodes split -> "row=" + split.row() + ", cache-bytes=" + split.cacheBytes();
      case TabulateSteps tabulate -> "row=" + tabulate.row() + (tabulate.rounded() ? ", rounded=yes" : "");
      case RoundTables round -> "compute=" + round.compute().name().toLowerCase(Locale.ROOT);
      case SelectDots select -> dots(select.dots());
      case SelectTiles select -> tiles(select.tiles());
      case NarrowProducts narrow -> "compute=" + narrow.compute().name().toLowerCase(Locale.ROOT) + (narrow.inSteps() ? ", in-steps=yes" : "");
      case TurnLoops turn -> "l2-bytes=" + turn.l2Bytes();
      default -> "";
    };
    return options.isEmpty() ? pass.name() : pass.name() + "{" + options + "}";
  }

  /// `vector-bytes=64, threads=1`, and the caches of other sizes than usual.
  private static String text(Target target) {
    Target usual = Target.of(target.vectorBytes(), target.threads());
    List<String> parts = new ArrayList<>(List.of("vector-bytes=" + target.vectorBytes(), "threads=" + target.threads()));
    addBytes(parts, "l1-bytes", target.l1Bytes(), usual.l1Bytes());
    addBytes(parts, "l2-bytes", target.l2Bytes(), usual.l2Bytes());
    addBytes(parts, "l3-bytes", target.l3Bytes(), usual.l3Bytes());
    if (target.bitCount() != usual.bitCount()) {
      parts.add("bit-count=" + target.bitCount());
    }
    if (!target.dots().isEmpty()) {
      parts.add(dots(target.dots()));
    }
    if (!target.tiles().isEmpty()) {
      parts.add(tiles(target.tiles()));
    }
    return join(parts);
  }

  private static String dots(List<DotShape> dots) {
    return dots.isEmpty() ? "" : "dots=" + dots.stream().map(DotShape::toString).collect(Collectors.joining(" "));
  }

  private static String text(Compute compute) {
    return compute == Compute.F32 ? "" : "compute=" + compute.name().toLowerCase(Locale.ROOT);
  }

  private static String tiles(List<TileShape> tiles) {
    return tiles.isEmpty() ? "" : "tiles=" + tiles.stream().map(TileShape::toString).collect(Collectors.joining(" "));
  }

  private static String warpgroupTiles(List<WarpgroupTile> tiles) {
    return tiles.isEmpty() ? "" : "warpgroup-tiles=" + tiles.stream().map(WarpgroupTile::toString).collect(Collectors.joining(" "));
  }

  private static void addBytes(List<String> parts, String key, long bytes, long usual) {
    if (bytes != usual) {
      parts.add(key + "=" + bytes);
    }
  }

  private static String text(Numerics numerics) {
    return numerics == Numerics.REASSOCIATE ? "" : ", numerics=" + numerics.name().toLowerCase(Locale.ROOT);
  }

  private static String splitText(SplitLoops split) {
    List<String> parts = new ArrayList<>(split.splits().stream()
        .map(s -> s.rank() + "=" + String.join(" ", s.factors().stream().map(String::valueOf).toList())).toList());
    if (!split.guarded().isEmpty()) {
      parts.add("guarded=" + String.join(" ", split.guarded()));
    }
    return join(parts);
  }

  private static String join(List<String> parts) {
    return String.join(", ", parts);
  }
}
