package dev.einfall.passes.analysis;

import dev.einfall.ir.cascade.Rank;
import dev.einfall.passes.analysis.Walk.Whole;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How a tensor depends on a fiber.
///
/// @param carriers the dimensions of the tensor that run along the fiber: an element is known when the fiber has been walked
///     to its place
/// @param whole the last thing it depends on that needs the whole fiber
/// @param steps inside a recurrence, the step ranks that run along the fiber
record FiberState(List<Carrier> carriers, Optional<Whole> whole, List<Moving> steps) {
  static final FiberState NONE = new FiberState(List.of(), Optional.empty(), List.of());

  /// A dimension that runs along the fiber.
  ///
  /// @param digits the part of its coordinate that is the place in the fiber
  /// @param walk the walk that makes its elements
  /// @param grain what is left of the places within a step
  /// @param isPrefix whether an element depends on all places up to its own
  record Carrier(int dimension, Digits digits, Walk walk, Grain<Integer> grain, boolean isPrefix) {}

  /// What an element stands for of a step of a walk over tiles: one place of it, which `within` tells, or, where `isCoarse`,
  /// something computed of all of them. Who reads that again does not read the fiber again.
  record Grain<T>(List<T> within, boolean isCoarse) {
    Grain<T> and(Grain<T> other) {
      return isCoarse ? other : this;
    }
  }

  /// A rank that runs along the fiber.
  record Moving(Rank rank, Digits digits, Walk walk, Grain<Rank> grain, boolean isPrefix) {

    Digits.OfRank walker() {
      return new Digits.OfRank(rank, digits);
    }

    /// The same after a reduction over `reduced`.
    Moving reduced(List<Rank> reduced) {
      boolean loses = grain.within.stream().anyMatch(reduced::contains);
      return loses ? new Moving(rank, digits, walk, new Grain<>(List.of(), true), isPrefix) : this;
    }

    Moving withWalk(Walk newWalk) {
      return newWalk == walk ? this : new Moving(rank, digits, newWalk, grain, isPrefix);
    }
  }

  /// What an operand depends on, at the point where it is read.
  ///
  /// @param picks the walks over the fiber that end in elements which data choose
  record Value(List<Moving> moving, Optional<Whole> whole, List<Walk> picks) {
    static final Value NONE = new Value(List.of(), Optional.empty(), List.of());

    Value withWhole(Optional<Whole> newWhole) {
      return new Value(moving, newWhole, picks);
    }

    boolean movesWith(Rank rank) {
      return moving.stream().anyMatch(moving -> moving.rank == rank);
    }
  }

  /// The dependences of either.
  FiberState and(FiberState other) {
    if (this == NONE || other == NONE) {
      return this == NONE ? other : this;
    }
    return new FiberState(join(carriers, other.carriers), later(whole, other.whole), joinMoving(steps, other.steps));
  }

  private static List<Carrier> join(List<Carrier> left, List<Carrier> right) {
    record Key(int dimension, Digits digits) {
      @Override
      public int hashCode() {
        return dimension;
      }
    }
    Map<Key, Carrier> joined = new LinkedHashMap<>();
    for (List<Carrier> carriers : List.of(left, right)) {
      for (Carrier carrier : carriers) {
        joined.merge(new Key(carrier.dimension, carrier.digits), carrier, (a, b) -> new Carrier(
            a.dimension, a.digits, later(a.walk, b.walk), a.grain.and(b.grain), a.isPrefix || b.isPrefix));
      }
    }
    return new ArrayList<>(joined.values());
  }

  /// Each rank and part of it once.
  static List<Moving> joinMoving(List<Moving> left, List<Moving> right) {
    if (left.isEmpty() || right.isEmpty()) {
      return left.isEmpty() ? right : left;
    }
    Map<Digits.OfRank, Moving> joined = new LinkedHashMap<>();
    for (List<Moving> all : List.of(left, right)) {
      for (Moving moving : all) {
        joined.merge(moving.walker(), moving, (a, b) -> new Moving(
            a.rank, a.digits, later(a.walk, b.walk), a.grain.and(b.grain), a.isPrefix || b.isPrefix));
      }
    }
    return new ArrayList<>(joined.values());
  }

  static Walk later(Walk a, Walk b) {
    return b.pass() > a.pass() ? b : a;
  }

  static Optional<Whole> later(Optional<Whole> a, Optional<Whole> b) {
    return a.isEmpty() || b.isPresent() && b.get().pass() > a.get().pass() ? b : a;
  }
}
