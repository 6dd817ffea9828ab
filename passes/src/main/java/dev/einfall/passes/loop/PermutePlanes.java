package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pass;
import dev.einfall.passes.Target;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// Looks up what four fields of a word stand for byte by byte, for all four at once, in a table of floats that is long, but has no more elements than a byte numbers. The table is cut
/// into *planes* before: the first has the lowest byte of each element, and so on.
///
/// ```
/// s[] = fma(x, T[shr(w, 0) && 255], s[])
/// s[] = fma(y, T[shr(w, 8) && 255], s[])
/// s[] = fma(z, T[shr(w, 16) && 255], s[])
/// s[] = fma(u, T[shr(w, 24) && 255], s[])
///   =>
/// alloc t_planes: i32[4, 4, 16] in local {
///   for part in 0..4 {
///     t_planes[0, part, ramp(0, 1, 16)] = permute_bytes(ramp(0x0c080400, 0x10101010, 16), bitcast_i32(T[ramp(part * 64, 1, 16)]), ..)
///     ..
///   }
///   let first: i32x16 = permute_bytes(w, t_planes[0, 0, ramp(0, 1, 16)], t_planes[0, 1, ramp(0, 1, 16)], ..)
///   let second: i32x16 = permute_bytes(w, t_planes[1, 0, ramp(0, 1, 16)], ..)
///   let third: i32x16 = permute_bytes(w, t_planes[2, 0, ramp(0, 1, 16)], ..)
///   let fourth: i32x16 = permute_bytes(w, t_planes[3, 0, ramp(0, 1, 16)], ..)
///   let lower: i32x16 = permute_bytes(ramp(0x41014000, 0x04040404, 16), first, second)
///   let upper: i32x16 = permute_bytes(ramp(0x41014000, 0x04040404, 16), third, fourth)
///   s[] = fma(x, bitcast_f32(permute_bytes(ramp(0x41400100, 0x04040404, 16), lower, upper)), s[])
///   s[] = fma(y, bitcast_f32(permute_bytes(ramp(0x43420302, 0x04040404, 16), lower, upper)), s[])
///   ..
/// }
/// ```
///
/// What is chosen from one plane are the same bytes of the elements for all four fields of each word; two zips in the lanes, first of bytes and then of halves, put together the bytes of each
/// element. That is a fifth of the operations of choices among as many vectors as the table has elements for ([PermuteRows]). Stores to registers that need the same words are brought together, so
/// that what was chosen for these need not wait for others.
///
/// A table that the kernel stores to is left, and so are words of which not all fields are looked up in the same.
///
/// @param bytes how many a vector has of which one instruction chooses; 0 if none does
public record PermutePlanes(int bytes) implements Pass.OnKernel {
  /// The fields of a word.
  public static final int FIELDS = Integer.BYTES;
  /// Of shorter tables, lanes are chosen in few operations.
  private static final int LEAST_VECTORS = 2;
  private static final int MOST_VECTORS = 4;

  /// As is best on `target`.
  public static PermutePlanes on(Target target) {
    return new PermutePlanes(bytes(target));
  }

  /// How many bytes a vector of `target` has, if one instruction chooses among them, and four of them have as many as a byte numbers.
  public static int bytes(Target target) {
    return target.permutesBytes() && target.vectorBytes() == SumBytes.VECTOR_BYTES ? SumBytes.VECTOR_BYTES : 0;
  }

  /// Whether tables of `length` elements are looked up byte by byte where vectors have so many bytes.
  public static boolean canChoose(long length, int bytes) {
    return bytes > 0 && (length == (long) LEAST_VECTORS * bytes || length == (long) MOST_VECTORS * bytes);
  }

  /// How many operations that takes for each of the fields of a word. Processors begin half as many permutes in a cycle as other operations, so that each counts twice.
  public static int operations(long length, int bytes) {
    boolean isLong = length > (long) LEAST_VECTORS * bytes;
    int permutes = (isLong ? 2 * FIELDS : FIELDS) + 2 * FIELDS;
    int choices = isLong ? FIELDS + 1 : 0;
    return Math.ceilDiv(2 * permutes + choices, FIELDS);
  }

  @Override
  public String name() {
    return "permute-planes";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    Stmt body = within(kernel.body(), stored(kernel.body()));
    return body == kernel.body() ? kernel : kernel.withBody(body);
  }

  private static Set<Buffer> stored(Stmt body) {
    Set<Buffer> stored = Collections.newSetFromMap(new IdentityHashMap<>());
    body.nodes().forEach(node -> {
      if (node instanceof Stmt.Store store) {
        stored.add(store.buffer());
      }
    });
    return stored;
  }

  /// `statement` with planes made where the iterations of parallel loops begin.
  private Stmt within(Stmt statement, Set<Buffer> stored) {
    if (statement instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.PARALLEL) {
      return loop.withBody(within(loop.body(), stored));
    }
    boolean hasTasks = statement.nodes().anyMatch(node -> node instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.PARALLEL);
    return hasTasks ? statement.mapChildren(child -> within(child, stored), expr -> expr) : ofTask(statement, stored);
  }

  private Stmt ofTask(Stmt statement, Set<Buffer> stored) {
    Map<Buffer, TablePlanes> planes = new LinkedHashMap<>();
    Stmt result = fields(statement, stored, planes);
    for (TablePlanes table : List.copyOf(planes.values()).reversed()) {
      result = table.around(result);
    }
    return result;
  }

  /// `statement` with what words of whole fields stand for looked up in planes, each run of stores by itself: in one, what is common to the fields is shared.
  private Stmt fields(Stmt statement, Set<Buffer> stored, Map<Buffer, TablePlanes> planes) {
    if (statement instanceof Stmt.Block(List<Stmt> statements) && statements.stream().allMatch(Stmt.Store.class::isInstance)) {
      FieldLookUps lookUps = new FieldLookUps(statements.stream().map(Stmt.Store.class::cast).toList(), bytes, stored);
      return lookUps.areNone() ? statement : lookUps.rewritten(planes);
    }
    return statement.mapChildren(child -> fields(child, stored, planes), expr -> expr);
  }
}
