package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Keeps what one tensor after the other is made of in the place of the last one: a tensor of the kernel's own, each element of which becomes
/// an element of an output in the end, is stored there from the beginning.
///
/// ```
/// parallel for m in 0..1024 {                            parallel for m in 0..1024 {
///   alloc E: f32[4096] in local {                          for n in 0..4096 {
///     for n in 0..4096 { E[n] = exp(X[m, n]) }     =>        Y[m, n] = exp(X[m, n])
///     ..                                                   }
///     for n in 0..4096 { Y[m, n] = E[n] * r[] }            ..
///   }                                                      for n in 0..4096 { Y[m, n] = Y[m, n] * r[] }
/// }                                                      }
/// ```
///
/// The memory of the output is fetched while the elements are computed, where it would be waited for when nothing is left to compute; and there
/// is one tensor less to keep in a cache. What is accumulated in memory stays where it is, as do tensors that are no rows of the output as they
/// lie ([OutputPlace] has the conditions), and those of a few vectors, which registers may hold.
///
/// @param vectorBytes the width of vectors
public record PlaceInOutputs(int vectorBytes) implements Pass.OnKernel {
  /// The vectors of a tensor that registers may hold.
  private static final int IN_REGISTERS = 8;

  @Override
  public String name() {
    return "place-in-outputs";
  }

  @Override
  public Machines machines() {
    return Machines.PROCESSORS;
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(placed(kernel.body(), List.of(), kernel));
  }

  /// `statement`, which stands inside `loops`.
  private Stmt placed(Stmt statement, List<Stmt.For> loops, Kernel kernel) {
    return switch (statement) {
      case Stmt.For loop -> {
        List<Stmt.For> inside = new ArrayList<>(loops);
        inside.add(loop);
        yield loop.withBody(placed(loop.body(), inside, kernel));
      }
      case Stmt.Alloc alloc -> {
        Stmt body = placed(alloc.body(), loops, kernel);
        Stmt.Alloc changed = body == alloc.body() ? alloc : new Stmt.Alloc(alloc.buffer(), body);
        Optional<OutputPlace> place = isInMemory(alloc.buffer()) ? OutputPlace.of(changed, loops, kernel) : Optional.empty();
        yield place.map(found -> Rewrites.redirect(body, alloc.buffer(), found.output(), found::indices)).orElse(changed);
      }
      case Stmt.Block _, Stmt.Let _, Stmt.If _ -> statement.mapChildren(child -> placed(child, loops, kernel), expr -> expr);
      case Stmt.Store _, Stmt.Require _, Stmt.Barrier _ -> statement;
    };
  }

  private boolean isInMemory(Buffer buffer) {
    return buffer.space() == Buffer.Space.LOCAL && buffer.bytes() > (long) IN_REGISTERS * vectorBytes;
  }
}
