package dev.einfall.backends.jvm;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/// The variables of a kernel that are `i32` and never negative: counters of loops, and what is made of these by operations that keep
/// the sign. C2 does not see it of the parameters of a method and the results of `floorDiv` and `floorMod`, and then checks at run time
/// whether addresses that are counted from them lie in memory.
final class NeverNegative {
  private final Set<Var> variables = Collections.newSetFromMap(new IdentityHashMap<>());

  static Set<Var> of(Stmt body) {
    NeverNegative found = new NeverNegative();
    body.nodes().forEach(found::add);
    return Collections.unmodifiableSet(found.variables);
  }

  /// Outer statements come first, so that what a value refers to is known.
  private void add(Stmt statement) {
    switch (statement) {
      case Stmt.For loop -> variables.add(loop.var());
      case Stmt.Let(Var var, Expr value, Stmt _) when isIndex(value) && holds(value) -> variables.add(var);
      case Stmt.Let _, Stmt.Block _, Stmt.Alloc _, Stmt.If _, Stmt.Store _, Stmt.Require _, Stmt.Barrier _ -> {}
    }
  }

  private static boolean isIndex(Expr value) {
    return !value.type().isVector() && value.type().element() == ElementType.I32;
  }

  private boolean holds(Expr value) {
    return switch (value) {
      case Expr.IntLiteral(_, long number) -> number >= 0;
      case Expr.Ref(Var var) -> variables.contains(var);
      case Expr.Binary(var op, Expr left, Expr right) -> switch (op) {
        // Sums and products may wrap.
        case DIV, MOD, MIN -> holds(left) && holds(right);
        case MAX, AND -> holds(left) || holds(right);
        case ADD, SUB, MUL, POW, EQ, NE, LT, LE, GT, GE, OR, XOR, SHL, SHR -> false;
      };
      case Expr.FloatLiteral _, Expr.Load _, Expr.Unary _, Expr.Fma _, Expr.Select _, Expr.Cast _, Expr.Bitcast _, Expr.Ramp _,
          Expr.Broadcast _, Expr.ReduceLanes _, Expr.Zip _, Expr.Permute _, Expr.PermuteBytes _, Expr.AddHalves _, Expr.Dot _, Expr.TileProduct _ -> false;
    };
  }
}
