package dev.einfall.command;

import dev.einfall.backends.reference.Array;
import dev.einfall.runtime.Port;
import dev.einfall.runtime.Tensor;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Random elements, always the same: `rand`, `rand:1x128`, `normal:1x128*10`.
///
/// @param normal whether floats are those of a normal distribution, with all their bits, or from -1 to 1 with few bits, so that
///     short sums are exact
/// @param shape the sizes, as they are written; empty for the declared ones
/// @param scale what floats are multiplied by
record RandomInput(boolean normal, Optional<String> shape, double scale) {
  private static final int MAX_ELEMENTS = 1 << 28;
  private static final Pattern FORM = Pattern.compile("(rand|normal)(?::([^*]*))?(?:\\*([0-9.eE+-]+))?");

  /// Numbers of a normal distribution for the declared sizes.
  static final RandomInput NORMAL = new RandomInput(true, Optional.empty(), 1);

  /// What `text` says, if it asks for random elements.
  static Optional<RandomInput> of(String text) {
    Matcher form = FORM.matcher(text);
    try {
      return form.matches() ? Optional.of(new RandomInput(form.group(1).equals("normal"), Optional.ofNullable(form.group(2)),
          form.group(3) == null ? 1 : Double.parseDouble(form.group(3)))) : Optional.empty();
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }

  Tensor tensor(Port port, int[] sizes) {
    long[] shape = Arrays.stream(sizes).asLongStream().toArray();
    if (Arrays.stream(shape).asDoubleStream().reduce(1, (a, b) -> a * b) > MAX_ELEMENTS) {
      throw new UserError("--in " + port.name() + "=rand: at most " + MAX_ELEMENTS + " random elements, not the shape "
          + Arrays.toString(shape));
    }
    Tensor tensor = Tensor.zeros(port.type(), shape);
    Array elements = Array.random(port.type(), port.name().hashCode(), sizes);
    if (port.type().isFloat()) {
      scale(elements.numbers(), port.name().hashCode());
    }
    elements.write(tensor.data());
    return tensor;
  }

  private void scale(double[] numbers, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = scale * (normal ? random.nextGaussian() : numbers[i]);
    }
  }
}
