package dev.einfall.passes.analysis;

import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Rank;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Which part of a coordinate says how far a walk is: `(coordinate / divisor) % modulus`, or all of the quotient.
///
/// A walk over tiles `m1` of a dimension that is indexed `m1 * 64 + m0` is at `coordinate / 64`.
record Digits(Size divisor, Optional<Size> modulus) {
  static final Digits ALL = new Digits(Index.ONE, Optional.empty());

  /// A rank, and which part of its coordinate says how far it is.
  record OfRank(Rank rank, Digits digits) {

    /// Few ranks have several: their hash is enough.
    @Override
    public int hashCode() {
      return rank.hashCode();
    }
  }

  /// The ranks that move within a step of a walker: `m0` where the index is `64 * m1 + m0`.
  static List<Rank> within(Index index, OfRank walker) {
    return index.terms().size() < 2 ? List.of() : index.terms().stream().filter(term -> term.rank() == walker.rank).findFirst().map(step -> index.terms().stream()
        .filter(term -> compare(magnitude(term.coefficient()), magnitude(step.coefficient())) < 0)
        .map(Index.Term::rank).toList()).orElse(List.of());
  }

  /// The ranks that walk, where the index of a dimension is `index` and these digits of it count: none if it stands still.
  /// The rank of the largest stride counts, since the others move within its steps; ranks of equal strides do all, but for
  /// a window, which is smaller than the dimension.
  ///
  /// @param size the size of the dimension
  List<OfRank> walkers(Index index, Size size) {
    if (this == ALL && index.coordinate().isPresent()) {
      return List.of(new OfRank(index.coordinate().get(), ALL));
    }
    Optional<Size> end = modulus.map(number -> number.times(divisor));
    List<Index.Term> moving = index.terms().stream()
        .filter(term -> end.isEmpty() || term.coefficient().exactQuotient(end.get()).isEmpty()).toList();
    List<Index.Term> widest = widest(moving);
    if (widest.size() > 1) {
      List<Index.Term> whole = widest.stream().filter(term -> isWhole(term.rank().size(), size)).toList();
      widest = whole.isEmpty() ? List.of(largest(widest)) : whole;
    }
    List<OfRank> walkers = new ArrayList<>();
    for (Index.Term term : widest) {
      digits(term).ifPresent(digits -> walkers.add(new OfRank(term.rank(), digits)));
    }
    return walkers;
  }

  /// The same digits; [#ALL] where they are all.
  private static Digits of(Size divisor, Optional<Size> modulus) {
    return modulus.isEmpty() && divisor.equals(Index.ONE) ? ALL : new Digits(divisor, modulus);
  }

  /// The digits of the term's rank that move these digits of the index; none if the term is too small to.
  private Optional<Digits> digits(Index.Term term) {
    Size stride = magnitude(term.coefficient());
    if (compare(stride, divisor) >= 0) {
      return Optional.of(of(term.divisor(), modulus.isPresent() && stride.equals(divisor) && term.modulus().isEmpty()
          && !term.extent().equals(modulus.get()) ? modulus : term.modulus()));
    }
    Size steps = divisor.dividedBy(stride);
    Optional<Size> left = term.modulus().map(number -> number.dividedBy(steps)).or(() -> modulus);
    return compare(term.extent(), steps) <= 0 ? Optional.empty() : Optional.of(of(term.divisor().times(steps), left));
  }

  /// The digits of a coordinate that is written as `index`, of which this is the part that `rank` is: `m1` of
  /// `m1 * 64 + m0` is `coordinate / 64`. Empty where the rank is no part of the index.
  static Optional<Digits> written(Index index, OfRank walker) {
    if (index.coordinate().isPresent()) {
      return index.coordinate().get() == walker.rank() ? Optional.of(walker.digits) : Optional.empty();
    }
    for (Index.Term term : index.terms()) {
      if (term.rank() == walker.rank()) {
        Size stride = magnitude(term.coefficient());
        Optional<Size> above = index.terms().stream().filter(other -> other != term).map(other -> magnitude(other.coefficient()))
            .filter(other -> compare(other, stride) > 0).min(Digits::compare).map(other -> other.dividedBy(stride));
        Size divisor = stride.times(walker.digits.divisor);
        return Optional.of(of(divisor, walker.digits.modulus.or(() -> above)));
      }
    }
    return Optional.empty();
  }

  private static List<Index.Term> widest(List<Index.Term> terms) {
    List<Index.Term> widest = new ArrayList<>();
    for (Index.Term term : terms) {
      int order = widest.isEmpty() ? 0 : compare(magnitude(term.coefficient()), magnitude(widest.getFirst().coefficient()));
      if (order > 0) {
        widest.clear();
      }
      if (order >= 0) {
        widest.add(term);
      }
    }
    return widest;
  }

  /// Whether a rank of size `rank` sees a dimension of size `dimension` from end to end, but for its margins.
  private static boolean isWhole(Size rank, Size dimension) {
    if (rank.constant().isPresent() && dimension.constant().isPresent()) {
      return 2 * rank.constant().get() > dimension.constant().get();
    }
    return rank.equals(dimension) || rank.minus(dimension).constant().isPresent()
        || !rank.names().isEmpty() && rank.names().containsAll(dimension.names());
  }

  private static Index.Term largest(List<Index.Term> terms) {
    Index.Term largest = terms.getFirst();
    for (Index.Term term : terms) {
      if (compare(term.rank().size(), largest.rank().size()) > 0) {
        largest = term;
      }
    }
    return largest;
  }

  private static Size magnitude(Size size) {
    return size.terms().isEmpty() || size.terms().firstEntry().getValue() >= 0 ? size : size.times(Size.of(-1));
  }

  /// Numbers by value; a size with names is larger than one with fewer factors; others are equal.
  private static int compare(Size a, Size b) {
    if (a.constant().isPresent() && b.constant().isPresent()) {
      return Long.compare(a.constant().get(), b.constant().get());
    }
    return Integer.compare(degree(a), degree(b));
  }

  private static int degree(Size size) {
    return size.terms().keySet().stream().mapToInt(product -> product.factors().size()).max().orElse(0);
  }
}
