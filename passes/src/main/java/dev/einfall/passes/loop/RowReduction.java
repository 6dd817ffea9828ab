package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Ranges;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Stmt.For.Kind;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Numerics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Rows that a block reduces, which are fewer than its threads: several threads share each.
///
/// ```
/// for p in 0..32 {                         alloc parts: f32[32, 4] in shared {
///   alloc top: f32[] in local {              thread for t in 0..128 {
///     top[] = -inf                             let p: i32 = t / 4
///     for m in 0..64 {                         alloc part: f32[] in local {
///       top[] = max(top[], S[p, m])              part[] = -inf
///     }                              =>          for s in 0..16 { .. part[] = max(part[], S[p, s * 4 + t % 4]) }
///     run[p] = max(run[p], top[])                parts[t / 4, t % 4] = part[]
///   }                                        } }
/// }                                          barrier
///                                            thread for p in 0..32 {
///                                              alloc top: f32[] in local { top[] = -inf .. top[] = max(top[], parts[p, g]) .. run[p] = max(run[p], top[]) }
///                                          } }
/// ```
///
/// @param nest the rows
/// @param allocated what a row has of its own
/// @param before what it does before it reduces
/// @param after what it does then
/// @param group how many threads share a row
record RowReduction(IndependentNest nest, List<Buffer> allocated, List<Stmt> before, ThreadReduction reduction, List<Stmt> after, int group) {
  /// A thread takes so many steps at least.
  private static final long FEWEST_STEPS = 8;

  /// The rows that `nest` reduces, if there are any for several threads each.
  static Optional<RowReduction> of(IndependentNest nest, Numerics numerics) {
    List<Buffer> allocated = new ArrayList<>();
    Stmt body = nest.body();
    while (body instanceof Stmt.Alloc(Buffer buffer, Stmt inner)) {
      allocated.add(buffer);
      body = inner;
    }
    if (nest.loops().isEmpty() || !(body instanceof Stmt.Block(List<Stmt> statements))) {
      return Optional.empty();
    }
    for (int i = 0; i < statements.size(); i++) {
      Optional<ThreadReduction> reduction = ThreadReduction.any(statements.get(i), nest.ranges(), numerics);
      if (reduction.isPresent()) {
        long steps = reduction.get().iterations();
        int group = Integer.highestOneBit((int) Math.max(1, Math.min(ThreadReduction.THREADS / nest.iterations(), steps / FEWEST_STEPS)));
        RowReduction rows = new RowReduction(nest, allocated, statements.subList(0, i), reduction.get(), statements.subList(i + 1, statements.size()), group);
        return group > 1 && rows.isApart() ? Optional.of(rows) : Optional.empty();
      }
    }
    return Optional.empty();
  }

  /// Whether what is reduced uses nothing that a row has of its own but what it accumulates to.
  private boolean isApart() {
    return allocated.stream().filter(buffer -> reduction.steps().stream().noneMatch(step -> step.store().buffer() == buffer))
        .noneMatch(buffer -> Rewrites.accesses(reduction.body(), buffer));
  }

  /// As all threads run it, without barriers.
  Stmt body() {
    Map<Accumulation, Buffer> parts = new LinkedHashMap<>();
    reduction.steps().forEach(step -> parts.put(step, new Buffer("parts", step.store().buffer().type(), List.of((int) nest.iterations(), group), Buffer.Space.SHARED)));
    Stmt result = Stmt.block(reduced(parts), combined(parts));
    for (Buffer buffer : parts.values()) {
      result = new Stmt.Alloc(buffer, result);
    }
    return result;
  }

  private Stmt reduced(Map<Accumulation, Buffer> parts) {
    Var thread = Var.counter("t");
    Expr row = new Expr.Binary(BinaryOp.DIV, new Expr.Ref(thread), Expr.index(group));
    Expr member = new Expr.Binary(BinaryOp.MOD, new Expr.Ref(thread), Expr.index(group));
    Map<Accumulation, Buffer> own = new LinkedHashMap<>();
    parts.forEach((step, part) -> own.put(step, new Buffer("part", part.type(), List.of(), Buffer.Space.LOCAL)));
    Stmt changed = Rewrites.statements(reduction.body(), node -> reduction.steps().stream().filter(step -> step.store() == node).findFirst()
        .<Stmt>map(step -> new Stmt.Store(own.get(step), List.of(), new Expr.Binary(step.op(), load(own.get(step)), step.value()))).orElse(node));
    Var step = Var.counter("s");
    Var element = Var.counter("element");
    Expr index = new Expr.Binary(BinaryOp.ADD, new Expr.Binary(BinaryOp.MUL, new Expr.Ref(step), Expr.index(group)), member);
    Stmt all = CollapseLoops.coordinates(reduction.loops(), new Expr.Ref(element), changed);
    Stmt guarded = reduction.iterations() % group == 0 ? all
        : new Stmt.If(new Expr.Binary(BinaryOp.LT, new Expr.Ref(element), Expr.index(reduction.iterations())), all, Stmt.NOTHING);
    List<Stmt> statements = new ArrayList<>();
    own.forEach((reduced, part) -> statements.add(new Stmt.Store(part, List.of(), FactorReductions.identity(reduced.op(), part.type()))));
    statements.add(new Stmt.For(step, Expr.index((reduction.iterations() + group - 1) / group), Kind.SERIAL, new Stmt.Let(element, index, guarded),
        reduction.loops().getFirst().span()));
    parts.forEach((reduced, part) -> statements.add(new Stmt.Store(part, List.of(row, member), load(own.get(reduced)))));
    Stmt body = Stmt.block(statements);
    for (Buffer buffer : own.values()) {
      body = new Stmt.Alloc(buffer, body);
    }
    return new Stmt.For(thread, Expr.index(nest.iterations() * group), Kind.THREAD, Rewrites.copy(CollapseLoops.coordinates(nest.loops(), row, body)),
        nest.loops().getFirst().span());
  }

  private Stmt combined(Map<Accumulation, Buffer> parts) {
    Var row = Var.counter("row");
    List<Stmt> statements = new ArrayList<>(before);
    parts.forEach((step, part) -> {
      Var member = Var.counter("g");
      Expr value = new Expr.Load(part, List.of(new Expr.Ref(row), new Expr.Ref(member)));
      statements.add(new Stmt.For(member, Expr.index(group), Kind.SERIAL, new Stmt.Store(step.store().buffer(), step.store().indices(),
          new Expr.Binary(step.op(), step.accumulator(), value)), Span.NONE));
    });
    statements.addAll(after);
    Stmt body = Stmt.block(statements);
    for (Buffer buffer : allocated.reversed()) {
      body = new Stmt.Alloc(buffer, body);
    }
    return new Stmt.For(row, Expr.index(nest.iterations()), Kind.THREAD, CollapseLoops.coordinates(nest.loops(), new Expr.Ref(row), body),
        nest.loops().getFirst().span());
  }

  private static Expr load(Buffer buffer) {
    return new Expr.Load(buffer, List.of());
  }
}
