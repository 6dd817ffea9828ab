package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// The elements of tables that a run of stores looks up by fields of words: see [PermutePlanes].
final class FieldLookUps {
  private final List<Stmt.Store> stores;
  private final int bytes;
  private final Set<Buffer> stored;
  private final Map<Words, Set<Integer>> found = new LinkedHashMap<>();

  /// Words by whose fields elements of a table are looked up.
  private record Words(Buffer table, Expr bits) {}

  private record LookUp(Words words, int field) {}

  /// @param bytes how many a vector has
  /// @param stored the buffers that the kernel changes
  FieldLookUps(List<Stmt.Store> stores, int bytes, Set<Buffer> stored) {
    this.stores = stores;
    this.bytes = bytes;
    this.stored = stored;
    stores.stream().flatMap(FieldLookUps::loads).flatMap(load -> of(load).stream()).forEach(one -> found.computeIfAbsent(one.words, _ -> new TreeSet<>()).add(one.field));
    found.values().removeIf(fields -> fields.size() < PermutePlanes.FIELDS);
  }

  /// Whether there are no words of which all fields are looked up.
  boolean areNone() {
    return found.isEmpty();
  }

  /// The stores with elements from planes, for which there are variables from where they are needed first.
  Stmt rewritten(Map<Buffer, TablePlanes> planes) {
    Map<Words, TablePlanes.Fields> fields = new HashMap<>();
    found.keySet().forEach(words -> fields.put(words, planes.computeIfAbsent(words.table, table -> TablePlanes.of(table, bytes)).fields(words.bits)));
    List<Stmt.Store> ordered = ordered();
    List<List<Words>> begun = new ArrayList<>();
    Set<Words> seen = new HashSet<>();
    ordered.forEach(store -> begun.add(words(store).filter(seen::add).toList()));
    Stmt result = Stmt.NOTHING;
    for (int i = ordered.size() - 1; i >= 0; i--) {
      Stmt store = ordered.get(i).mapChildren(child -> child, expr -> replaced(expr, fields));
      result = Stmt.block(store, result);
      for (Words words : begun.get(i).reversed()) {
        result = fields.get(words).around(result);
      }
    }
    return result;
  }

  private Expr replaced(Expr expr, Map<Words, TablePlanes.Fields> fields) {
    Optional<LookUp> lookUp = expr instanceof Expr.Load load ? of(load).filter(one -> fields.containsKey(one.words)) : Optional.empty();
    return lookUp.map(one -> fields.get(one.words).element(one.field)).orElseGet(() -> expr.mapChildren(child -> replaced(child, fields)));
  }

  /// The stores so that those for the same words follow each other: what was chosen for these need not be kept for long. Registers are added to in the order in which they were.
  private List<Stmt.Store> ordered() {
    Map<Optional<Words>, List<Stmt.Store>> groups = new LinkedHashMap<>();
    stores.forEach(store -> groups.computeIfAbsent(words(store).findFirst(), _ -> new ArrayList<>()).add(store));
    List<Stmt.Store> ordered = groups.values().stream().flatMap(List::stream).toList();
    return stores.stream().allMatch(FieldLookUps::isOfItself) && byRegister(ordered).equals(byRegister(stores)) ? ordered : stores;
  }

  /// Whether `store` is to a register, and reads no other.
  private static boolean isOfItself(Stmt.Store store) {
    Expr.Load own = new Expr.Load(store.buffer(), store.indices());
    return store.buffer().space() == Buffer.Space.REGISTER && loads(store).allMatch(load -> load.equals(own) || load.buffer().space() != Buffer.Space.REGISTER);
  }

  private static Map<Expr, List<Stmt.Store>> byRegister(List<Stmt.Store> all) {
    Map<Expr, List<Stmt.Store>> registers = new HashMap<>();
    all.forEach(store -> registers.computeIfAbsent(new Expr.Load(store.buffer(), store.indices()), _ -> new ArrayList<>()).add(store));
    return registers;
  }

  private Stream<Words> words(Stmt.Store store) {
    return loads(store).flatMap(load -> of(load).stream()).map(LookUp::words).filter(found::containsKey).distinct();
  }

  private static Stream<Expr.Load> loads(Stmt.Store store) {
    return Stream.concat(store.exprs(), Stream.of(store.value())).flatMap(Expr::nodes).filter(Expr.Load.class::isInstance).map(Expr.Load.class::cast).distinct();
  }

  private Optional<LookUp> of(Expr.Load load) {
    Buffer table = load.buffer();
    boolean isTable = table.type() == ElementType.F32 && table.extents().size() == 1 && table.space() != Buffer.Space.REGISTER && !stored.contains(table)
        && load.type().lanes() * Float.BYTES == bytes && PermutePlanes.canChoose(table.extents().getFirst(), bytes);
    return isTable ? field(load.indices().getFirst(), table.extents().getFirst() - 1L).filter(cut -> isSteady(cut.from)).map(cut -> new LookUp(new Words(table, cut.from), cut.field))
        : Optional.empty();
  }

  private boolean isSteady(Expr words) {
    return words.nodes().noneMatch(node -> node instanceof Expr.Load load && stored.contains(load.buffer()));
  }

  private record Cut(Expr from, int field) {}

  /// The byte of a word that `index` is, or as many of its lowest bits as `mask` has.
  private static Optional<Cut> field(Expr index, long mask) {
    if (!(index instanceof Expr.Binary(BinaryOp and, Expr bits, Expr.Broadcast(Expr.IntLiteral(ElementType _, long own), int _))) || and != BinaryOp.AND || own != mask) {
      return Optional.empty();
    }
    return bits instanceof Expr.Binary(BinaryOp shift, Expr from, Expr.Broadcast(Expr.IntLiteral(ElementType _, long distance), int _)) && shift == BinaryOp.SHR
        ? Optional.of(new Cut(from, (int) distance / Byte.SIZE)).filter(_ -> distance % Byte.SIZE == 0 && distance >= 0 && distance < Integer.SIZE) : Optional.of(new Cut(bits, 0));
  }
}
