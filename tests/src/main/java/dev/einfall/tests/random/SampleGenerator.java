package dev.einfall.tests.random;

import static dev.einfall.ir.ElementType.BF16;
import static dev.einfall.ir.ElementType.BOOL;
import static dev.einfall.ir.ElementType.F16;
import static dev.einfall.ir.ElementType.F32;
import static dev.einfall.ir.ElementType.F64;
import static dev.einfall.ir.ElementType.I16;
import static dev.einfall.ir.ElementType.I32;
import static dev.einfall.ir.ElementType.I64;
import static dev.einfall.ir.ElementType.I8;
import static dev.einfall.ir.ElementType.U8;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.Einsum;
import dev.einfall.ir.cascade.Mapping;
import dev.einfall.ir.cascade.Rank;
import dev.einfall.ir.cascade.SharedReductions;
import dev.einfall.ir.cascade.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Makes well-typed cascades at random, of all forms and element types, over sizes that fit no vector.
public final class SampleGenerator {
  private final Chance chance;
  private final Draft draft;

  private SampleGenerator(long seed) {
    this.chance = new Chance(seed);
    this.draft = new Draft(chance);
  }

  /// The program of number `seed`: always the same.
  public static Sample sample(long seed) {
    return new SampleGenerator(seed).run();
  }

  private Sample run() {
    for (int i = 0; i < 3; i++) {
      draft.input("X" + i, F32, draft.shape(i == 0 ? 2 : chance.below(3) + 1));
    }
    draft.limit(draft.input("I", chance.of(I32, I64), draft.shape(1)), draft.anyName());
    for (int i = 0; i < 2; i++) {
      draft.input("Z" + i, chance.of(F64, F16, BF16, I64, I32, I32, I16, I8, U8, BOOL), draft.shape(chance.below(2) + 1));
    }
    int count = chance.below(4) + 1;
    for (int i = 0; i < count; i++) {
      if (chance.oneIn(2)) {
        new Recurrences(draft).define();
      } else {
        einsum(i == count - 1 ? F32 : anyType());
      }
    }
    Cascade all = new Cascade("f", draft.inputs(), List.of(), draft.definitions(), outputs(), Mapping.NONE);
    return draft.sample(Pruning.prune(all, false));
  }

  private ElementType anyType() {
    return chance.of(F32, F32, F32, F32, F32, F32, F32, F64, chance.of(F32, F16, BF16), I32, I32,
        chance.of(I64, I16, I8, U8), BOOL);
  }

  private void einsum(ElementType type) {
    List<Size> known = draft.inputs().stream().flatMap(tensor -> tensor.shape().stream()).toList();
    List<Size> shape = new ArrayList<>();
    List<Rank> ranks = new ArrayList<>();
    int rank = chance.below(4);
    for (int i = 0; i < rank; i++) {
      shape.add(chance.any(known));
      ranks.add(new Rank("abc".substring(i, i + 1), shape.getLast()));
    }
    Scope scope = new Scope(draft, draft.tensors(), ranks);
    int depth = chance.below(3) + 2;
    boolean exact = !type.isFloat() || (type == F32 || type == F64) && chance.oneIn(6);
    Bounded value = switch (type) {
      case F64, F32, F16, BF16 -> exact ? new Numbers(scope).exact(type, depth) : new Numbers(scope).number(type, depth);
      case I64, I32, I16, I8, U8 -> new Bounded(new Integers(scope).integer(type, depth), 0);
      case BOOL -> new Bounded(new Integers(scope).condition(depth), 0);
    };
    Tensor tensor = new Tensor(draft.newName("T"), type, shape, Span.NONE);
    draft.define(new Einsum(tensor, ranks, SharedReductions.of(value.expr()), Span.NONE));
    draft.know(tensor, value.bound(), exact);
  }

  /// Tensors that nothing else reads, and some that something does.
  private List<Cascade.Output> outputs() {
    Set<Tensor> read = new LinkedHashSet<>();
    draft.definitions().forEach(definition -> definition.reads().forEach(read::add));
    return draft.definitions().stream().flatMap(one -> one.tensors().stream())
        .filter(tensor -> !read.contains(tensor) || chance.oneIn(8))
        .map(tensor -> new Cascade.Output(tensor.name(), tensor)).toList();
  }
}
