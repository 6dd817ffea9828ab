package dev.einfall.passes.cascade;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.passes.Target;

/// What it takes to convert lanes from one type to another.
final class Conversions {
  /// The bits of an `f16` are moved, what stands for infinite ones and no numbers is found, and changed. Most of these six operations wait for the one before: beside a product they
  /// take as long as so many that do not.
  private static final int OF_HALVES = 9;

  private Conversions() {}

  /// Whether some target takes more than an operation for elements of `type` as wider floats.
  static boolean areLong(ElementType type) {
    return type == ElementType.F16;
  }

  /// The operations of `cast`, most of which are of integers; 0 if loads do it.
  static long operations(Expr.Cast cast, Target target) {
    return !cast.type().isFloat() ? 0 : switch (cast.operand().type()) {
      case I64, I32, I16, I8, U8 -> 1;
      case BF16 -> target.convertsVectors() ? 0 : 1;
      case F16 -> target.convertsVectors() ? 0 : OF_HALVES;
      case F64, F32, BOOL -> 0;
    };
  }
}
