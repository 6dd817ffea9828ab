package dev.einfall.passes.loop;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import dev.einfall.passes.lower.Schedule;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Makes one loop of two that go through the same elements, so that what the first one computes or loads is at hand for the second.
///
/// ```
/// for i in 0..9 {                    alloc s: f32[] in local {
///   E[i] = exp(X[i])                   s[] = 0.0
/// }                                    for i in 0..9 {
/// alloc s: f32[] in local {              let e: f32 = exp(X[i])
///   s[] = 0.0                   =>       E[i] = e
///   for j in 0..9 {                      s[] = s[] + e
///     s[] = s[] + E[j]                 }
///   }                                  Y[] = s[]
///   Y[] = s[]                        }
/// }
/// ```
///
/// Two loops of one block become one if no iteration of the second needs what a later one of the first does
/// ([LoopDependences]), what stands between them and around the second may come later or earlier, and the second loads nothing in
/// its innermost loop but what the first loads or stores there: one more stream of numbers would cost what is saved. Loops inside must
/// fuse as well, and the schedules of both must be the same but for how many vectors they take at a time along the innermost loop ([LoopShape]);
/// the fused loops have the names, and so the schedule, of those that take fewer. (Attention's exponentials go down columns of one vector, and
/// their sums through rows of eight: in one loop both took a fifth longer than one after the other.) A remark says which loops over the same elements stay apart because of their schedules.
///
/// @param schedule what will become of the loops
/// @param numerics whether a sum can still be vectorized beside what is not one
public record FuseLoops(Schedule schedule, Numerics numerics) implements Pass.OnKernel {

  @Override
  public String name() {
    return "fuse-loops";
  }

  @Override
  public Kernel apply(Kernel kernel, Consumer<Diagnostic> remarks) {
    return kernel.withBody(Rewrites.statements(kernel.body(), statement ->
        statement instanceof Stmt.Block(List<Stmt> statements) ? fused(statements, statement, remarks) : statement));
  }

  private Stmt fused(List<Stmt> statements, Stmt block, Consumer<Diagnostic> remarks) {
    List<Stmt> result = new ArrayList<>(statements);
    for (int first = 0; first < result.size(); first++) {
      int second = first + 1;
      while (second < result.size()) {
        Optional<Stmt> fused = fused(result, first, second, remarks);
        if (fused.isPresent()) {
          result.set(first, fused.get());
          result.remove(second);
          second = first + 1;
        } else {
          second++;
        }
      }
    }
    return result.size() == statements.size() ? block : Stmt.block(result);
  }

  /// Statement `first` together with statement `second`, if that may come before all that stands between them.
  private Optional<Stmt> fused(List<Stmt> statements, int first, int second, Consumer<Diagnostic> remarks) {
    Optional<LoopPiece> one = LoopPiece.of(statements.get(first));
    Optional<LoopPiece> other = LoopPiece.of(statements.get(second));
    if (one.isEmpty() || other.isEmpty()
        || statements.subList(first + 1, second).stream().anyMatch(between -> !LoopDependences.areIndependent(between, statements.get(second)))) {
      return Optional.empty();
    }
    LoopShape.Nests nests = new LoopShape.Nests(one.get().nest(), other.get().nest());
    if (!nests.goThroughTheSame() || !LoopFusion.isPossible(one.get(), other.get())) {
      return Optional.empty();
    }
    Optional<String> obstacle = nests.obstacle(schedule, numerics);
    if (obstacle.isPresent()) {
      remarks.accept(Diagnostic.remark(other.get().loop().span(), "loops " + one.get().loop().var().name() + " and "
          + other.get().loop().var().name() + " stay apart: " + obstacle.get()));
      return Optional.empty();
    }
    return Optional.of(LoopFusion.fused(one.get(), other.get(), nests.secondTakesFewer(schedule)));
  }

  /// The schedule as options, `n=64 16, order=n2 n1 n0, unroll=n1, vectorize=n0`.
  public String options() {
    Stream<String> splits = schedule.splits().stream()
        .map(split -> split.rank() + "=" + String.join(" ", split.factors().stream().map(String::valueOf).toList()));
    Stream<String> rest = Stream.concat(Stream.of("order=" + String.join(" ", schedule.order())),
        Stream.of(dev.einfall.ir.cascade.Mapping.Binding.values()).filter(binding -> !schedule.bound(binding).isEmpty())
            .map(binding -> binding.name().toLowerCase(java.util.Locale.ROOT) + "=" + String.join(" ", schedule.bound(binding))));
    return String.join(", ", Stream.concat(splits, rest).toList());
  }
}
