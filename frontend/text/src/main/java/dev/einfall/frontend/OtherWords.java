package dev.einfall.frontend;

import java.util.Optional;

/// What is written here for the names that other languages have for types, functions and reductions.
final class OtherWords {
  private OtherWords() {}

  static String type(String name) {
    return Optional.ofNullable(switch (name) {
      case "double", "float64" -> "f64";
      case "float", "float32", "single", "real" -> "f32";
      case "half", "float16" -> "f16";
      case "bfloat16" -> "bf16";
      case "long", "int64" -> "i64";
      case "int", "int32", "integer" -> "i32";
      case "short", "int16" -> "i16";
      case "int8", "sbyte" -> "i8";
      case "uint8", "byte", "char" -> "u8";
      case "boolean", "bit" -> "bool";
      default -> null;
    }).map(type -> "; did you mean `" + type + "`?").orElse("");
  }

  /// A clause on what a function or reduction of this name is here, or nothing.
  static String function(String name) {
    return Optional.ofNullable(switch (name) {
      case "mean", "average", "avg" -> "a mean is `sum[n](...) / N`";
      case "var", "variance", "std" -> "a variance is `sum[n](...) / N` of squared differences";
      case "product" -> "the reduction is `prod`";
      case "maximum", "amax" -> "the function and the reduction are `max`";
      case "minimum", "amin" -> "the function and the reduction are `min`";
      case "count" -> "write `sum[n](i32(condition))`";
      case "power", "square", "sqr" -> "a power is `pow(x, y)`, a square `x * x`";
      case "ln" -> "the natural logarithm is `log`";
      case "log10" -> "write `log(x) / log(10.0)`";
      case "exp2" -> "write `pow(2.0, x)`";
      case "tan" -> "write `sin(x) / cos(x)`";
      case "fabs", "absolute" -> "write `abs(x)`";
      case "trunc" -> "a cast such as `i32(x)` rounds toward 0";
      case "mod", "fmod", "remainder" -> "the remainder is `x % y`";
      case "select", "cond", "ifelse", "iif" -> "a choice between values is `where(condition, x, y)`";
      case "dot", "matmul", "mm", "bmm", "einsum", "tensordot" ->
          "a product is a statement of its own: `C[m, n] = A[m, k] * B[k, n]`";
      case "cast", "astype", "to" -> "a cast is called as its type: `f32(x)`";
      case "view", "flatten", "squeeze", "unsqueeze" -> "write `reshape(x, [...])`";
      case "permute", "swapaxes", "T" -> "write `transpose(x, [1, 0])`";
      case "cat", "concatenate", "stack" -> "write `concat(x, y, 0)`";
      case "zeros", "ones", "full", "arange", "iota" -> "a tensor of numbers is a statement: `Y[n in 0..N] = n`";
      case "len", "shape", "size" -> "a size is a name in a tensor's type, and a value like a number";
      default -> null;
    }).map(clause -> "; " + clause).orElse(type(name));
  }
}
