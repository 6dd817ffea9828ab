package dev.einfall.backends.c;

import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.KernelPlan;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A compiled program as C that needs nothing but a C library and threads: a file with everything in it, a header, what CMake needs to build it,
/// and a `main` if it should have one. The weights are a file of their own, whose bytes [#weights] tells.
///
/// @param name of the program: of its functions and files
/// @param files the texts, by the names of their files
/// @param weights where each weight lies in the file of weights, in order
/// @param weightsBytes the size of that file
public record CProgram(String name, Map<String, String> files, List<Place> weights, long weightsBytes) {
  /// The bytes before the weights in their file: what it is, and a digest of what follows.
  public static final int HEADING = 64;
  /// What a file of weights begins with.
  public static final String MAGIC = "einfall1";
  /// What weights begin at multiples of, in bytes.
  public static final int ALIGNMENT = 64;

  /// @param key the name of a weight
  /// @param offset of its first byte in the file
  public record Place(String key, long offset, long bytes) {}

  /// @param name of the functions and files, as C has names; neither `main` nor a word of the language
  /// @param target the machine
  /// @param isEmbedded whether the file of weights becomes a part of the library
  /// @param hasMain whether there is a `main`
  /// @param hasLines whether `#line` tells which lines of the program the code comes from
  public record Options(String name, CTarget target, boolean isEmbedded, boolean hasMain, boolean hasLines) {

    /// A name for the program `wish`.
    public static String name(String wish) {
      String word = wish.replaceAll("[^A-Za-z0-9_]", "_");
      return CNames.isFree(word) ? word : "program_" + word;
    }
  }

  public CProgram {
    files = Collections.unmodifiableMap(new LinkedHashMap<>(files));
    weights = List.copyOf(weights);
  }

  /// Where the weights of `plan` lie in their file.
  public static List<Place> places(KernelPlan plan) {
    List<Place> places = new ArrayList<>();
    long offset = HEADING;
    for (KernelPlan.Weight weight : plan.weights()) {
      places.add(new Place(weight.key(), offset, weight.buffer().bytes()));
      offset += aligned(weight.buffer().bytes());
    }
    return places;
  }

  static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  /// The program for `plan`.
  ///
  /// @param digest of what comes after the heading in the file of weights
  public static CProgram of(KernelPlan plan, long digest, Options options) {
    ProgramLayout layout = ProgramLayout.of(plan, digest, options);
    ProjectText project = new ProjectText(layout);
    Map<String, String> files = new LinkedHashMap<>();
    files.put(options.name + ".h", new HeaderText(layout).text());
    files.put(options.name + ".c", new ProgramText(layout).text());
    files.put("CMakeLists.txt", project.build());
    if (options.hasMain) {
      files.put("main.c", project.main());
    }
    return new CProgram(options.name, files, layout.weights(), layout.weightsBytes());
  }

  /// The text of a file that is a part of every program.
  static String resource(String file) {
    try (InputStream stream = CProgram.class.getResourceAsStream(file)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new InternalException("cannot read " + file, e);
    }
  }
}
