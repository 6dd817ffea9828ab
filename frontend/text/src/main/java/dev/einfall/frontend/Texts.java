package dev.einfall.frontend;

import dev.einfall.frontend.Syntax.Part;
import java.util.stream.Collectors;

/// The characters of strings with `{expression}` in them.
final class Texts {
  private final Sizes sizes;

  Texts(Diagnostics diagnostics, Frame frame) {
    this.sizes = new Sizes(diagnostics, frame);
  }

  String text(Syntax.Text text) {
    return text.parts().stream().map(part -> switch (part) {
      case Part.Characters(String characters) -> characters;
      case Part.Hole(Syntax.Expr value) -> Long.toString(sizes.number(value));
    }).collect(Collectors.joining());
  }

  /// `prefix.text`; either alone if the other is empty.
  String join(String prefix, Syntax.Text text) {
    String suffix = text(text);
    return prefix.isEmpty() ? suffix : suffix.isEmpty() ? prefix : prefix + "." + suffix;
  }
}
