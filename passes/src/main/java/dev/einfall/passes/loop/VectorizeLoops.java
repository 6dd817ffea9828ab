package dev.einfall.passes.loop;

import dev.einfall.ir.BinaryOp;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Replaces each vectorized loop by statements on vectors: whole vectors, in a loop if there are several, then ever narrower
/// ones for the rest, down to scalars in a loop.
///
/// ```
///                                        B[ramp(0, 1, 16)] = A[ramp(0, 1, 16)] + broadcast(1.0, 16)
/// vectorized for i in 0..23 {            B[ramp(16, 1, 4)] = A[ramp(16, 1, 4)] + broadcast(1.0, 4)
///   B[i] = A[i] + 1.0             =>     B[ramp(20, 1, 2)] = ...
/// }                                      for i in 0..1 { B[22 + i] = A[22 + i] + 1.0 }
/// ```
///
/// A scalar accumulation `s[] = s[] + A[i]` combines the lanes: `s[] = s[] + reduce_add(A[ramp(0, 1, 16)])`. Under
/// the `strict` contract a loop that sums or multiplies floats so stays serial, with a remark. A loop with conditions, checks or inner extents that differ from lane to lane stays serial
/// as well.
///
/// @param vectorBytes the width of a vector
/// @param numerics whether lanes may be combined in another order than that of the iterations
public record VectorizeLoops(int vectorBytes, Numerics numerics) implements Pass.OnKernel {

  @Override
  public String name() {
    return "vectorize-loops";
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(Rewrites.statements(kernel.body(), statement ->
        statement instanceof Stmt.For loop && loop.kind() == Stmt.For.Kind.VECTORIZED ? vectorized(loop, remarks) : statement));
  }

  private Stmt vectorized(Stmt.For loop, Consumer<Diagnostic> remarks) {
    Optional<Long> extent = Rewrites.constant(loop.extent());
    if (extent.isEmpty()) {
      return declined(loop, "its extent is not constant", remarks);
    }
    int lanes = lanes(loop.body());
    try {
      return Stmt.block(pieces(loop, extent.get(), lanes));
    } catch (LaneVectorizer.Varies varies) {
      return declined(loop, varies.getMessage(), remarks);
    }
  }

  private static Stmt declined(Stmt.For loop, String reason, Consumer<Diagnostic> remarks) {
    remarks.accept(Diagnostic.remark(loop.span(), "loop " + loop.var().name() + " is not vectorized: " + reason));
    return loop.withKind(Stmt.For.Kind.SERIAL);
  }

  /// How many elements of the widest type that is stored fit into a vector, rounded down to a power of two.
  private int lanes(Stmt body) {
    int bytes = body.nodes()
        .filter(Stmt.Store.class::isInstance)
        .mapToInt(store -> ((Stmt.Store) store).buffer().type().bytes())
        .max().orElse(ElementType.F32.bytes());
    return Integer.highestOneBit(Math.max(1, vectorBytes / bytes));
  }

  private List<Stmt> pieces(Stmt.For loop, long extent, int widest) {
    List<Stmt> pieces = new ArrayList<>();
    long done = 0;
    for (int lanes = widest; lanes > 1; lanes /= 2) {
      long vectors = (extent - done) / lanes;
      if (vectors > 1) {
        Var counter = Var.counter(loop.var().name());
        Expr base = new Expr.Binary(BinaryOp.ADD, Expr.index(done),
            new Expr.Binary(BinaryOp.MUL, new Expr.Ref(counter), Expr.index(lanes)));
        Stmt body = new LaneVectorizer(loop.var(), base, lanes, numerics).vectorize(loop.body());
        pieces.add(new Stmt.For(counter, Expr.index(vectors), Stmt.For.Kind.SERIAL, body, loop.span()));
      } else if (vectors == 1) {
        pieces.add(new LaneVectorizer(loop.var(), Expr.index(done), lanes, numerics).vectorize(loop.body()));
      }
      done += vectors * lanes;
    }
    if (done < extent) {
      pieces.add(rest(loop, done, extent - done));
    }
    return pieces;
  }

  private static Stmt rest(Stmt.For loop, long done, long count) {
    Var counter = loop.var().copy();
    Expr coordinate = new Expr.Binary(BinaryOp.ADD, Expr.index(done), new Expr.Ref(counter));
    Stmt body = Rewrites.substitute(Rewrites.copy(loop.body()), loop.var(), coordinate);
    return new Stmt.For(counter, Expr.index(count), Stmt.For.Kind.SERIAL, body, loop.span());
  }
}
