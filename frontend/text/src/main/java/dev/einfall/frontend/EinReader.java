package dev.einfall.frontend;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Size;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import dev.einfall.ir.cascade.Cascade;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;

/// Reads the text of an `.ein` file: from characters to the flat, checked cascade of one function.
///
/// Calls are inlined, static loops unrolled, and sizes and `...` resolved; the sizes of the entry function's
/// parameters stay symbolic, unless the number of one is needed to read on.
public final class EinReader {
  private static final String MAIN = "main";

  private final Diagnostics diagnostics = new Diagnostics();

  private EinReader() {}

  /// The program of `source`, which imports files of the standard library only.
  ///
  /// @throws dev.einfall.ir.CompileException with every error in the text
  public static EinProgram read(Source source, Optional<String> function) {
    return read(source, function, Imports.none());
  }

  /// The program of `source`, entered at `function`; at `main` or else the last function if that is empty.
  ///
  /// @throws dev.einfall.ir.CompileException with every error in the text and the files that it imports
  public static EinProgram read(Source source, Optional<String> function, Imports imports) {
    return new EinReader().program(source, function, imports);
  }

  /// What a check has found to be right.
  ///
  /// @param open the sizes without whose numbers a part of the program cannot be checked
  /// @param cascade the program, if it is one and there are no such sizes
  public record Checked(SortedSet<String> open, Optional<Cascade> cascade) {}

  /// Checks all functions of `source`, which is a program or a file of functions for programs.
  ///
  /// @param sizes numbers for sizes of the entry function
  /// @throws dev.einfall.ir.CompileException with every error in the text and the files that it imports
  public static Checked check(Source source, Imports imports, SortedMap<String, Long> sizes) {
    EinReader reader = new EinReader();
    FileScope main = reader.load(source, imports);
    Optional<Routine> start = reader.start(main).filter(routine -> new Entry(routine).isPossible());
    if (start.isEmpty()) {
      reader.checkOthers(main, new Elaboration(reader.diagnostics, false));
      reader.diagnostics.throwIfAny();
      return new Checked(new TreeSet<>(), Optional.empty());
    }
    EinProgram program = reader.program(start.get());
    SortedSet<String> needed = program.neededSizes();
    needed.removeAll(sizes.keySet());
    return new Checked(needed, needed.isEmpty() ? Optional.of(program.cascade(sizes)) : Optional.empty());
  }

  private EinProgram program(Source source, Optional<String> wanted, Imports imports) {
    FileScope main = load(source, imports);
    if (main.functions().isEmpty()) {
      throw missing(source, "this file has no function: it needs a `def`");
    }
    if (wanted.isPresent() && !main.functions().containsKey(wanted.get())) {
      throw missing(source, "this file has no function `" + wanted.get() + "`"
          + Spelling.suggestion(wanted.get(), main.functions().keySet()));
    }
    return program(wanted.map(main.functions()::get).or(() -> start(main)).orElseThrow());
  }

  private RuntimeException missing(Source source, String message) {
    return new CompileException(Diagnostic.error(new Span(source, 0, 0), message));
  }

  private FileScope load(Source source, Imports imports) {
    List<FileScope> files = new FileLoader(imports, diagnostics).load(source);
    files.forEach(file -> new Declarations(diagnostics).check(file.file()));
    diagnostics.throwIfAny();
    files.forEach(new Constants(diagnostics)::evaluate);
    diagnostics.throwIfAny();
    return files.getFirst();
  }

  /// `main`, or the last function.
  private Optional<Routine> start(FileScope main) {
    List<Routine> functions = List.copyOf(main.functions().values());
    return functions.isEmpty() ? Optional.empty()
        : Optional.of(main.functions().getOrDefault(MAIN, functions.getLast()));
  }

  /// Reads the program as far as that goes without numbers. If it needs some, sizes that are names may turn out to be equal.
  private EinProgram program(Routine routine) {
    Entry entry = new Entry(routine);
    Elaboration elaboration = new Elaboration(diagnostics, false);
    Entry.Reading reading = entry.read(Collections.emptySortedMap(), elaboration);
    if (!reading.needs().isEmpty()) {
      diagnostics.forgetErrors();
      elaboration = new Elaboration(diagnostics, true);
      entry.read(Collections.emptySortedMap(), elaboration);
    }
    checkOthers(routine.file(), elaboration);
    Syntax.File file = routine.file().file();
    Optional<String> weights = file.weights().map(this::plain);
    Optional<String> tokenizer = file.tokenizer().map(this::plain);
    diagnostics.throwIfAny();
    return new EinProgram(entry, reading, weights, tokenizer);
  }

  /// Checks the functions that the entry does not reach, for tensors of any sizes; `...` stands for two of them.
  private void checkOthers(FileScope main, Elaboration elaboration) {
    Optional<List<Size>> rest = Optional.of(List.of(Size.named("D0"), Size.named("D1")));
    Elaboration other = new Elaboration(diagnostics, true);
    other.called().addAll(elaboration.called());
    main.file().combiners().forEach(combiner ->
        diagnostics.attempt(combiner.span(), () -> other.combiner(combiner.name(), main)));
    for (Routine routine : main.functions().values()) {
      if (!other.called().contains(routine)) {
        Functions reader = new Functions(other);
        Frame frame = Frame.of(routine, Optional.empty(), Functions.symbols(routine, rest), "");
        diagnostics.attempt(routine.function().name().span(),
            () -> reader.call(routine, reader.inputs(frame), frame));
      }
    }
  }

  /// The characters of a string outside of all functions.
  private String plain(Syntax.Text text) {
    StringBuilder characters = new StringBuilder();
    for (Syntax.Part part : text.parts()) {
      switch (part) {
        case Syntax.Part.Characters(String value) -> characters.append(value);
        case Syntax.Part.Hole(Syntax.Expr value) ->
            diagnostics.report(value.span(), "there is nothing to put here outside of a function");
      }
    }
    diagnostics.throwIfAny();
    return characters.toString();
  }
}
