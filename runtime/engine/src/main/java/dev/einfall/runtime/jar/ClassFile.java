package dev.einfall.runtime.jar;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A class file, whose names of classes all stand in texts of its constant pool.
///
/// See: the Java Virtual Machine Specification, 4.4, The Constant Pool
record ClassFile(byte[] bytes) {
  private static final int HEAD = 8;
  private static final int TEXT = 1;

  /// The names that match `pattern`.
  Set<String> names(Pattern pattern) {
    Set<String> names = new LinkedHashSet<>();
    withTexts(text -> {
      for (Matcher matcher = pattern.matcher(text); matcher.find(); ) {
        names.add(matcher.group());
      }
      return text;
    });
    return names;
  }

  /// The same class with `to` in place of `from` in all texts: its own name, those of other classes, and what it says about them.
  ClassFile renamed(String from, String to) {
    return withTexts(text -> text.replace(from, to));
  }

  private ClassFile withTexts(UnaryOperator<String> change) {
    try {
      DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
      ByteArrayOutputStream changed = new ByteArrayOutputStream();
      DataOutputStream out = new DataOutputStream(changed);
      out.write(in.readNBytes(HEAD));
      int constants = in.readUnsignedShort();
      out.writeShort(constants);
      for (int i = 1; i < constants; i++) {
        int tag = in.readUnsignedByte();
        out.writeByte(tag);
        if (tag == TEXT) {
          // A byte is a character here: names of classes are of letters that take one.
          String text = new String(in.readNBytes(in.readUnsignedShort()), StandardCharsets.ISO_8859_1);
          byte[] other = change.apply(text).getBytes(StandardCharsets.ISO_8859_1);
          out.writeShort(other.length);
          out.write(other);
        } else {
          out.write(in.readNBytes(size(tag)));
          i += isWide(tag) ? 1 : 0;
        }
      }
      out.write(in.readAllBytes());
      return new ClassFile(changed.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isWide(int tag) {
    return tag == 5 || tag == 6;
  }

  /// What follows the tag of a constant that is no text.
  private static int size(int tag) {
    return switch (tag) {
      case 3, 4, 9, 10, 11, 12, 17, 18 -> 4;
      case 5, 6 -> 8;
      case 7, 8, 16, 19, 20 -> 2;
      case 15 -> 3;
      default -> throw new IllegalArgumentException("a constant with the tag " + tag);
    };
  }
}
