package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.ValueType;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A loop that does nothing but add bytes of tables to vector registers: see [SumBytes].
///
/// @param sums what a turn adds to each register: the first one of each four bytes of a lane
record ByteSums(Stmt.For loop, Map<Expr.Load, List<ByteTerm>> sums) {
  private static final int BYTES = Integer.BYTES;
  /// The sum of so many bytes is less than 2^16.
  private static final int MOST_BYTES = 257;
  /// Four times the sum of so many is less than 2^16.
  private static final int FEW_BYTES = 64;

  static Optional<ByteSums> of(Stmt.For loop) {
    List<Stmt> statements = loop.body() instanceof Stmt.Block(List<Stmt> all) ? all : List.of(loop.body());
    Map<Expr.Load, List<ByteTerm>> terms = new LinkedHashMap<>();
    for (Stmt statement : statements) {
      if (!(statement instanceof Stmt.Store store) || !collect(store, terms)) {
        return Optional.empty();
      }
    }
    Optional<Long> turns = Rewrites.constant(loop.extent()).filter(_ -> loop.kind() == Stmt.For.Kind.SERIAL);
    Map<Expr.Load, List<ByteTerm>> sums = new LinkedHashMap<>();
    terms.forEach((register, all) -> firsts(all).ifPresent(first -> sums.put(register, first)));
    boolean areExact = turns.isPresent() && sums.values().stream().allMatch(first -> first.size() * turns.get() <= MOST_BYTES);
    boolean areAlike = sums.keySet().stream().map(Expr.Load::type).distinct().count() == 1;
    boolean areApart = terms.values().stream().flatMap(List::stream).flatMap(term -> Stream.of(term.words(), term.table())).flatMap(Expr::nodes)
        .noneMatch(node -> node instanceof Expr.Load load && sums.keySet().stream().anyMatch(register -> register.buffer() == load.buffer()));
    return areExact && areAlike && areApart && sums.size() == terms.size() ? Optional.of(new ByteSums(loop, sums)) : Optional.empty();
  }

  /// Adds the terms that `store` adds to a register to those of it.
  private static boolean collect(Stmt.Store store, Map<Expr.Load, List<ByteTerm>> terms) {
    Expr.Load register = new Expr.Load(store.buffer(), store.indices());
    if (store.buffer().space() != Buffer.Space.REGISTER || !register.type().equals(new ValueType(ElementType.F32, register.type().lanes())) || !register.type().isVector()) {
      return false;
    }
    List<ByteTerm> own = new ArrayList<>();
    Expr rest = store.value();
    while (rest instanceof Expr.Binary(BinaryOp op, Expr left, Expr right) && op == BinaryOp.ADD) {
      Optional<ByteTerm> term = ByteTerm.of(right);
      if (term.isEmpty()) {
        return false;
      }
      own.add(term.get());
      rest = left;
    }
    terms.computeIfAbsent(register, _ -> new ArrayList<>()).addAll(own);
    return rest.equals(register);
  }

  /// The first ones of the fours that `terms` are; empty if some are left over.
  private static Optional<List<ByteTerm>> firsts(List<ByteTerm> terms) {
    List<ByteTerm> rest = new ArrayList<>(terms);
    List<ByteTerm> firsts = new ArrayList<>();
    while (!rest.isEmpty()) {
      Optional<ByteTerm> first = rest.stream().filter(ByteTerm::isFirst).findFirst();
      if (first.isEmpty()) {
        return Optional.empty();
      }
      firsts.add(first.get());
      for (int i = 0; i < BYTES; i++) {
        int distance = i;
        Optional<ByteTerm> next = rest.stream().filter(term -> first.get().isFollowedBy(term, distance)).findFirst();
        if (next.isEmpty()) {
          return Optional.empty();
        }
        rest.remove(next.get());
      }
    }
    return Optional.of(firsts);
  }

  /// The loop, with two registers for each that it adds to.
  Stmt statement() {
    Buffer like = sums.keySet().iterator().next().buffer();
    Buffer all = new Buffer(like.name() + "_all", ElementType.I32, List.of(sums.size(), lanes()), Buffer.Space.REGISTER);
    Buffer rest = new Buffer(like.name() + "_rest", ElementType.I32, List.of(sums.size(), lanes()), Buffer.Space.REGISTER);
    List<Stmt> before = new ArrayList<>();
    List<Stmt> inside = new ArrayList<>();
    List<Stmt> after = new ArrayList<>();
    sums.forEach((register, firsts) -> {
      Expr.Load four = new Expr.Load(all, place(after.size()));
      Expr.Load three = new Expr.Load(rest, place(after.size()));
      before.add(store(four, number(0)));
      before.add(store(three, number(0)));
      inside.add(added(firsts, four, three));
      after.add(store(register, new Expr.Binary(BinaryOp.ADD, register, new Expr.Cast(ElementType.F32, total(firsts, four, three)))));
    });
    Stmt body = named("table", sums.values().stream().flatMap(List::stream).map(ByteTerm::table), Stmt.block(inside));
    Stmt result = Stmt.block(Stmt.block(before), loop.withBody(body), Stmt.block(after));
    return new Stmt.Alloc(all, new Stmt.Alloc(rest, result));
  }

  /// `body` with a variable for each of `values`: code that loads them again and again would be too long for one method.
  private static Stmt named(String name, Stream<Expr> values, Stmt body) {
    Map<Expr, Expr> variables = new LinkedHashMap<>();
    values.forEach(value -> variables.computeIfAbsent(value, _ -> new Expr.Ref(new Var(name, value.type()))));
    Stmt result = Rewrites.exprs(body, expr -> variables.getOrDefault(expr, expr));
    for (Map.Entry<Expr, Expr> variable : List.copyOf(variables.entrySet()).reversed()) {
      result = new Stmt.Let(((Expr.Ref) variable.getValue()).var(), variable.getKey(), result);
    }
    return result;
  }

  private int lanes() {
    return sums.keySet().iterator().next().type().lanes();
  }

  private List<Expr> place(int register) {
    return List.of(Expr.index(register), new Expr.Ramp(Expr.index(0), 1, lanes()));
  }

  /// Adds four bytes of each lane for each of `firsts`.
  private Stmt added(List<ByteTerm> firsts, Expr.Load four, Expr.Load three) {
    Stmt all = Stmt.block(firsts.stream().map(first -> added(first, four, three)).toList());
    return named("words", firsts.stream().map(ByteTerm::stored), all);
  }

  /// Adds four bytes of each lane: twice, the second time those that are left when the first one is shifted out.
  private Stmt added(ByteTerm first, Expr.Load four, Expr.Load three) {
    Var bytes = new Var("bytes", four.type());
    return new Stmt.Let(bytes, first.bytes(), Stmt.block(
        store(four, new Expr.AddHalves(four, new Expr.Ref(bytes))), store(three, new Expr.AddHalves(three, shifted(new Expr.Ref(bytes), Byte.SIZE)))));
  }

  /// All that was added up: the sum of the fourth bytes stands alone in the upper half of `three`; without it the upper half of `four` is that of the third ones, and so
  /// on to the first.
  private Expr total(List<ByteTerm> firsts, Expr.Load four, Expr.Load three) {
    Expr fourth = shifted(three, Short.SIZE);
    Expr third = without(shifted(four, Short.SIZE), fourth);
    Expr second = without(three, third);
    Expr first = without(four, second);
    long turns = Rewrites.constant(loop.extent()).orElseThrow();
    long offset = firsts.stream().mapToLong(term -> BYTES * turns * term.offset()).sum();
    Expr sum = firsts.size() * turns <= FEW_BYTES ? half(add(add(first, second), add(third, fourth))) : add(add(half(first), half(second)), add(half(third), fourth));
    return new Expr.Binary(BinaryOp.SUB, sum, number(offset));
  }

  /// The lower halves of `both` without those of `sum`, which lie a byte higher in it; the upper halves are of no use.
  private Expr without(Expr both, Expr sum) {
    return new Expr.Binary(BinaryOp.SUB, both, new Expr.Binary(BinaryOp.SHL, sum, number(Byte.SIZE)));
  }

  private Expr half(Expr sum) {
    return new Expr.Binary(BinaryOp.AND, sum, number(0xffff));
  }

  private Expr shifted(Expr bits, int distance) {
    return new Expr.Binary(BinaryOp.AND, new Expr.Binary(BinaryOp.SHR, bits, number(distance)), number((1L << Integer.SIZE - distance) - 1));
  }

  private static Expr add(Expr left, Expr right) {
    return new Expr.Binary(BinaryOp.ADD, left, right);
  }

  private Expr number(long value) {
    return ByteTerm.number(value, lanes());
  }

  private static Stmt store(Expr.Load register, Expr value) {
    return new Stmt.Store(register.buffer(), register.indices(), value);
  }
}
