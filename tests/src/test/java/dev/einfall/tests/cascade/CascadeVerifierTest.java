package dev.einfall.tests.cascade;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Mapping.Binding;
import dev.einfall.ir.cascade.Mapping.Bound;
import dev.einfall.ir.cascade.Mapping.Group;
import dev.einfall.ir.cascade.Mapping.Nest;
import dev.einfall.ir.cascade.Mapping.Split;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.Reduction;
import dev.einfall.ir.cascade.Tensor;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Around the softmax `X -> MX -> E -> D -> Y` over rows.
class CascadeVerifierTest {
  private static final Size ROWS = Size.named("P");
  private static final Size COLUMNS = Size.of(100);

  private final Tensor x = tensor("X", ROWS, COLUMNS);
  private final Tensor mx = tensor("MX", ROWS);
  private final Tensor e = tensor("E", ROWS, COLUMNS);
  private final Tensor d = tensor("D", ROWS);
  private final Tensor y = tensor("Y", ROWS, COLUMNS);
  private final Einsum maximum = reduction(mx, Reduction.MAX, x);
  private final Einsum difference = pointwise(e, BinaryOp.SUB, x, mx);
  private final Einsum sum = reduction(d, Reduction.SUM, e);
  private final Einsum quotient = pointwise(y, BinaryOp.DIV, e, d);
  private final List<Einsum> einsums = List.of(maximum, difference, sum, quotient);

  @Test
  void acceptsASoftmaxWithItsMapping() {
    Nest nest = new Nest(d, List.of(new Split("m", List.of(2, 16))), List.of("m2", "p", "m1"),
        List.of(new Bound("m0", Binding.VECTORIZE), new Bound("p", Binding.PARALLEL)));
    Group group = new Group(List.of(mx, e, d, y), List.of("p"));
    CascadeVerifier.verify(cascade(einsums, y).withMapping(new Mapping(List.of(nest), List.of(group), List.of(), List.of())));
  }

  @Test
  void rejectsAUseBeforeTheDefinition() {
    rejects("MX: f32[P] is used before it is defined", cascade(List.of(difference, maximum), e));
  }

  @Test
  void rejectsATensorDefinedTwice() {
    rejects("MX: f32[P] is defined twice", cascade(List.of(maximum, reduction(mx, Reduction.MAX, x)), mx));
    rejects("X: f32[P, 100] is defined twice", cascade(List.of(maximum, pointwise(x, BinaryOp.SUB, x, mx)), x));
  }

  @Test
  void rejectsAnOutputThatNoEinsumDefines() {
    rejects("output X: f32[P, 100] is not defined", cascade(einsums, x));
    rejects("is an output twice", cascade(einsums, y, y));
  }

  @Test
  void rejectsARankOutOfScope() {
    Rank stranger = new Rank("q", ROWS);
    Einsum wrong = new Einsum(mx, List.of(new Rank("p", ROWS)), at(x, stranger, new Rank("m", COLUMNS)), Span.NONE);
    rejects("rank q in 0..P is not in scope", cascade(List.of(wrong), mx));
  }

  @Test
  void rejectsARankBoundTwice() {
    Rank p = new Rank("p", ROWS);
    Expr twice = new Expr.Reduce(Reduction.SUM, List.of(p), at(x, p, p));
    rejects("rank p in 0..P is bound twice", cascade(List.of(new Einsum(mx, List.of(p), twice, Span.NONE)), mx));
  }

  @Test
  void rejectsARankOfAnotherSizeThanItsDimension() {
    Rank p = new Rank("p", Size.named("Q"));
    Einsum wrong = new Einsum(mx, List.of(p), Expr.literal(ElementType.F32, 0), Span.NONE);
    rejects("rank p in 0..Q defines dimension 0 of size P", cascade(List.of(wrong), mx));
  }

  @Test
  void rejectsACoordinateThatLeavesADimensionUnlessGuarded() {
    Rank p = new Rank("p", ROWS);
    Rank far = new Rank("m", COLUMNS.plus(Size.of(1)));
    Expr access = at(x, p, far);
    rejects("rank m in 0..101 indexes dimension 1 of X", cascade(List.of(over(p, far, access)), mx));
    Expr zero = Expr.literal(ElementType.F32, 0);
    Expr inside = new Expr.Access(x, List.of(new Expr.Coordinate(p), new Expr.Coordinate(far)), Optional.of(zero));
    CascadeVerifier.verify(cascade(List.of(over(p, far, inside)), mx));
    Expr condition = new Expr.Binary(BinaryOp.LT, new Expr.Coordinate(far), new Expr.Extent(COLUMNS));
    CascadeVerifier.verify(cascade(List.of(over(p, far, new Expr.Select(condition, access, zero))), mx));
  }

  @Test
  void rejectsAMappingOfWhatIsNotThere() {
    rejectsNest("Z: f32[] is mapped but nothing writes it", new Nest(tensor("Z"), List.of(), List.of(), List.of()));
    rejectsNest("X: f32[P, 100] is mapped but nothing writes it", new Nest(x, List.of(), List.of(), List.of()));
    rejectsNest("flatten of [m, p], which are not neighbours", flatten(e, "m", "p"));
    rejectsNest("flatten of [p, m], which are not neighbours", flatten(d, "p", "m"));
    rejectsNest("flatten of [p], which are not neighbours", flatten(e, "p"));
    rejectsNest("split of k, which is not one rank", new Nest(d, List.of(new Split("k", List.of(2))), List.of(), List.of()));
    rejectsNest("split of m by [0]", new Nest(d, List.of(new Split("m", List.of(0))), List.of(), List.of()));
    rejectsNest("order names m, which is not one loop",
        new Nest(d, List.of(new Split("m", List.of(2))), List.of("m"), List.of()));
    rejectsNest("order names p twice", new Nest(d, List.of(), List.of("p", "p"), List.of()));
    rejectsNest("binding names m7", new Nest(d, List.of(), List.of(), List.of(new Bound("m7", Binding.UNROLL))));
  }

  @Test
  void rejectsAGroupThatCannotRunTogether() {
    rejectsGroup("has no index `q`", new Group(List.of(mx, e), List.of("q")));
    rejectsGroup("`m` of `T` runs to 100", new Group(List.of(mx, transposed().tensor()), List.of("p")));
    rejectsGroup("not in the order of the cascade", new Group(List.of(e, mx), List.of("p")));
    rejectsGroup("a group of", new Group(List.of(), List.of()));
    rejectsGroup("twice in one", new Group(List.of(e, e), List.of("p")));
    rejectsGroup("needs something outside its group", new Group(List.of(mx, y), List.of("p")));
    rejectsGroup("at other places than its own", new Group(List.of(e, shifted().tensor()), List.of("m", "p")));
  }

  private final Tensor t = tensor("T", COLUMNS, ROWS);
  private final Tensor s = tensor("S", ROWS, COLUMNS);

  private Einsum transposed() {
    Rank p = new Rank("p", ROWS);
    Rank m = new Rank("m", COLUMNS);
    return new Einsum(t, List.of(m, p), at(e, p, m), Span.NONE);
  }

  private Einsum shifted() {
    Rank p = new Rank("p", ROWS);
    Rank m = new Rank("m", COLUMNS);
    Expr back = new Expr.Binary(BinaryOp.SUB, new Expr.Coordinate(m), Expr.index(1));
    Expr access = new Expr.Access(e, List.of(new Expr.Coordinate(p), back), Optional.of(Expr.literal(ElementType.F32, 0)));
    return new Einsum(s, List.of(p, m), access, Span.NONE);
  }

  private static Nest flatten(Tensor tensor, String... ranks) {
    return new Nest(tensor, List.of(new Mapping.Flatten(List.of(ranks))), List.of(), List.of(), List.of());
  }

  private void rejectsNest(String message, Nest nest) {
    rejects(message, cascade(einsums, y).withMapping(new Mapping(List.of(nest), List.of(), List.of(), List.of())));
  }

  private void rejectsGroup(String message, Group group) {
    List<Einsum> all = List.of(maximum, difference, sum, quotient, transposed(), shifted());
    rejects(message, cascade(all, y).withMapping(new Mapping(List.of(), List.of(group), List.of(), List.of())));
  }

  private static void rejects(String message, Cascade cascade) {
    InternalException problem = assertThrows(InternalException.class, () -> CascadeVerifier.verify(cascade));
    assertTrue(problem.getMessage().contains(message), problem::getMessage);
  }

  private Cascade cascade(List<? extends dev.einfall.ir.cascade.Definition> body, Tensor... outputs) {
    int[] number = {0};
    List<Cascade.Output> named = java.util.Arrays.stream(outputs)
        .map(tensor -> new Cascade.Output("out" + number[0]++, tensor)).toList();
    return new Cascade("softmax", List.of(x), List.of(), List.copyOf(body), named, Mapping.NONE);
  }

  private static Tensor tensor(String name, Size... shape) {
    return new Tensor(name, ElementType.F32, List.of(shape), Span.NONE);
  }

  private static Expr at(Tensor tensor, Rank... ranks) {
    return new Expr.Access(tensor, java.util.Arrays.stream(ranks).<Expr>map(Expr.Coordinate::new).toList());
  }

  private Einsum over(Rank p, Rank m, Expr body) {
    return new Einsum(mx, List.of(p), new Expr.Reduce(Reduction.SUM, List.of(m), body), Span.NONE);
  }

  private static Einsum reduction(Tensor result, Reduction reduction, Tensor operand) {
    Rank p = new Rank("p", ROWS);
    Rank m = new Rank("m", COLUMNS);
    return new Einsum(result, List.of(p), new Expr.Reduce(reduction, List.of(m), at(operand, p, m)), Span.NONE);
  }

  private static Einsum pointwise(Tensor result, BinaryOp op, Tensor left, Tensor right) {
    Rank p = new Rank("p", ROWS);
    Rank m = new Rank("m", COLUMNS);
    return new Einsum(result, List.of(p, m), new Expr.Binary(op, at(left, p, m), at(right, p)), Span.NONE);
  }
}
