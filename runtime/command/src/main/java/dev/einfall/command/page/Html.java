package dev.einfall.command.page;

/// Text of a page under construction. What comes from the program is escaped.
public final class Html {
  private final StringBuilder text = new StringBuilder();

  /// Adds markup as it is.
  public Html raw(String markup) {
    text.append(markup);
    return this;
  }

  /// Adds characters.
  public Html text(String characters) {
    text.append(escaped(characters));
    return this;
  }

  /// Adds an element that holds characters; `attributes` is markup, such as `class="x"`, or empty.
  public Html element(String name, String attributes, String characters) {
    text.append('<').append(name).append(attributes.isEmpty() ? "" : " ").append(attributes).append('>')
        .append(escaped(characters)).append("</").append(name).append('>');
    return this;
  }

  static String escaped(String characters) {
    return characters.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;").replace("'", "&#39;");
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
