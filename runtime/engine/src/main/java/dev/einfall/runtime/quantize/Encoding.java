package dev.einfall.runtime.quantize;

import dev.einfall.frontend.LibraryFormats;
import dev.einfall.frontend.weights.NearKeys;
import dev.einfall.ir.CompileException;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// A format of the library and the sizes that it takes, such as `int4(group = 64)`. A size is a number, or `channel`: as many as the rank has along which
/// elements are grouped. One that the format finds by the elements need not be said.
///
/// @param sizes for each of the format's
public record Encoding(LibraryFormats.Declared format, SortedMap<String, String> sizes) {
  /// The size that is that of the rank.
  public static final String CHANNEL = "channel";
  /// The size that depends on the elements, and is not known yet.
  private static final String MEASURED = "measured";
  /// The size that is the count of bits of an element, where formats have one.
  static final String BITS = "bits";
  private static final Pattern TEXT = Pattern.compile("\\s*(\\w+)\\s*(?:\\(([^()]*)\\))?\\s*");
  private static final Pattern ARGUMENT = Pattern.compile("\\s*(\\w+)\\s*=\\s*([0-9]{1,9}|" + CHANNEL + ")\\s*");

  /// The encoding that `text` says.
  ///
  /// @throws CompileException when there is no such format, or it takes other sizes; the message says what there is
  public static Encoding parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw CompileException.of("'" + text + "' is no format: expected one such as int4(group = 64)");
    }
    LibraryFormats.Declared format = format(matcher.group(1));
    SortedMap<String, String> sizes = new TreeMap<>();
    String arguments = matcher.group(2) == null ? "" : matcher.group(2);
    Arrays.stream(arguments.split(",")).filter(argument -> !argument.isBlank()).forEach(argument -> add(argument, format, sizes));
    format.measured().forEach(size -> sizes.putIfAbsent(size, MEASURED));
    format.sizes().stream().filter(size -> !sizes.containsKey(size)).findFirst().ifPresent(size -> {
      throw CompileException.of("the format " + format.name() + " takes " + size + ": write " + example(format));
    });
    return new Encoding(format, sizes);
  }

  private static LibraryFormats.Declared format(String name) {
    List<LibraryFormats.Declared> all = LibraryFormats.all();
    return all.stream().filter(format -> format.name().equals(name)).findFirst().orElseThrow(() -> {
      List<String> names = all.stream().map(LibraryFormats.Declared::name).sorted().toList();
      return CompileException.of("there is no format '" + name + "'" + NearKeys.suggestion(name, names) + "; the formats are " + String.join(", ", names));
    });
  }

  private static void add(String argument, LibraryFormats.Declared format, SortedMap<String, String> sizes) {
    Matcher matcher = ARGUMENT.matcher(argument);
    if (!matcher.matches() || !format.sizes().contains(matcher.group(1))) {
      throw CompileException.of("'" + argument.strip() + "' means nothing to the format " + format.name() + ": write " + example(format));
    }
    sizes.put(matcher.group(1), matcher.group(2));
  }

  private static String example(LibraryFormats.Declared format) {
    List<String> sizes = format.sizes().stream().filter(size -> !format.measured().contains(size)).toList();
    return format.name() + (sizes.isEmpty() ? ""
        : sizes.stream().map(size -> size + " = " + (size.equals(BITS) ? "4" : "64")).collect(Collectors.joining(", ", "(", ")")));
  }

  /// The sizes that are found by the elements, and are not known yet.
  List<String> unknown() {
    return format.sizes().stream().filter(size -> sizes.get(size).equals(MEASURED)).toList();
  }

  /// With another number for one of the sizes.
  Encoding with(String size, String number) {
    SortedMap<String, String> changed = new TreeMap<>(sizes);
    changed.put(size, number);
    return new Encoding(format, changed);
  }

  /// What the type of a weight says, where the last rank has the size `length`: `int8(group = 384)`.
  public String type(long length) {
    return text(format.sizes(), size -> Long.toString(size(size, length)));
  }

  /// The sizes for a call of the format's functions, in order.
  List<Long> sizes(long length) {
    return format.sizes().stream().map(size -> size(size, length)).toList();
  }

  /// What is not known yet is 1.
  private long size(String name, long length) {
    return switch (sizes.get(name)) {
      case CHANNEL -> length;
      case MEASURED -> 1;
      case String number -> Long.parseLong(number);
    };
  }

  /// As it is written.
  @Override
  public String toString() {
    return text(format.sizes().stream().filter(size -> !unknown().contains(size)).toList(), sizes::get);
  }

  private String text(List<String> said, UnaryOperator<String> value) {
    return format.name() + (said.isEmpty() ? ""
        : said.stream().map(size -> size + " = " + value.apply(size)).collect(Collectors.joining(", ", "(", ")")));
  }
}
