package dev.einfall.passes.cascade;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Definition;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Expr;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.passes.Numerics;
import dev.einfall.passes.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Reduces in parts what has too few results to fill a GPU, and then the parts (called *split-k* of products, *rfactor* in Halide).
///
/// ```
///                                       S_parts[p] = sum[i in 0..2500](x[p * 2500 + i] * x[p * 2500 + i])
/// S = sqrt(sum[i](x[i] * x[i]))    =>   S = sqrt(sum[p in 0..400](S_parts[p]))
/// ```
///
/// A part is what follows each other, so that a reduction of the program's own needs to be associative only; of such, which a thread computes alone,
/// parts are reduced in parts again until few are left. Where the elements of a part are far apart in memory, as down the columns of a matrix, the
/// parts come before the results: `S_parts[p, n]`. If there is no number of parts that divides the rank, the last one is short:
/// `where(p * 2500 + i < N, .., 0.0)`.
///
/// What shares a kernel with others, or has a mapping, stays as it is, and so does under `strict` whatever depends on the order of combination.
public record SplitReductions(Numerics numerics) implements Pass.OnCascade {

  @Override
  public String name() {
    return "split-reductions";
  }

  @Override
  public Numerics needs() {
    return numerics;
  }

  @Override
  public Machines machines() {
    return Machines.GPUS;
  }

  @Override
  public Cascade apply(Cascade cascade, Consumer<Diagnostic> remarks) {
    Set<Tensor> constant = Constants.of(cascade);
    List<Definition> definitions = new ArrayList<>();
    for (Definition definition : cascade.definitions()) {
      if (definition instanceof Einsum einsum && !constant.contains(einsum.tensor()) && !cascade.mapping().speaksOf(einsum.tensor())) {
        add(einsum, definitions, remarks);
      } else {
        definitions.add(definition);
      }
    }
    // Of a reduction of several components, Einsums that take one each have the same parts.
    return definitions.size() == cascade.definitions().size() ? cascade
        : new EliminateCommonEinsums(numerics).apply(cascade.withDefinitions(definitions), remarks);
  }

  /// The parts of `einsum`, as often as it has any, and what is left of it.
  private void add(Einsum einsum, List<Definition> definitions, Consumer<Diagnostic> remarks) {
    Optional<PartialReduction> parts = PartialReduction.of(einsum);
    if (parts.isPresent() && !mayDivide(parts.get().reduction())) {
      remarks.accept(Diagnostic.remark(einsum.span(), "the reduction of '" + einsum.tensor().name() + "' is left to few threads: its "
          + parts.get().steps() + " steps keep their order under strict numerics"));
    } else if (parts.isPresent()) {
      definitions.addAll(parts.get().parts());
      add(parts.get().rest(), definitions, remarks);
      return;
    }
    definitions.add(einsum);
  }

  private boolean mayDivide(Expr reduction) {
    return reduction instanceof Expr.Reduce reduce ? numerics.mayReorder(reduce.reduction().combine(), reduce.body().type())
        : numerics.allows(Numerics.REASSOCIATE);
  }
}
