package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A rank of a reduction cut into groups, of which each has a scale, groups into words, and words into the fields of codes:
/// `k = g * group + w * fields + j`. Ranks of one coordinate are left out.
///
/// For lanes along the rank, neighbours are in one field of neighbouring words: `k = g * group + w * fields * lanes + j * lanes + l`. Where these words have the fields of several
/// groups, the upper fields are those of the later ones: `k = b * fields * lanes + h * group + j * lanes + l`.
///
/// @param whole the rank
/// @param digits of the coordinate, from the outermost rank on
/// @param wordDigits of the place of a word among all
/// @param placeDigits of the place of a field in a word
/// @param groupDigits of the place of a group
/// @param group how many coordinates of `whole` a group has, a divisor of its size
/// @param fields how many a word has, a divisor of those of a group; 1 where codes do not share words
/// @param lane the rank of the lanes, if there are such
record Steps(Rank whole, List<Term> digits, List<Term> wordDigits, List<Term> placeDigits, List<Term> groupDigits, int group, int fields, Optional<Rank> lane) {

  /// A digit and what it counts.
  record Term(Rank rank, int factor) {}

  static Steps of(Rank whole, int group, int fields) {
    int size = whole.size().value();
    String name = whole.name();
    Rank groups = new Rank(name + "g", Size.of(size / group));
    Rank words = new Rank(fields == 1 ? name : name + "w", Size.of(group / fields));
    Rank places = new Rank(name + "f", Size.of(fields));
    return new Steps(whole, List.of(new Term(groups, group), new Term(words, fields), new Term(places, 1)), List.of(new Term(groups, group / fields), new Term(words, 1)),
        List.of(new Term(places, 1)), List.of(new Term(groups, 1)), group, fields, Optional.empty());
  }

  /// The same for lanes, if groups and words are whole ones then.
  static Optional<Steps> inLanes(Rank whole, int group, int fields, int lanes) {
    int size = whole.size().value();
    int block = fields * lanes;
    boolean hasBlocks = group % block == 0;
    if (lanes < 2 || group % lanes != 0 || size % block != 0 || !hasBlocks && block % group != 0) {
      return Optional.empty();
    }
    String name = whole.name();
    Rank outer = new Rank(name + (hasBlocks ? "g" : "w"), Size.of(size / Math.max(group, block)));
    Rank inner = new Rank(name + (hasBlocks ? "w" : "g"), Size.of(hasBlocks ? group / block : block / group));
    Rank places = new Rank(name + "f", Size.of(Math.min(group, block) / lanes));
    Rank lane = new Rank(name + "l", Size.of(lanes));
    List<Term> digits = List.of(new Term(outer, Math.max(group, block)), new Term(inner, Math.min(group, block)), new Term(places, lanes), new Term(lane, 1));
    int several = inner.size().value();
    List<Term> both = List.of(new Term(outer, several), new Term(inner, 1));
    List<Term> first = List.of(new Term(outer, 1));
    return Optional.of(new Steps(whole, digits, hasBlocks ? both : first,
        hasBlocks ? List.of(new Term(places, 1)) : List.of(new Term(inner, group / lanes), new Term(places, 1)), hasBlocks ? first : both, group, fields, Optional.of(lane)));
  }

  /// How many coordinates words side by side have, one of each lane.
  int block() {
    return fields * lane.map(rank -> rank.size().value()).orElse(1);
  }

  /// The ranks that the reduction has in place of the whole one, from the outside in.
  List<Rank> ranks() {
    return digits.stream().map(Term::rank).filter(rank -> rank.size().value() > 1 && lane.filter(one -> one == rank).isEmpty()).toList();
  }

  /// The rank of the fields of a word.
  Rank places() {
    return placeDigits.getLast().rank;
  }

  /// The coordinate of the whole rank.
  Expr coordinate() {
    return sum(digits);
  }

  /// The place of a word among all.
  Expr word() {
    return sum(wordDigits);
  }

  /// What the words of a sum go along.
  String wordName() {
    return (fields == 1 ? whole.name() : whole.name() + "w");
  }

  Expr place() {
    return sum(placeDigits);
  }

  Expr ofGroup() {
    return sum(groupDigits);
  }

  /// What a rank of the groups is called.
  String groupName() {
    return whole.name() + "g";
  }

  /// How many groups there are.
  int groups() {
    return whole.size().value() / group;
  }

  /// What gives the coordinate of the whole rank where words are at `word`, fields at `place`, and lanes at `among`.
  Expr at(Expr word, Expr place, Expr among) {
    int lanes = block() / fields;
    return Stream.of(times(word, block()), times(place, lanes), among).filter(term -> !term.equals(Expr.index(0))).reduce((a, b) -> new Expr.Binary(BinaryOp.ADD, a, b)).orElseThrow();
  }

  private static Expr times(Expr expr, int factor) {
    return factor == 1 || expr.equals(Expr.index(0)) ? expr : new Expr.Binary(BinaryOp.MUL, expr, Expr.index(factor));
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
