package dev.einfall.frontend;

import dev.einfall.ir.Source;
import org.antlr.v4.runtime.CharStream;
import org.antlr.v4.runtime.CharStreams;

/// The characters of a source as ANTLR reads them, at the offsets that spans use.
final class Characters {
  private Characters() {}

  /// The characters from `start` to `end`. ANTLR counts code points and spans count `char`s, so halves of a surrogate
  /// pair, which stand in strings and comments only, are each replaced by a character of no meaning.
  static CharStream of(Source source, int start, int end) {
    char[] characters = source.text().substring(0, end).toCharArray();
    for (int i = 0; i < characters.length; i++) {
      if (Character.isSurrogate(characters[i])) {
        characters[i] = '\uFFFD';
      }
    }
    CharStream stream = CharStreams.fromString(new String(characters));
    stream.seek(start);
    return stream;
  }
}
