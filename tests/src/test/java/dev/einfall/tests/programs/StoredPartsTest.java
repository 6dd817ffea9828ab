package dev.einfall.tests.programs;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.LibraryFormats;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.runtime.Einfall;
import dev.einfall.runtime.Options;
import dev.einfall.tests.MadeWeights;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// Weights in every format of the library of which a part is missing, too short, too long or of another type: the message names the part, and says what was expected.
@Execution(ExecutionMode.CONCURRENT)
class StoredPartsTest {
  private static final int ROWS = 6;

  /// A part of a weight as the program declares it.
  private record Part(String text, List<Cascade.Weight> all, Cascade.Weight part) {

    private long[] shape() {
      return shape(part);
    }

    private static long[] shape(Cascade.Weight weight) {
      return weight.tensor().shape().stream().mapToLong(Size::value).toArray();
    }

    /// What the program says of weights of which this part is another one.
    ///
    /// @param type none, where it is missing
    private String message(Optional<ElementType> type, long... shape) {
      MadeWeights weights = new MadeWeights();
      for (Cascade.Weight weight : all) {
        if (weight != part) {
          add(weights, weight.key(), weight.tensor().type(), shape(weight));
        } else {
          type.ifPresent(present -> add(weights, weight.key(), present, shape));
        }
      }
      return assertThrows(CompileException.class, () -> Einfall.compile(new Source("product.ein", text), Options.defaults().withWeights(weights))).getMessage();
    }

    private static void add(MadeWeights weights, String key, ElementType type, long... shape) {
      weights.with(key, type, Arena.ofAuto().allocate(Arrays.stream(shape).reduce(type.bytes(), Math::multiplyExact), type.bytes()), shape);
    }

    private void require(String message, String expected) {
      assertTrue(message.startsWith("product.ein:3:") && message.contains("'" + part.key() + "'") && message.contains(expected), () -> "expected " + expected + ": " + message);
    }

    private void check() {
      long[] shape = shape();
      ElementType type = part.tensor().type();
      for (int i = 0; i < shape.length; i++) {
        String declared = " at dimension " + i + ", which is declared " + shape[i];
        for (long size : new long[] {shape[i] - 1, 2 * shape[i]}) {
          long[] other = shape.clone();
          other[i] = size;
          require(message(Optional.of(type), other), size == 0 ? "every size is at least 1" : "has " + size + declared);
        }
      }
      require(message(Optional.of(type), 2, 3, 5, 7, 11), "declared: " + part.tensor().shape());
      require(message(Optional.of(type == ElementType.I8 ? ElementType.U8 : ElementType.I8), shape), "declared " + type);
      require(message(Optional.empty()), "W");
    }
  }

  private static String type(LibraryFormats.Declared format) {
    String sizes = format.sizes().stream().map(size -> size + " = " + switch (size) {
      case "bits", "fraction" -> 4;
      case "group", "block", "bytes" -> 32;
      case "blocks", "rank" -> 2;
      default -> throw new IllegalArgumentException(format.name() + " takes " + size);
    }).collect(Collectors.joining(", ", "(", ")"));
    return format.name() + (format.sizes().isEmpty() ? "" : sizes);
  }

  private static Stream<Part> parts(LibraryFormats.Declared format) {
    String text = """
        import %s
        def main(X: f32[512]) -> f32[%d] {
          weight W: %s[%2$d, 512] = "W"
          Y[n] = sum[k](X[k] * W[n, k])
          return Y
        }
        """.formatted(format.file(), ROWS, type(format));
    List<Cascade.Weight> all = EinReader.read(new Source("product.ein", text), Optional.empty()).cascade(new TreeMap<>()).weights();
    return all.stream().map(part -> new Part(text, all, part));
  }

  @TestFactory
  Stream<DynamicTest> areNamed() {
    return LibraryFormats.all().stream().flatMap(StoredPartsTest::parts).map(part ->
        DynamicTest.dynamicTest(part.part.key() + " of " + part.text.lines().skip(2).findFirst().orElseThrow().strip(), part::check));
  }
}
