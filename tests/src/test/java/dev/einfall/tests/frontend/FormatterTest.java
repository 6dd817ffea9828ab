package dev.einfall.tests.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.Formatter;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Source;
import dev.einfall.ir.cascade.CascadePrinter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/// The canonical layout: of hard places, and of every program in the repository.
@Execution(ExecutionMode.CONCURRENT)
final class FormatterTest {
  private static final Path GRAMMAR = Path.of("..", "grammar");

  @Test
  void spacesAndBreaks() {
    check("""
        # Nothing is left as it was.
        def   f( X:f32[ N,K ],W : f32 [K] )->( y:f32[N],z : f32[N-2] ){
        y[n]=sum [k] ( X[n,k]*W [ k ] ) - -1*( 2-X [n,0] )   # trailing
          # on its own


          z [n in 0 .. N-2]=X[n+1,0] or - 1
          a,b=g( X [ : ,0 .. 2 ] ,[ 1,- 2 ] )in "a.{l}" for l in 0..6   in "x" { a=h( a )
          }
          # the last
          return y
          ,z }
        def g(x: f32) -> f32 { return x }
        """, """
        # Nothing is left as it was.
        def f(X: f32[N, K], W: f32[K]) -> (y: f32[N], z: f32[N - 2]) {
          y[n] = sum[k](X[n, k] * W[k]) - -1 * (2 - X[n, 0])  # trailing
          # on its own

          z[n in 0..N - 2] = X[n + 1, 0] or -1
          a, b = g(X[:, 0..2], [1, -2]) in "a.{l}"
          for l in 0..6 in "x" {
            a = h(a)
          }
          # the last
          return y, z
        }

        def g(x: f32) -> f32 { return x }
        """);
  }

  @Test
  void mapBlocks() {
    check("""
        def f(X: f32[N]) -> f32[N] {
          Y[n] = X[n]
          Z[n] = Y[n]
          map Y { split n 4; vectorize n0; }
          map Z {fuse Y Z over m;}
          return Z
        }
        """, """
        def f(X: f32[N]) -> f32[N] {
          Y[n] = X[n]
          Z[n] = Y[n]
          map Y {
            split n 4
            vectorize n0
          }
          map Z { fuse Y Z over m }
          return Z
        }
        """);
  }

  @Test
  void longLinesBreakWhereTheyHoldTogetherLeast() {
    check("""
        def long_name_of_a_function(first_input: f32[N, K], second_input: f32[N, K], third_input: f32[N, K], bias: f32[]) -> f32[N, K] {
          result[n, k] = first_input[n, k] * second_input[n, k] + third_input[n, k] * first_input[n, k] + second_input[n, k] * bias[]
          other[n, k] = where(first_input[n, k] > 0 && second_input[n, k] > 0, first_input[n, k] * second_input[n, k], third_input[n, k] * first_input[n, k] + second_input[n, k])
          third[n, k] = max[j in 0..K](result[n, j] * other[n, k] * (third_input[n, j] + first_input[n, j]) * second_input[n, j] * (bias[] + 1) * 2)
          return result
        }
        """, """
        def long_name_of_a_function(first_input: f32[N, K], second_input: f32[N, K], third_input: f32[N, K], bias: f32[])
            -> f32[N, K] {
          result[n, k] =
              first_input[n, k] * second_input[n, k] + third_input[n, k] * first_input[n, k] + second_input[n, k] * bias[]
          other[n, k] = where(first_input[n, k] > 0 && second_input[n, k] > 0, first_input[n, k] * second_input[n, k],
              third_input[n, k] * first_input[n, k] + second_input[n, k])
          third[n, k] = max[j in 0..K](result[n, j] * other[n, k] * (third_input[n, j] + first_input[n, j]) * second_input[n, j]
              * (bias[] + 1) * 2)
          return result
        }
        """);
  }

  @Test
  void commentsInsideAStatementBreakIt() {
    check("""
        def f(
          X: f32[N], # the first
          # the second
          Z: f32[N]) -> f32[N] { # the head
          Y[n] = X[n]
            + # why
            Z[n]


          # nothing follows

        # really
        return Y }   # done
        # the end""", """
        def f(X: f32[N],  # the first
            # the second
            Z: f32[N]) -> f32[N] {  # the head
          Y[n] = X[n] +  # why
              Z[n]

          # nothing follows

          # really
          return Y
        }  # done
        # the end
        """);
  }

  @Test
  void refusesSyntaxErrors() {
    CompileException error = assertThrows(CompileException.class,
        () -> Formatter.format(new Source("bad.ein", "def f(X: f32[N] -> f32[N] {\n  return X +\n}\n")));
    assertTrue(error.getMessage().contains("expected `,` or `)`, not `->`"), error.getMessage());
  }

  @TestFactory
  List<DynamicTest> everyProgram() throws IOException {
    try (Stream<Path> grammar = Files.walk(GRAMMAR); Stream<Path> tests = Files.walk(Path.of("."))) {
      return Stream.concat(grammar, tests)
          .filter(file -> file.toString().endsWith(".ein") && !file.toString().contains("target"))
          .sorted()
          .map(file -> DynamicTest.dynamicTest(file.toString(), () -> check(file)))
          .toList();
    }
  }

  @TestFactory
  List<DynamicTest> languageReference() throws IOException {
    return FencedBlocks.of(GRAMMAR.resolve("LANGUAGE.md"), "ein").stream()
        .map(block -> DynamicTest.dynamicTest(block.place(), () -> checked(block.text())))
        .toList();
  }

  /// Programs of the repository that people read are in the canonical layout.
  private static void check(Path file) throws IOException {
    String text = Files.readString(file);
    if (isProgram(text)) {
      String formatted = checked(text);
      if (file.startsWith(GRAMMAR)) {
        assertEquals(formatted, text, "run `einfall fmt " + file + "`");
      }
    }
  }

  private static boolean isProgram(String text) {
    try {
      Formatter.format(new Source("", text));
      return true;
    } catch (CompileException e) {
      return false;
    }
  }

  private static void check(String text, String expected) {
    assertEquals(expected, checked(text));
  }

  /// The text in the canonical layout, which is found again from it, and from a text with breaks at other places.
  private static String checked(String text) {
    String formatted = format(text);
    assertEquals(formatted, format(formatted));
    assertEquals(meaning(text), meaning(formatted));
    String scattered = format(formatted.replaceAll("(?m)^((?:[^#\"\n]|\"[^\"]*\")*?) (?=[\\w(])", "$1\n\n").replace(", ", " ,"));
    assertEquals(scattered, format(scattered));
    assertEquals(meaning(text), meaning(scattered));
    String commented = commented(formatted);
    assertEquals(format(commented), format(format(commented)));
    assertEquals(meaning(text), meaning(format(commented)));
    return formatted;
  }

  /// The text with comments, some on lines of their own, at every seventh space of lines without strings and comments.
  private static String commented(String text) {
    StringBuilder result = new StringBuilder();
    int spaces = 0;
    for (String line : text.lines().toList()) {
      for (String word : line.splitWithDelimiters(" ", 0)) {
        boolean isPlace = word.equals(" ") && !line.contains("\"") && !line.contains("#") && ++spaces % 7 == 0;
        result.append(!isPlace ? word : spaces % 2 == 0 ? " # why\n\n" : "\n# on its own\n");
      }
      result.append('\n');
    }
    return result.toString();
  }

  private static String format(String text) {
    String formatted = Formatter.format(new Source("text", text));
    assertTrue(formatted.endsWith("\n") && !formatted.contains("\n\n\n"), formatted);
    assertTrue(formatted.lines().allMatch(line -> line.equals(line.stripTrailing())), formatted);
    return formatted;
  }

  /// The cascade that a program means; nothing if it means none.
  private static Optional<String> meaning(String text) {
    try {
      return Optional.of(CascadePrinter.print(EinReader.read(new Source("text", text), Optional.empty()).cascade()));
    } catch (CompileException e) {
      return Optional.empty();
    }
  }
}
