package dev.einfall.tests.fuzz;

import dev.einfall.frontend.EinProgram;
import dev.einfall.frontend.EinReader;
import dev.einfall.frontend.LoopFile;
import dev.einfall.frontend.LoopReader;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.ir.cascade.CascadePrinter;
import dev.einfall.ir.cascade.CascadeVerifier;
import dev.einfall.ir.cascade.Tensor;
import dev.einfall.ir.loop.KernelVerifier;
import dev.einfall.ir.loop.LoopPrinter;
import dev.einfall.passes.cascade.BindSizes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// What the readers make of one text, and whether that is right: a program that verifies and reads back, or messages about
/// places in the text, and the same again the second time if there is one.
///
/// @param isRead whether the text is a program
/// @param problem what is wrong with the compiler, if anything
record Trial(boolean isRead, Optional<String> problem) {

  /// What no message may show a user.
  private static final List<String> INTERNAL = List.of("dev.einfall", "java.", "Optional[", "Optional.empty", "@");

  /// A complaint about the compiler.
  private static final class Complaint extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Complaint(String message) {
      super(message, null, false, false);
    }
  }

  /// Reads `text` as the readers of its level do.
  static Trial of(String text, boolean isLoopText, boolean twice) {
    try {
      String first = isLoopText ? loops(text) : cascade(text);
      String second = !twice ? first : isLoopText ? loops(text) : cascade(text);
      require(first.equals(second), "reading twice differs:\n" + first + "\n--- and then\n" + second);
      return new Trial(true, Optional.empty());
    } catch (CompileException error) {
      return rejected(text, isLoopText, twice, error);
    } catch (Complaint complaint) {
      return new Trial(false, Optional.of(complaint.getMessage()));
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError crash) {
      return new Trial(false, Optional.of(describe(crash)));
    }
  }

  private static Trial rejected(String text, boolean isLoopText, boolean twice, CompileException error) {
    try {
      checkMessages(text, error);
      String again = twice ? messageOf(text, isLoopText) : error.getMessage();
      require(again.equals(error.getMessage()), "messages differ:\n" + error.getMessage() + "\n--- and then\n" + again);
      return new Trial(false, Optional.empty());
    } catch (Complaint complaint) {
      return new Trial(false, Optional.of(complaint.getMessage()));
    }
  }

  private static String messageOf(String text, boolean isLoopText) {
    try {
      return isLoopText ? loops(text) : cascade(text);
    } catch (CompileException error) {
      return error.getMessage();
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError crash) {
      return describe(crash);
    }
  }

  private static String describe(Throwable crash) {
    List<StackTraceElement> frames = List.of(crash.getStackTrace());
    return crash + frames.stream().filter(frame -> frame.getClassName().startsWith("dev.einfall"))
        .limit(12).map(frame -> "\n  at " + frame).collect(Collectors.joining());
  }

  private static void require(boolean holds, String complaint) {
    if (!holds) {
      throw new Complaint(complaint);
    }
  }

  private static void checkMessages(String text, CompileException error) {
    require(!error.diagnostics().isEmpty(), "an error without a message");
    for (Diagnostic diagnostic : error.diagnostics()) {
      check(diagnostic.span(), diagnostic.message(), text);
      diagnostic.notes().forEach(note -> check(note.span(), note.message(), text));
    }
  }

  private static void check(Span span, String message, String text) {
    require(!span.isNone() || text.isEmpty(), "a message without a place: " + message);
    require(span.end() <= span.source().text().length(), "a message beyond the end of the text: " + message);
    for (String word : INTERNAL) {
      require(!message.contains(word) || text.contains(word), "a message shows the inside: " + message);
    }
  }

  /// The printed program.
  private static String cascade(String text) {
    EinProgram program = EinReader.read(new Source("fuzz.ein", text), Optional.empty());
    Cascade cascade = program.cascade(numbers(program.neededSizes(), text.hashCode()));
    CascadeVerifier.verify(cascade);
    String printed = CascadePrinter.print(cascade);
    String again = CascadePrinter.print(readBack(printed));
    require(printed.equals(again), "reads back otherwise:\n" + printed + "\n--- as\n" + again);
    bind(cascade, text.hashCode());
    return printed;
  }

  private static Cascade readBack(String printed) {
    try {
      return EinReader.read(new Source("printed.ein", printed), Optional.empty()).cascade();
    } catch (CompileException error) {
      throw new Complaint("does not read back:\n" + error.getMessage());
    }
  }

  private static SortedMap<String, Long> numbers(Collection<String> names, int salt) {
    SortedMap<String, Long> sizes = new TreeMap<>();
    names.forEach(name -> sizes.put(name, 1L + Math.floorMod(name.hashCode() * 31 + salt, 12)));
    return sizes;
  }

  /// Gives the sizes numbers, at which the user's indices may leave their tensors.
  private static void bind(Cascade cascade, int salt) {
    List<Tensor> tensors = new ArrayList<>(cascade.inputs());
    cascade.weights().forEach(weight -> tensors.add(weight.tensor()));
    SortedMap<String, Long> sizes = numbers(tensors.stream().flatMap(tensor -> tensor.shape().stream())
        .flatMap(size -> size.names().stream()).toList(), salt);
    try {
      CascadeVerifier.verify(new BindSizes(sizes).apply(cascade, _ -> { }));
    } catch (CompileException error) {
      error.diagnostics().forEach(diagnostic -> require(!diagnostic.message().isBlank(), "an empty message"));
    }
  }

  /// The printed loop text. A kernel may break the rules of the level, which its verifier says.
  private static String loops(String text) {
    LoopFile file = LoopReader.read(new Source("fuzz.loop", text));
    for (var kernel : file.kernels()) {
      try {
        KernelVerifier.verify(kernel);
      } catch (InternalException broken) {
        require(broken.getMessage() != null, "a verifier without a message");
      }
    }
    String printed = print(file);
    String again = printed.isBlank() ? printed : print(readBackLoops(printed));
    require(printed.equals(again), "reads back otherwise:\n" + printed + "\n--- as\n" + again);
    return printed;
  }

  private static LoopFile readBackLoops(String printed) {
    try {
      return LoopReader.read(new Source("printed.loop", printed));
    } catch (CompileException error) {
      throw new Complaint("does not read back:\n" + error.getMessage());
    }
  }

  private static String print(LoopFile file) {
    return file.plan().map(LoopPrinter::print)
        .orElseGet(() -> file.kernels().stream().map(LoopPrinter::print).collect(Collectors.joining("\n")));
  }
}
