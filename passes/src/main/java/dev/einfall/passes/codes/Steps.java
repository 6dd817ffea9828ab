package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.ArrayList;
import java.util.List;

/// A rank of a reduction cut into groups, of which each has a scale, groups into words, and words into the fields of codes:
/// `k = g * group + w * fields + j`. Ranks of one coordinate are left out.
///
/// @param whole the rank
/// @param groups the groups; the coordinates of all are one where there is but one
/// @param group how many coordinates of `whole` a group has, a divisor of its size
/// @param fields how many a word has, a divisor of those of a group; 1 where codes do not share words
record Steps(Rank whole, Rank groups, Rank words, Rank places, int group, int fields) {

  static Steps of(Rank whole, int group, int fields) {
    int size = whole.size().value();
    String name = whole.name();
    return new Steps(whole, new Rank(name + "g", Size.of(size / group)), new Rank(fields == 1 ? name : name + "w", Size.of(group / fields)),
        new Rank(name + "f", Size.of(fields)), group, fields);
  }

  /// The ranks that the reduction has in place of the whole one, from the outside in.
  List<Rank> ranks() {
    return List.of(groups, words, places).stream().filter(rank -> rank.size().value() > 1).toList();
  }

  /// The coordinate of the whole rank.
  Expr coordinate() {
    return sum(List.of(term(groups, group), term(words, fields), term(places, 1)));
  }

  /// The place of a word among all.
  Expr word() {
    return sum(List.of(term(groups, group / fields), term(words, 1)));
  }

  Expr place() {
    return sum(List.of(term(places, 1)));
  }

  Expr ofGroup() {
    return sum(List.of(term(groups, 1)));
  }

  private record Term(Rank rank, int factor) {}

  private static Term term(Rank rank, int factor) {
    return new Term(rank, factor);
  }

  private static Expr sum(List<Term> terms) {
    List<Expr> addends = new ArrayList<>();
    for (Term term : terms) {
      if (term.rank.size().value() > 1) {
        Expr coordinate = new Expr.Coordinate(term.rank);
        addends.add(term.factor == 1 ? coordinate : new Expr.Binary(BinaryOp.MUL, coordinate, Expr.index(term.factor)));
      }
    }
    return addends.stream().reduce((a, b) -> new Expr.Binary(BinaryOp.ADD, a, b)).orElse(Expr.index(0));
  }
}
