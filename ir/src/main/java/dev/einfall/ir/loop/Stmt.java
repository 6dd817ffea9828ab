package dev.einfall.ir.loop;

import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.I32;

import dev.einfall.ir.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// A statement of the loop level. Statements run in order.
public sealed interface Stmt {

  /// The statements in order.
  record Block(List<Stmt> statements) implements Stmt {
    public Block {
      statements = List.copyOf(statements);
    }
  }

  /// `body` for each `var` from 0 to `extent` (an `i32`, exclusive). The iterations of a loop that is not `SERIAL` do
  /// not depend on each other, but for reductions that [Kind#VECTORIZED] combines lane by lane.
  record For(Var var, Expr extent, Kind kind, Stmt body, Span span) implements Stmt {

    /// How a loop runs. `VECTORIZED` and `UNROLLED` are requests that passes carry out; the backend sees neither. The iterations of a
    /// `BLOCK` loop are the blocks of a GPU; those of a `THREAD` loop are dealt to the threads of a block in turn: of `T` threads, thread
    /// `t` takes iterations `t, t + T, t + 2 * T, ...`. Those of a `WARP` loop are dealt to its warps in the same way, and the threads of a warp
    /// run an iteration together: the lanes of its vectors are spread over them. Those of a `WARPGROUP` loop are dealt to groups of four warps,
    /// the threads of which do the same. [Kernel] says where they stand.
    public enum Kind { SERIAL, PARALLEL, VECTORIZED, UNROLLED, BLOCK, THREAD, WARP, WARPGROUP }

    /// Whether its iterations are dealt to the threads of a block, to its warps or to groups of these.
    public boolean isDealt() {
      return kind == Kind.THREAD || kind == Kind.WARP || kind == Kind.WARPGROUP;
    }

    public For {
      require(var.type().equals(ValueType.scalar(I32)), () -> "counter of type " + var.type());
      require(extent.type().equals(ValueType.scalar(I32)), () -> "extent of type " + extent.type());
    }

    public For withKind(Kind newKind) {
      return newKind == kind ? this : new For(var, extent, newKind, body, span);
    }

    public For withBody(Stmt newBody) {
      return newBody == body ? this : new For(var, extent, kind, newBody, span);
    }
  }

  /// Stores `value` to the elements of `buffer` at `indices`, one a lane.
  record Store(Buffer buffer, List<Expr> indices, Expr value) implements Stmt {
    public Store {
      indices = List.copyOf(indices);
      Expr.requireIndices(buffer, indices);
      require(value.type().equals(new ValueType(buffer.type(), Expr.lanes(indices))),
          () -> "store of " + value.type() + " to " + buffer);
    }
  }

  /// All threads of a block come here before any goes on, and see what the others have stored until then.
  record Barrier() implements Stmt {}

  /// A `LOCAL`, `SHARED` or `REGISTER` buffer that lives while `body` runs.
  record Alloc(Buffer buffer, Stmt body) implements Stmt {
    public Alloc {
      require(buffer.space() != Buffer.Space.GLOBAL, () -> "alloc of a global buffer");
    }
  }

  /// `whenTrue` if `condition` holds, else `whenFalse`, which may be empty.
  record If(Expr condition, Stmt whenTrue, Stmt whenFalse) implements Stmt {
    public If {
      require(condition.type().equals(ValueType.scalar(BOOL)), () -> "condition of type " + condition.type());
    }
  }

  /// `body` with `var` bound to `value`.
  record Let(Var var, Expr value, Stmt body) implements Stmt {
    public Let {
      require(var.type().equals(value.type()), () -> "let " + var + " = a value of type " + value.type());
    }
  }

  /// Ends the run with an error, `message` followed by the number `value`, unless `condition` holds. After it,
  /// `condition` may be relied on.
  record Require(Expr condition, String message, Expr value) implements Stmt {
    public Require {
      require(condition.type().equals(ValueType.scalar(BOOL)), () -> "condition of type " + condition.type());
    }
  }

  /// The statement that does nothing.
  Stmt NOTHING = new Block(List.of());

  /// The statements in order, with nested blocks opened.
  static Stmt block(Stmt... statements) {
    return block(List.of(statements));
  }

  /// The statements in order, with nested blocks opened.
  static Stmt block(List<Stmt> statements) {
    List<Stmt> flat = statements.stream()
        .flatMap(statement -> statement instanceof Block(List<Stmt> inner) ? inner.stream() : Stream.of(statement))
        .toList();
    return flat.size() == 1 ? flat.getFirst() : new Block(flat);
  }

  /// The statements directly inside.
  default Stream<Stmt> children() {
    return switch (this) {
      case Block block -> block.statements.stream();
      case For loop -> Stream.of(loop.body);
      case Store _, Require _, Barrier _ -> Stream.empty();
      case Alloc alloc -> Stream.of(alloc.body);
      case If branch -> Stream.of(branch.whenTrue, branch.whenFalse);
      case Let let -> Stream.of(let.body);
    };
  }

  /// The expressions directly inside.
  default Stream<Expr> exprs() {
    return switch (this) {
      case Block _, Alloc _, Barrier _ -> Stream.empty();
      case For loop -> Stream.of(loop.extent);
      case Store store -> Stream.concat(store.indices.stream(), Stream.of(store.value));
      case If branch -> Stream.of(branch.condition);
      case Let let -> Stream.of(let.value);
      case Require check -> Stream.of(check.condition, check.value);
    };
  }

  /// This statement with each statement and expression directly inside replaced by what the functions make of it; the
  /// same object if nothing changes.
  default Stmt mapChildren(UnaryOperator<Stmt> statement, UnaryOperator<Expr> expr) {
    return switch (this) {
      case Barrier _ -> this;
      case Block block -> {
        List<Stmt> changed = block.statements.stream().map(statement).toList();
        boolean same = true;
        for (int i = 0; i < changed.size(); i++) {
          same &= changed.get(i) == block.statements.get(i);
        }
        yield same ? this : block(changed);
      }
      case For loop -> {
        Expr extent = expr.apply(loop.extent);
        Stmt body = statement.apply(loop.body);
        yield extent == loop.extent && body == loop.body ? this : new For(loop.var, extent, loop.kind, body, loop.span);
      }
      case Store store -> {
        List<Expr> indices = store.indices.stream().map(expr).toList();
        Expr value = expr.apply(store.value);
        boolean same = value == store.value;
        for (int i = 0; i < indices.size(); i++) {
          same &= indices.get(i) == store.indices.get(i);
        }
        yield same ? this : new Store(store.buffer, indices, value);
      }
      case Alloc alloc -> {
        Stmt body = statement.apply(alloc.body);
        yield body == alloc.body ? this : new Alloc(alloc.buffer, body);
      }
      case If branch -> {
        Expr condition = expr.apply(branch.condition);
        Stmt whenTrue = statement.apply(branch.whenTrue);
        Stmt whenFalse = statement.apply(branch.whenFalse);
        yield condition == branch.condition && whenTrue == branch.whenTrue && whenFalse == branch.whenFalse
            ? this : new If(condition, whenTrue, whenFalse);
      }
      case Let let -> {
        Expr value = expr.apply(let.value);
        Stmt body = statement.apply(let.body);
        yield value == let.value && body == let.body ? this : new Let(let.var, value, body);
      }
      case Require check -> {
        Expr condition = expr.apply(check.condition);
        Expr value = expr.apply(check.value);
        yield condition == check.condition && value == check.value ? this : new Require(condition, check.message, value);
      }
    };
  }

  /// This statement and all below it, each before those inside it.
  default Stream<Stmt> nodes() {
    List<Stmt> found = new ArrayList<>();
    collect(this, found);
    return found.stream();
  }

  private static void collect(Stmt stmt, List<Stmt> found) {
    found.add(stmt);
    stmt.children().forEach(inside -> collect(inside, found));
  }

  private static void require(boolean holds, Supplier<String> message) {
    if (!holds) {
      throw new IllegalArgumentException(message.get());
    }
  }
}
