package dev.einfall.frontend;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.Span;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/// The errors of one run of the reader, one at a place: a function that is used twice is wrong once.
final class Diagnostics {
  private static final int MOST = 100;
  private static final int MOST_NOTES = 6;

  /// Leaves the statement that is wrong, which has been reported.
  static final class Rejection extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private Rejection() {
      super(null, null, false, false);
    }
  }

  private final Map<Span, Diagnostic> errors = new LinkedHashMap<>();
  private int reports;
  private final Map<Span, Size> needs = new LinkedHashMap<>();

  /// Reports an error.
  void report(Span span, String message, Diagnostic.Note... notes) {
    reports++;
    if (errors.size() < MOST) {
      errors.putIfAbsent(span, Diagnostic.error(span, message, notes));
    }
  }

  /// Reports an error that leaves no meaning to the statement that it is in.
  Rejection reject(Span span, String message, Diagnostic.Note... notes) {
    report(span, message, notes);
    return new Rejection();
  }

  /// Leaves a statement that uses what an error, already reported, has left without a meaning.
  Rejection reject() {
    return new Rejection();
  }

  /// Does `work`; returns whether it came to its end. If not, there has been an error, or a number was needed.
  ///
  /// @param span what is at fault when a size in `work` leaves the range of numbers
  boolean attempt(Span span, Runnable work) {
    try {
      work.run();
      return true;
    } catch (Rejection _) {
      return false;
    } catch (ArithmeticException _) {
      report(span, "the sizes here are too large");
      return false;
    }
  }

  /// What `work` makes; nothing if it is wrong, which has been reported. What stands beside it can be read on.
  <T> Optional<T> attempt(Supplier<T> work) {
    try {
      return Optional.of(work.get());
    } catch (Rejection _) {
      return Optional.empty();
    }
  }

  /// What `work` makes of each item. Every item has its turn, so that all errors in a list are found.
  ///
  /// @throws Rejection at the end if one of them is wrong
  <S, T> List<T> each(Collection<S> items, Function<S, T> work) {
    List<T> results = new ArrayList<>();
    for (S item : items) {
      attempt(() -> work.apply(item)).ifPresent(results::add);
    }
    if (results.size() < items.size()) {
      throw reject();
    }
    return results;
  }

  /// Adds `note` to the errors reported since there were `count`.
  void explain(int count, Diagnostic.Note note) {
    List<Map.Entry<Span, Diagnostic>> entries = new ArrayList<>(errors.entrySet());
    for (Map.Entry<Span, Diagnostic> entry : entries.subList(count, entries.size())) {
      Diagnostic old = entry.getValue();
      if (Library.isFile(old.span().source()) && !Library.isFile(note.span().source())) {
        errors.remove(entry.getKey());
        errors.putIfAbsent(note.span(), ofCaller(old, note));
        continue;
      }
      List<Diagnostic.Note> notes = new ArrayList<>(old.notes());
      if (notes.size() < MOST_NOTES && !notes.contains(note)) {
        notes.add(note);
      }
      errors.put(entry.getKey(), new Diagnostic(old.severity(), old.span(), old.message(), notes));
    }
  }

  /// An error inside the library, at the call to which it is due.
  private static Diagnostic ofCaller(Diagnostic inside, Diagnostic.Note call) {
    List<Diagnostic.Note> notes = new ArrayList<>(List.of(new Diagnostic.Note(inside.span(), "here in the library")));
    notes.addAll(inside.notes());
    return new Diagnostic(inside.severity(), call.span(), call.message() + ": " + inside.message(), notes);
  }

  /// How often an error was reported; more than there are errors when one was found again.
  int reports() {
    return reports;
  }

  int count() {
    return errors.size();
  }

  /// Leaves a statement that depends on the number that `size` is, which is not known.
  Rejection need(Span span, Size size) {
    needs.putIfAbsent(span, size);
    return new Rejection();
  }

  /// Where the number of a size was needed since [#forgetNeeds].
  Map<Span, Size> needs() {
    return needs;
  }

  void forgetNeeds() {
    needs.clear();
  }

  void forgetErrors() {
    errors.clear();
  }

  /// @throws CompileException with every error, file by file in the order of their places, if there is one
  void throwIfAny() {
    if (!errors.isEmpty()) {
      List<String> files = errors.keySet().stream().map(span -> span.source().name()).distinct().toList();
      throw new CompileException(errors.values().stream()
          .sorted(Comparator.comparingInt((Diagnostic error) -> files.indexOf(error.span().source().name()))
              .thenComparingInt(error -> error.span().start()))
          .toList());
    }
  }
}
