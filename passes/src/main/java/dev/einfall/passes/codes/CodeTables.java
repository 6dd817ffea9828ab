package dev.einfall.passes.codes;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.loop.Interval;
import dev.einfall.passes.cascade.Exprs;
import dev.einfall.passes.loop.PermutePlanes;
import dev.einfall.passes.loop.PermuteRows;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What codes stand for, looked up in tables of it for each code, where this is cheaper than to compute it.
///
/// ```
///                           P_values[value] = exp(f32(value - 8))
/// exp(f32(code[n, k]))  =>  P_values[P_words[kg, kw, n] >> kf * 4 & 15]
/// ```
///
/// @param bits of a field
/// @param factors expressions one of which being no number makes the whole sum none: what says so may stand behind the sum
/// @param options of the pass
record CodeTables(Codes codes, Steps steps, NewTensors tensors, CodeFields fields, Set<Expr> factors, int bits, DecodeInProducts options) {
  /// Codes of more bits have more values than are worth a table.
  private static final int MOST_TABLE_BITS = 8;
  /// A table without an instruction for it costs more than so many operations.
  private static final int FEW_OPERATIONS = 4;
  /// More bits than fields of words have are in bytes.
  private static final int FIELD_BITS = 4;
  /// Rows of tables are used as often.
  private static final int LEAST_USES = 8;

  /// `expr` from a table for all rows, or from one for each row, if it is a function of one code that is worth this.
  Optional<Expr> find(Expr expr) {
    List<Expr> inside = codes.of(expr);
    if (inside.size() != 1) {
      return Optional.empty();
    }
    Expr code = inside.getFirst();
    if (Codes.isFunction(expr, code) && isWorthTable(expr)) {
      return Optional.of(looked(expr, code));
    }
    return isOfRows(expr, code) && isWorthTables(expr, code) ? Optional.of(ofRow(expr, code)) : Optional.empty();
  }

  /// What `expr` is for each value of `code` in each row. A row that fills a vector is loaded as it is: a shorter one is repeated, so that all bits that choose from it may come from the word.
  private Expr ofRow(Expr expr, Expr code) {
    int choices = 1 << Codes.bits(Codes.range(code));
    int length = Math.max(choices, steps.lane().map(lane -> lane.size().value()).orElse(1));
    Rank value = new Rank("value", Size.of(length));
    Expr place = length == choices ? new Expr.Coordinate(value) : new Expr.Binary(BinaryOp.AND, new Expr.Coordinate(value), Expr.index(choices - 1));
    NewAxes axes = new NewAxes();
    axes.addOuter(tensors.outer(without(expr, code)));
    axes.add(value, wider(fields.place(code), length));
    return new Expr.Access(tensors.defined("values", axes.ranks(), axes.at(ofCode(expr, code, place, choices))), axes.indices());
  }

  /// The place with as many of its lowest bits as choose among `length`.
  private static Expr wider(Expr place, int length) {
    return place instanceof Expr.Binary(BinaryOp op, Expr bits, Expr.IntLiteral _) && op == BinaryOp.AND ? new Expr.Binary(op, bits, Expr.index(length - 1)) : place;
  }

  private boolean isWorthTable(Expr expr) {
    Expr code = codes.of(expr).getFirst();
    int width = Codes.bits(Codes.range(code));
    long operations = Exprs.operations(expr) - Exprs.operations(code);
    return width <= MOST_TABLE_BITS && expr.type().isFloat() && (isLong(expr) || operations > lookUp(expr, code, width) || isLookedUp(expr));
  }

  /// How many operations a choice is about among what codes of so many bits stand for; of a short row it takes the place of a conversion.
  private long lookUp(Expr expr, Expr code, int width) {
    boolean isQuick = 1 << Math.max(width, bits) <= options.row();
    return isQuick ? 0 : width <= FIELD_BITS || options.row() <= PermuteRows.MOST ? FEW_OPERATIONS : FEW_OPERATIONS + Evaluation.values(expr, code).map(values -> form(expr, values).cost()).orElse(1 << width);
  }

  /// Whether `expr` has functions that are many operations each.
  private static boolean isLong(Expr expr) {
    return expr.nodes().anyMatch(CodeTables::isFunction);
  }

  /// Whether `node` is a function that is many operations.
  static boolean isFunction(Expr node) {
    return node instanceof Expr.Binary binary && binary.op() == BinaryOp.POW || node instanceof Expr.Unary unary && !unary.op().isCorrectlyRounded();
  }

  /// Whether `expr` is an element at a place that a code says.
  private boolean isLookedUp(Expr expr) {
    return Exprs.accesses(expr).anyMatch(access -> access.indices().stream().anyMatch(index -> !codes.of(index).isEmpty()) && !codes.isCode(access));
  }

  /// Whether nothing but `code` and what is the same along the whole rank determines `expr`.
  private boolean isOfRows(Expr expr, Expr code) {
    return expr.equals(code) || !Exprs.freeRanks(expr).contains(steps.whole()) || !codes.of(expr).isEmpty() && expr.children().allMatch(child -> isOfRows(child, code));
  }

  /// Whether a table for each row is little beside its codes, and computing `expr` for each step much.
  private boolean isWorthTables(Expr expr, Expr code) {
    long values = 1L << Codes.bits(Codes.range(code));
    return expr.type() == ElementType.F32 && values * LEAST_USES <= steps.whole().size().value() && (isLong(expr) || isLookedUp(expr) && steps.lane().isPresent());
  }

  private static Expr without(Expr expr, Expr code) {
    return Exprs.rewrite(expr, node -> node.equals(code) ? new Expr.IntLiteral(code.type(), 0) : node);
  }

  /// What `expr` is for each value of `code`, looked up in the cheapest way; for fields that no code has, as for the last one.
  private Expr looked(Expr expr, Expr code) {
    int width = Codes.bits(Codes.range(code));
    ValueTables form = Evaluation.values(expr, code).filter(_ -> width > FIELD_BITS).map(values -> form(expr, values)).orElse(new ValueTables.Whole(1 << width, 1));
    Expr index = new Expr.Coordinate(new Rank("place", Size.of(1 << width)));
    Expr found = form.at(index, new ValueTables.Tables() {

      @Override
      public Expr signed() {
        return fields.signed(code);
      }

      @Override
      public Optional<Expr> turned(Expr all, int low) {
        return Optional.of(all).filter(index::equals).map(_ -> fields.turned(code, low));
      }

      @Override
      public Expr element(int length, int step, boolean isDistance, Expr place) {
        return CodeTables.this.element(expr, code, length, step, isDistance, place);
      }
    });
    Expr place = fields.place(code);
    return Exprs.rewrite(found, node -> node.equals(index) ? place : masked(node));
  }

  /// The cheapest form of `expr`, which has these values.
  private ValueTables form(Expr expr, double[] values) {
    ValueTables whole = ValueTables.of(values, options, false);
    ValueTables apart = factors.contains(expr) && NoNumbers.of(values).isPresent() ? ValueTables.of(values, options, true) : whole;
    return apart.cost() < whole.cost() ? apart : whole;
  }

  /// Whether `expr`, which is looked up, is so byte by byte for four fields of a word.
  boolean areOfPlanes(Expr expr) {
    Expr code = codes.of(expr).getFirst();
    int length = 1 << Codes.bits(Codes.range(code));
    return PermutePlanes.canChoose(length, options.bytes()) && Codes.isFunction(expr, code)
        && Evaluation.values(expr, code).filter(values -> !(form(expr, values) instanceof ValueTables.Whole)).isEmpty();
  }

  /// The codes that stand for no number, if `expr` is found without asking for them.
  Optional<NoNumbers> apart(Expr expr) {
    List<Expr> inside = codes.of(expr);
    boolean isLookedUp = inside.size() == 1 && Codes.isFunction(expr, inside.getFirst()) && isWorthTable(expr) && Codes.bits(Codes.range(inside.getFirst())) > FIELD_BITS;
    return Optional.of(expr).filter(_ -> isLookedUp).flatMap(one -> Evaluation.values(one, inside.getFirst())).filter(values -> form(expr, values).hasNone()).flatMap(NoNumbers::of);
  }

  /// A mask of what is masked already as one mask.
  private static Expr masked(Expr expr) {
    return expr instanceof Expr.Binary(BinaryOp op, Expr.Binary(BinaryOp inner, Expr place, Expr.IntLiteral first), Expr.IntLiteral second)
        && op == BinaryOp.AND && inner == op ? new Expr.Binary(op, place, new Expr.IntLiteral(first.type(), first.value() & second.value())) : expr;
  }

  /// The element at `place` of a table of what `expr` is for each value of `code`.
  ///
  /// @param step how many codes are from one element to the next
  /// @param isDistance whether elements are how far it is from each number to that of the next code
  private Expr element(Expr expr, Expr code, int length, int step, boolean isDistance, Expr place) {
    Rank value = new Rank("value", Size.of(length));
    NewAxes axes = new NewAxes();
    axes.add(value, place);
    Expr coordinate = step == 1 ? new Expr.Coordinate(value) : new Expr.Binary(BinaryOp.MUL, new Expr.Coordinate(value), Expr.index(step));
    Expr first = ofCode(expr, code, coordinate, (long) length * step);
    Expr number = isDistance ? new Expr.Binary(BinaryOp.SUB, ofCode(expr, code, new Expr.Binary(BinaryOp.ADD, coordinate, Expr.index(1)), (long) length * step), first) : first;
    return new Expr.Access(tensors.defined(isDistance ? "distances" : "values", axes.ranks(), number), axes.indices());
  }

  /// `expr` for the code that is `place` above the least one, or the last one if there are fewer than `values`.
  private static Expr ofCode(Expr expr, Expr code, Expr place, long values) {
    Interval range = Codes.range(code);
    Expr from = CodeFields.plus(place, range.low());
    boolean isThere = values <= range.high() - range.low() + 1;
    Expr as = CodeFields.cast(code.type(), isThere ? from : new Expr.Binary(BinaryOp.MIN, from, Expr.index(range.high())));
    return Exprs.rewrite(expr, node -> node.equals(code) ? as : node);
  }
}
