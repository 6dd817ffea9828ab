package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Repetition;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Loads a short row as a whole, and chooses lanes of it, where each lane loads an element of the row: what codes stand for.
///
/// ```
///                                                          let t: f32x16 = T[ramp(0, 1, 16)]
/// for k in 0..8 {                                          for k in 0..8 {
///   s[] = s[] + T[C[k, ramp(0, 1, 16)] && 15]        =>      s[] = s[] + permute(C[k, ramp(0, 1, 16)] && 15, t)
/// }                                                        }
/// ```
///
/// A row has as many elements as a vector, twice as many, which are two vectors, or fewer, which are repeated. Of a longer one, up to as many vectors as these have lanes, lanes are
/// chosen from each two vectors, and from what these give by the higher bits of the index. It is loaded before the loops that do not
/// change it, but where registers are allocated if any are: what is in vectors stays in one method. A loop that may run not at all keeps the loads inside. What all lanes of several choices
/// are multiplied by, the row is multiplied by there:
///
/// ```
///                                                      let s: f32x16 = t * broadcast(S[g], 16)
/// for k in 0..8 {                                      for k in 0..8 {
///   .. permute(C[..], t) * broadcast(S[g], 16)   =>      .. permute(C[..], s)
/// }                                                    }
/// ```
///
/// Elements are as large as indices, so that no lanes move for that.
public record PermuteRows() implements Pass.OnKernel {
  /// The vectors of which one instruction chooses lanes.
  public static final int MOST = 2;

  /// Whether lanes are chosen from rows of `extent` elements where a vector has `lanes`.
  public static boolean canChoose(long extent, int lanes) {
    return extent > 1 && (extent < lanes || extent % lanes == 0 && (extent <= (long) MOST * lanes || extent <= (long) lanes * lanes && Long.bitCount(extent) == 1));
  }

  @Override
  public String name() {
    return "permute-rows";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    Stmt permuted = Rewrites.exprs(kernel.body(), expr -> expr instanceof Expr.Load load ? permuted(load).orElse(load) : expr);
    return permuted == kernel.body() ? kernel : kernel.withBody(hoisted(permuted, false));
  }

  /// The load as a choice of lanes, if it reads a short row.
  private static Optional<Expr> permuted(Expr.Load load) {
    Buffer buffer = load.buffer();
    List<Expr> indices = load.indices();
    if (!load.type().isVector() || buffer.space() == Buffer.Space.REGISTER || buffer.type().bytes() != Integer.BYTES) {
      return Optional.empty();
    }
    int last = indices.size() - 1;
    Expr chosen = indices.get(last);
    int lanes = load.type().lanes();
    int extent = buffer.extents().get(last);
    boolean isRow = indices.subList(0, last).stream().noneMatch(index -> index.type().isVector()) && differs(chosen);
    return isRow && canChoose(extent, lanes) ? Optional.of(chosen(masked(chosen, extent, lanes), vectors(load, lanes, extent))) : Optional.empty();
  }

  /// The lanes `index` of `vectors`: each half of more than one instruction takes by itself, and one of both by the highest bit.
  private static Expr chosen(Expr index, List<Expr> vectors) {
    if (vectors.size() <= MOST) {
      return new Expr.Permute(index, vectors);
    }
    int half = vectors.size() / 2;
    int lanes = index.type().lanes();
    Expr within = new Expr.Binary(BinaryOp.AND, withoutMask(index, vectors.size() * lanes), all(half * lanes - 1, lanes));
    Expr isUpper = new Expr.Binary(BinaryOp.NE, new Expr.Binary(BinaryOp.AND, withoutMask(index, vectors.size() * lanes), all(half * lanes, lanes)), all(0, lanes));
    return new Expr.Select(isUpper, chosen(within, vectors.subList(half, vectors.size())), chosen(within, vectors.subList(0, half)));
  }

  private static Expr all(long number, int lanes) {
    return new Expr.Broadcast(Expr.index(number), lanes);
  }

  /// What `index` has in its bits below `length`, a power of two, before others were cleared.
  private static Expr withoutMask(Expr index, int length) {
    return index instanceof Expr.Binary(BinaryOp op, Expr code, Expr.Broadcast(Expr.IntLiteral(ElementType _, long mask), _)) && op == BinaryOp.AND && mask == length - 1 ? code : index;
  }

  /// The index into a row that is repeated: its mask may leave any lane of the vector, which is what an instruction does by itself.
  private static Expr masked(Expr index, int extent, int lanes) {
    return extent < lanes && lanes % extent == 0 && index instanceof Expr.Binary(BinaryOp op, Expr code, Expr.Broadcast(Expr.IntLiteral(ElementType type, long mask), _))
        && op == BinaryOp.AND && mask == extent - 1 ? new Expr.Binary(op, code, new Expr.Broadcast(new Expr.IntLiteral(type, lanes - 1), lanes)) : index;
  }

  /// Whether the lanes are not known before: they are loaded.
  private static boolean differs(Expr index) {
    return index.type().isVector() && index.nodes().anyMatch(Expr.Load.class::isInstance);
  }

  private static List<Expr> vectors(Expr.Load load, int lanes, int extent) {
    List<Expr> vectors = new ArrayList<>();
    for (int first = 0; first < extent; first += lanes) {
      Expr index = extent < lanes ? new Repetition(Expr.index(0), extent).index(lanes) : new Expr.Ramp(Expr.index(first), 1, lanes);
      List<Expr> indices = new ArrayList<>(load.indices());
      indices.set(indices.size() - 1, index);
      vectors.add(new Expr.Load(load.buffer(), indices));
    }
    return vectors;
  }

  /// `statement` with the tables of permutes loaded before the loops that they do not depend on, the outermost ones first.
  ///
  /// @param hasRegisters whether it is where registers are allocated: what is in vectors stays there
  private static Stmt hoisted(Stmt statement, boolean hasRegisters) {
    if (!(statement instanceof Stmt.For loop) || !canHoist(loop, hasRegisters)) {
      boolean allocates = statement instanceof Stmt.Alloc alloc && alloc.buffer().space() == Buffer.Space.REGISTER;
      return statement.mapChildren(child -> hoisted(child, hasRegisters || allocates), expr -> expr);
    }
    Map<Expr, Var> tables = new LinkedHashMap<>();
    long extent = ((Expr.IntLiteral) loop.extent()).value();
    collect(loop.body(), changedBy(loop), extent, tables);
    Stmt result = loop.withBody(hoisted(replace(loop.body(), tables), hasRegisters));
    for (Map.Entry<Expr, Var> table : List.copyOf(tables.entrySet()).reversed()) {
      result = new Stmt.Let(table.getValue(), table.getKey(), result);
    }
    return result;
  }

  private static boolean canHoist(Stmt.For loop, boolean hasRegisters) {
    return loop.kind() == Stmt.For.Kind.SERIAL && loop.extent() instanceof Expr.IntLiteral(ElementType _, long extent) && extent > 0
        && (hasRegisters || loop.body().nodes().noneMatch(Stmt.Alloc.class::isInstance));
  }

  /// What an iteration of `loop` changes: variables and buffers.
  private static Set<Object> changedBy(Stmt.For loop) {
    Set<Object> changed = Collections.newSetFromMap(new IdentityHashMap<>());
    changed.add(loop.var());
    changed.addAll(Rewrites.bound(loop.body()));
    loop.body().nodes().forEach(node -> {
      if (node instanceof Stmt.Store store) {
        changed.add(store.buffer());
      }
    });
    return changed;
  }

  /// Finds the tables outside of branches, which may guard them.
  ///
  /// @param extent how often the loop runs
  private static void collect(Stmt statement, Set<Object> changed, long extent, Map<Expr, Var> tables) {
    statement.exprs().forEach(expr -> collect(expr, changed, extent, tables));
    if (!(statement instanceof Stmt.If)) {
      statement.children().forEach(child -> collect(child, changed, extent, tables));
    }
  }

  private static void collect(Expr expr, Set<Object> changed, long extent, Map<Expr, Var> tables) {
    List<Expr> scaled = scaled(expr);
    if (!scaled.isEmpty() && scaled.size() < extent && scaled.stream().noneMatch(table -> dependsOn(table, changed))) {
      scaled.forEach(table -> tables.computeIfAbsent(table, PermuteRows::variable));
      collect(((Expr.Permute) ((Expr.Binary) expr).left()).indices(), changed, extent, tables);
      return;
    }
    if (expr instanceof Expr.Permute permute) {
      permute.tables().stream().filter(table -> table instanceof Expr.Load && !dependsOn(table, changed))
          .forEach(table -> tables.computeIfAbsent(table, PermuteRows::variable));
    }
    expr.children().forEach(child -> collect(child, changed, extent, tables));
  }

  /// The tables of a choice from rows, times what it is multiplied by, if that is the same for all lanes; empty otherwise.
  private static List<Expr> scaled(Expr expr) {
    return expr instanceof Expr.Binary(BinaryOp op, Expr.Permute(Expr _, List<Expr> tables), Expr.Broadcast factor) && op == BinaryOp.MUL && tables.getFirst().type().equals(expr.type())
        ? tables.stream().<Expr>map(table -> new Expr.Binary(op, table, factor)).toList() : List.of();
  }

  private static Var variable(Expr table) {
    String name = table.nodes().map(node -> switch (node) {
      case Expr.Load load -> load.buffer().name();
      case Expr.Ref(Var var) -> var.name();
      default -> "";
    }).filter(found -> !found.isEmpty()).findFirst().orElse("t");
    return new Var(name.toLowerCase(Locale.ROOT), table.type());
  }

  private static boolean dependsOn(Expr expr, Set<Object> changed) {
    return expr.nodes().anyMatch(node -> isChanged(node, changed));
  }

  private static boolean isChanged(Expr node, Set<Object> changed) {
    return node instanceof Expr.Ref(Var var) && changed.contains(var) || node instanceof Expr.Load(Buffer buffer, _) && changed.contains(buffer);
  }

  private static Stmt replace(Stmt statement, Map<Expr, Var> tables) {
    return tables.isEmpty() ? statement : statement.mapChildren(child -> replace(child, tables), expr -> replace(expr, tables));
  }

  private static Expr replace(Expr expr, Map<Expr, Var> tables) {
    List<Expr> scaled = scaled(expr);
    if (!scaled.isEmpty() && tables.keySet().containsAll(scaled)) {
      Expr indices = ((Expr.Permute) ((Expr.Binary) expr).left()).indices();
      return new Expr.Permute(replace(indices, tables), scaled.stream().<Expr>map(table -> new Expr.Ref(tables.get(table))).toList());
    }
    return expr instanceof Expr.Load load && tables.containsKey(load) ? new Expr.Ref(tables.get(load)) : expr.mapChildren(child -> replace(child, tables));
  }
}
