package dev.einfall.backends.jvm;

import java.util.List;
import jdk.incubator.vector.Vector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Uses each species of the Vector API, and each operator that generated code has, before any compiled code does.
///
/// The Vector API makes what it needs of a species or of an operator when that is used for the first time, behind a branch that is not taken again. HotSpot compiles no branch that was never
/// taken; it counts where one is taken all the same, and adds these counts up over all that it inlines into a method, each time it does. A species that was new to compiled code thus counts
/// for each vector that a kernel loads from then on. From 100 on (`-XX:PerMethodTrapLimit`) it compiles the branches that are never taken, too, and calls there that take vectors as objects.
final class FirstUses {
  private static final List<Class<?>> ELEMENTS = List.of(byte.class, short.class, int.class, long.class, float.class, double.class);
  private static final List<VectorOperators.Unary> UNARY =
      List.of(VectorOperators.NEG, VectorOperators.ABS, VectorOperators.SQRT, VectorOperators.BIT_COUNT);
  private static final List<VectorOperators.Binary> BINARY = List.of(VectorOperators.ADD, VectorOperators.SUB, VectorOperators.MUL, VectorOperators.DIV,
      VectorOperators.MIN, VectorOperators.MAX, VectorOperators.AND, VectorOperators.OR, VectorOperators.XOR);
  private static final List<VectorOperators.Binary> SHIFTS =
      List.of(VectorOperators.LSHL, VectorOperators.LSHR, VectorOperators.ASHR, VectorOperators.ROR);
  private static final List<VectorOperators.Associative> REDUCTIONS =
      List.of(VectorOperators.ADD, VectorOperators.MUL, VectorOperators.MIN, VectorOperators.MAX);

  private FirstUses() {}

  /// Once for the life of the JVM. Only for one that has the module `jdk.incubator.vector`.
  static void make() {
    Once.make();
  }

  private static final class Once {
    static {
      // All species before any operator: what makes their first vectors is soon compiled.
      ELEMENTS.forEach(FirstUses::useShapes);
      ELEMENTS.forEach(FirstUses::useOperators);
    }

    static void make() {}
  }

  private static void useShapes(Class<?> element) {
    for (VectorShape shape : VectorShape.values()) {
      ones(VectorSpecies.of(element, shape));
    }
  }

  private static <E> Vector<E> ones(VectorSpecies<E> species) {
    return species.broadcast(1);
  }

  /// Operators are known by the elements, whatever the shape.
  private static void useOperators(Class<?> element) {
    useOperators(VectorSpecies.of(element, VectorShape.S_64_BIT));
  }

  private static <E> void useOperators(VectorSpecies<E> species) {
    Vector<E> ones = ones(species);
    Class<E> element = species.elementType();
    UNARY.stream().filter(operator -> operator.compatibleWith(element)).forEach(ones::lanewise);
    BINARY.stream().filter(operator -> operator.compatibleWith(element)).forEach(operator -> ones.lanewise(operator, ones));
    REDUCTIONS.stream().filter(operator -> operator.compatibleWith(element)).forEach(ones::reduceLanesToLong);
    if (VectorOperators.FMA.compatibleWith(element)) {
      ones.lanewise(VectorOperators.FMA, ones, ones);
    } else {
      SHIFTS.forEach(operator -> ones.lanewise(operator, ones).lanewise(operator, 1));
    }
    ones.blend(ones, ones.compare(VectorOperators.LT, ones).not());
  }
}
