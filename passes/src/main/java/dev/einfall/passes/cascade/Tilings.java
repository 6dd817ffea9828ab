package dev.einfall.passes.cascade;

import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Target;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/// The candidates for the innermost loops of an Einsum.
///
/// @param free the output ranks that tiles may be made of
/// @param reduced the ranks of its reduction
record Tilings(Target target, Numerics numerics, Einsum einsum, List<Rank> free, List<Rank> reduced) {
  /// The vectors of a tile of many rows, at most. Where rows are 4,096 bytes apart, the first-level cache keeps a line of no more than 8 of
  /// them: a product of 2,048 x 2,048 matrices takes 1.4 times as long in tiles of 12 rows of 2 vectors as in tiles of 6 of 4.
  private static final int WIDE = 4;
  /// The vectors of a tile without rows: the latency of an accumulation times those that start in a cycle.
  private static final int MOST_VECTORS = 8;
  /// The rows of a tile, at most: in code of more loads C2 does not find registers for what is loaded beside the accumulators. A product of
  /// 12,544 x 32 and 32 x 16 takes 2.2 times as long in tiles of 24 rows of a vector as in those of 18.
  private static final int MOST_ROWS = 18;
  /// The same where the innermost loop goes over the few fields of words: of 24 rows and 4,160 steps of 4 bits, tiles of 12 rows of 2 vectors take three times as
  /// long as those of 8 rows of 3, and of 6 of 4.
  private static final int MOST_ROWS_OF_FIELDS = 8;
  /// The same where each row cuts fields of its own, and chooses from a table of its own: the code of more is so long that C2 may make objects of vectors.
  private static final int MOST_DECODED_ROWS = 3;
  /// The vectors of words whose fields are looked up in planes: code of more is longer than C2 inlines, and of one C2 copies the steps, for which there are no registers.
  private static final int MOST_VECTORS_OF_PLANES = 2;
  /// The accumulators of a tile of few rows.
  private static final int FEW_ACCUMULATORS = 16;
  /// The dot products of a tile, and the accumulators of all: the sums of their lanes are long code, and more is too much for one
  /// method. Of 4 dot products of 64 elements tiles of 8 accumulators take 0.8 times as long as those of 4, and 16 1.6 times.
  private static final int MOST_DOTS = 4;
  private static final int MOST_DOT_ACCUMULATORS = 8;

  /// In the order in which they are tried.
  List<Tiling> all() {
    int lanes = target.lanes(Vectorizable.laneBytes(einsum, target));
    List<Tiling> candidates = new ArrayList<>(List.of(Tiling.SCALAR));
    List<Rank> ranks = new ArrayList<>(free);
    ranks.addAll(reduced);
    for (Rank vector : ranks) {
      if (lanes > 1 && vector.size().value() >= 4 && Vectorizable.along(einsum, vector, numerics, target)) {
        candidates.addAll(candidates(vector, Math.min(lanes, Integer.highestOneBit(vector.size().value()))));
      }
    }
    return candidates;
  }

  private List<Tiling> candidates(Rank vector, int lanes) {
    List<Tiling> candidates = new ArrayList<>();
    int most = Math.max(1, vector.size().value() / lanes);
    List<Rank> sharing = rows(vector);
    if (reduced.contains(vector) || reduced.isEmpty()) {
      for (int vectors = 1; vectors <= Math.min(independent(), most); vectors *= 2) {
        candidates.add(Tiling.of(vector, lanes, vectors));
        candidates.addAll(rowsOfDots(vector, lanes, vectors));
      }
      return candidates;
    }
    int widest = isWholeRow(vector, lanes) ? most : Math.min(widest(sharing), Integer.highestOneBit(most));
    for (int vectors = widest; vectors >= 1; vectors -= vectors > 4 ? vectors / 2 : 1) {
      candidates.add(Tiling.of(vector, lanes, vectors));
      for (Rank row : sharing) {
        for (int rows = Math.min(row.size().value(), Math.min(mostRows(vector, row), accumulators() / vectors)); rows > 1; rows--) {
          candidates.add(Tiling.of(vector, lanes, vectors).withRows(row, rows));
        }
      }
    }
    return candidates;
  }

  private int mostRows(Rank vector, Rank row) {
    if (!CopiedSteps.cutsFields(einsum, vector, reduced)) {
      return MOST_ROWS;
    }
    boolean decodes = Products.of(einsum).stream().flatMap(products -> products.operands().stream())
        .anyMatch(access -> access.tensor().type().isInteger() && Exprs.freeRanks(access).containsAll(List.of(vector, row)));
    return decodes ? MOST_DECODED_ROWS : MOST_ROWS_OF_FIELDS;
  }

  /// Tiles of several dot products, whose lanes are summed together: along a rank that shares the loads of the largest operand, or else
  /// two along its last one, each a stream of its own.
  private List<Tiling> rowsOfDots(Rank vector, int lanes, int vectors) {
    List<Expr.Access> operands = Products.of(einsum).map(Products::operands).orElse(List.of());
    if (!reduced.contains(vector) || operands.size() < 2) {
      return List.of();
    }
    Set<Rank> largest = operands.stream().map(Exprs::freeRanks)
        .max(Comparator.comparingLong(ranks -> Exprs.volume(List.copyOf(ranks)))).orElseThrow();
    List<Rank> several = free.stream().filter(rank -> rank.size().value() > 1).toList();
    List<Rank> sharing = several.stream().filter(rank -> !largest.contains(rank)).toList();
    List<Tiling> candidates = new ArrayList<>();
    for (Rank row : sharing.isEmpty() ? several.subList(Math.max(0, several.size() - 1), several.size()) : sharing) {
      int most = sharing.isEmpty() ? 2 : Math.min(MOST_DOTS, MOST_DOT_ACCUMULATORS / vectors);
      for (int rows = 2; rows <= Math.min(most, row.size().value()); rows++) {
        candidates.add(Tiling.of(vector, lanes, vectors).withRows(row, rows));
      }
    }
    return candidates;
  }

  /// How many vectors a tile has at most: four, if there are rows to share the loads; with few rows, or none, as many more as
  /// make enough accumulations that do not wait for each other. What is read for the first time is then read in long pieces.
  private int widest(List<Rank> sharing) {
    if (ShortRows.choosesPlanes(einsum.value(), target)) {
      return MOST_VECTORS_OF_PLANES;
    }
    int rows = sharing.stream().mapToInt(row -> row.size().value()).max().orElse(1);
    return Math.clamp(Math.min(FEW_ACCUMULATORS, Integer.highestOneBit(accumulators())) / Integer.highestOneBit(rows), WIDE, MOST_VECTORS);
  }

  /// Whether a few vectors hold all of `vector`.
  private static boolean isWholeRow(Rank vector, int lanes) {
    return vector.size().value() % lanes == 0 && vector.size().value() / lanes <= 4;
  }

  /// How many vectors a step works on: several, to hide the latency of short bodies; long ones keep the ports busy alone,
  /// and more of them would only take the JIT longer to compile.
  private int independent() {
    return Exprs.operations(einsum.value()) >= 16 ? 1 : 4;
  }

  /// How many registers accumulate; the others hold operands. Measured on JDK 25 and Zen 4, tiles of 8 to 12 rows of 2
  /// vectors run at 82 to 87 % of the peak of the core, tiles of 4 to 6 rows as wide as the rows that they read at 96 %.
  private int accumulators() {
    return Math.max(1, target.registers() - 8);
  }

  /// The output ranks that can share the loads of a vector: those that some operand along the vector does not have. The last ones come
  /// first: neighbours along them are nearer in memory.
  private List<Rank> rows(Rank vector) {
    return free.reversed().stream()
        .filter(rank -> rank != vector && rank.size().value() > 1)
        .filter(rank -> Products.of(einsum).stream().flatMap(p -> p.operands().stream())
            .anyMatch(access -> Exprs.freeRanks(access).contains(vector) && !Exprs.freeRanks(access).contains(rank)))
        .toList();
  }
}
