package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Lets Einsums that work row by row run row by row together, so that what they hand on stays in cache and one launch
/// does for all.
///
/// ```
/// R[p] = max[m](S[p, m])               R[p] = max[m](S[p, m])
/// A[p, m] = exp(S[p, m] - R[p])   =>   A[p, m] = exp(S[p, m] - R[p])
/// D[p] = sum[m](A[p, m])               D[p] = sum[m](A[p, m])
///                                      map D { fuse R A D over p }
/// ```
///
/// Consecutive Einsums join a group over their leading ranks if these have the same sizes and every access of one to
/// another is at the same leading coordinates. An Einsum joins only if it reads a member or what a member reads, and, where
/// the shared ranks have fewer than 16 points, only if the members have no other ranks: few rows would idle threads.
/// Products stay alone: their tiles need several rows; so do those of few rows and many weights, whose columns threads share. The columns of a matrix that a vector is multiplied with are not shared: tiles need several. Short rows that are reduced go several at a time, `over p by 8`: the processor has the
/// reduction of one row to do while it waits for the end of that of another.
///
/// @param rowBytes the most that the Einsums of a group may hold of one row at a time, so that it stays in a core's cache
/// @param blocks for a GPU, whose blocks have a row each, how many keep it busy: fewer long rows are shared by several; 0 for a processor
public record GroupEinsums(long rowBytes, long blocks) implements Pass.OnCascade {

  /// An Einsum of fewer elements is not worth sharing among threads.
  private static final long SHARED_ELEMENTS = 1 << 14;
  /// Fewer rows leave threads idle.
  private static final long FEW_ROWS = 16;
  /// A product of fewer weights is not worth sharing either.
  private static final long SHARED_WEIGHTS = 1 << 18;
  /// Rows of less than a few vectors go by whole vectors of rows, or are nothing to wait for.
  private static final long SHORTEST_BYTES = 256;
  /// A part of the first-level cache that leaves room for what rows are computed from.
  private static final long NEAR_BYTES = 4 << 10;
  private static final int MOST_ROWS = 8;
  /// Of longer rows, one gives the processor enough to do.
  private static final int FEWEST_ROWS = 4;
  /// So many tasks are left for threads.
  private static final long LEAST_TASKS = 32;

  @Override
  public String name() {
    return "group-einsums";
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Set<Tensor> constant = Constants.of(cascade);
    List<Mapping.Group> groups = new ArrayList<>(cascade.mapping().groups());
    List<Einsum> current = new ArrayList<>();
    int shared = 0;
    for (Definition definition : cascade.definitions()) {
      if (!(definition instanceof Einsum einsum)) {
        close(current, shared, groups);
        current = new ArrayList<>();
        continue;
      }
      boolean eligible = isEligible(einsum, cascade.mapping(), constant);
      int common = eligible && !current.isEmpty() ? common(current, einsum, shared, constant) : 0;
      if (common == 0) {
        close(current, shared, groups);
        current = new ArrayList<>();
      }
      if (eligible) {
        shared = current.isEmpty() ? einsum.ranks().size() : common;
        current.add(einsum);
      }
    }
    close(current, shared, groups);
    return groups.size() == cascade.mapping().groups().size() ? cascade
        : cascade.withMapping(cascade.mapping().withGroups(groups));
  }

  private static boolean isEligible(Einsum einsum, Mapping mapping, Set<Tensor> constant) {
    return !Products.isProduct(einsum) && !constant.contains(einsum.tensor())
        && mapping.group(einsum.tensor()).isEmpty() && mapping.nest(einsum.tensor()).isEmpty();
  }

  /// How many of the ranks of `einsum` others may share: all, or all but the columns of a product of a vector.
  private static int shareable(Einsum einsum) {
    return einsum.ranks().size() - (isOfColumns(einsum) ? 1 : 0);
  }

  /// Whether `einsum` is a product of a vector and a matrix that lies by rows: of neighbouring columns, neighbours are read, and the vector once.
  private static boolean isOfColumns(Einsum einsum) {
    Optional<Rank> last = einsum.ranks().isEmpty() ? Optional.empty() : Optional.of(einsum.ranks().getLast());
    List<Expr.Access> operands = last.isEmpty() ? List.of() : Products.of(einsum).map(Products::operands).orElse(List.of());
    return operands.stream().anyMatch(access -> !Exprs.freeRanks(access).contains(last.orElseThrow()))
        && operands.stream().anyMatch(access -> Affine.stride(access, last.orElseThrow()).filter(stride -> stride == 1).isPresent());
  }

  private static void close(List<Einsum> members, int shared, List<Mapping.Group> groups) {
    if (members.size() > 1) {
      List<String> ranks = members.getFirst().ranks().subList(0, shared).stream().map(Rank::name).toList();
      groups.add(new Mapping.Group(members.stream().map(Einsum::tensor).toList(), ranks, rowsTogether(members, shared)));
    }
  }

  /// How many rows go together: so many short ones that the processor has more to do than to wait for the end of a reduction, and that stay near.
  private static int rowsTogether(List<Einsum> members, int shared) {
    long longest = members.stream().mapToLong(member -> rowBytes(member, shared)).max().orElse(0);
    List<Rank> rows = members.getFirst().ranks().subList(0, shared);
    boolean reduces = members.stream().anyMatch(member -> member.value().nodes().anyMatch(Expr.Reduce.class::isInstance));
    if (!reduces || longest < SHORTEST_BYTES) {
      return 1;
    }
    int together = MOST_ROWS;
    while (together > 1 && (longest * together > NEAR_BYTES || rows.getLast().size().value() % together != 0
        || Exprs.volume(rows) / together < LEAST_TASKS)) {
      together /= 2;
    }
    return together < FEWEST_ROWS ? 1 : together;
  }

  /// How many leading ranks `einsum` can share with the members of a group that shares `shared`; 0 if it must not join.
  ///
  /// @param constant the tensors that weights alone determine
  private int common(List<Einsum> members, Einsum einsum, int shared, Set<Tensor> constant) {
    int common = 0;
    List<Rank> first = members.getFirst().ranks();
    while (common < Math.min(shared, einsum.ranks().size())
        && first.get(common).size().equals(einsum.ranks().get(common).size())) {
      common++;
    }
    common = Math.min(common, shareable(einsum));
    for (Einsum member : members) {
      common = Math.min(common, Math.min(shareable(member), aligned(einsum, member.tensor())));
    }
    boolean related = members.stream().anyMatch(member -> isRelated(member, einsum));
    return related && fits(members, einsum, common) && losesNothing(members, einsum, common, constant) ? common : 0;
  }

  /// Whether one reads the other, or both read the same.
  private static boolean isRelated(Einsum member, Einsum einsum) {
    return Exprs.reads(einsum.value(), member.tensor())
        || Exprs.accesses(einsum.value()).anyMatch(access -> Exprs.reads(member.value(), access.tensor()));
  }

  /// Whether the shared ranks are enough tasks for threads to share, or there is too little work to share at all.
  private boolean losesNothing(List<Einsum> members, Einsum einsum, int common, Set<Tensor> constant) {
    long rows = Exprs.volume(einsum.ranks().subList(0, common));
    if (blocks > 0) {
      return rows >= blocks || isShort(einsum, rows) && members.stream().allMatch(member -> isShort(member, rows));
    }
    boolean isShared = rows >= FEW_ROWS || Stream.concat(members.stream(), Stream.of(einsum)).noneMatch(member -> hasManyWeights(member, constant));
    boolean small = Exprs.volume(einsum.ranks()) < SHARED_ELEMENTS
        && members.stream().allMatch(member -> Exprs.volume(member.ranks()) < SHARED_ELEMENTS);
    return isShared && (small || rows >= FEW_ROWS || members.stream().allMatch(member -> member.ranks().size() == common));
  }

  /// Whether threads gain by sharing the columns of `einsum`, a product of few rows.
  private static boolean hasManyWeights(Einsum einsum, Set<Tensor> constant) {
    return Products.of(einsum).stream().flatMap(products -> products.operands().stream())
        .anyMatch(access -> constant.contains(access.tensor()) && Exprs.volume(List.copyOf(Exprs.freeRanks(access))) >= SHARED_WEIGHTS);
  }

  /// Whether a row is so little work that a block has done it before several have shared it.
  private static boolean isShort(Einsum einsum, long rows) {
    return rows == 0 || Exprs.volume(einsum.ranks()) / rows * Exprs.volume(Exprs.reduced(einsum.value())) < SHARED_ELEMENTS;
  }

  private boolean fits(List<Einsum> members, Einsum einsum, int common) {
    List<Einsum> all = new ArrayList<>(members);
    all.add(einsum);
    return common > 0 && IntStream.range(0, all.size()).allMatch(i -> live(all, i, common) <= rowBytes);
  }

  /// The bytes of one row that `members.get(i)` writes, or that have been written and are read from there on.
  private static long live(List<Einsum> members, int i, int common) {
    return IntStream.rangeClosed(0, i).mapToObj(members::get)
        .filter(member -> member == members.get(i)
            || members.subList(i, members.size()).stream().anyMatch(reader -> Exprs.reads(reader.value(), member.tensor())))
        .mapToLong(member -> rowBytes(member, common)).sum();
  }

  private static long rowBytes(Einsum einsum, int common) {
    return Exprs.volume(einsum.ranks().subList(common, einsum.ranks().size())) * einsum.tensor().type().bytes();
  }

  /// How many leading indices of every access of `einsum` to `tensor` are just its own leading coordinates.
  private static int aligned(Einsum einsum, Tensor tensor) {
    return Exprs.accesses(einsum.value())
        .filter(access -> access.tensor() == tensor)
        .mapToInt(access -> aligned(access, einsum.ranks()))
        .min().orElse(Integer.MAX_VALUE);
  }

  private static int aligned(Expr.Access access, List<Rank> ranks) {
    int count = 0;
    while (count < Math.min(access.indices().size(), ranks.size())
        && access.indices().get(count) instanceof Expr.Coordinate(Rank rank) && rank == ranks.get(count)) {
      count++;
    }
    return access.outside().equals(Optional.empty()) ? count : 0;
  }
}
