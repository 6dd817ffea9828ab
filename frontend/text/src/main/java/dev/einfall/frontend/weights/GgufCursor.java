package dev.einfall.frontend.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Reads the head of a GGUF file from its start on: little-endian numbers, strings behind their lengths, and typed values. What does not fit
/// into the file is an [IllegalArgumentException] that says where.
final class GgufCursor {
  private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int ARRAY = 9;
  private static final int MAX_DEPTH = 8;

  private final MemorySegment bytes;
  private long position;

  GgufCursor(MemorySegment bytes) {
    this.bytes = bytes;
  }

  long position() {
    return position;
  }

  int int32() {
    return bytes.get(INT, take(Integer.BYTES, "a number"));
  }

  long int64() {
    return bytes.get(LONG, take(Long.BYTES, "a number"));
  }

  /// A count of things of at least `least` bytes each, so that there cannot be more than the rest of the file holds.
  int count(long least, String things) {
    long count = int64();
    if (count < 0 || count > (bytes.byteSize() - position) / least || count > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException("it would have " + Long.toUnsignedString(count) + " " + things + ", for which it is too short");
    }
    return (int) count;
  }

  String text() {
    int length = count(1, "bytes in a string");
    long from = take(length, "a string");
    return new String(bytes.asSlice(from, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
  }

  /// A value of the type `type`.
  GgufValue value(int type) {
    return value(type, 0);
  }

  private GgufValue value(int type, int depth) {
    return switch (type) {
      case 0 -> whole(bytes.get(ValueLayout.JAVA_BYTE, take(1, "a value")) & 0xFF);
      case 1 -> whole(bytes.get(ValueLayout.JAVA_BYTE, take(1, "a value")));
      case 2 -> whole(bytes.get(SHORT, take(Short.BYTES, "a value")) & 0xFFFF);
      case 3 -> whole(bytes.get(SHORT, take(Short.BYTES, "a value")));
      case 4 -> whole(Integer.toUnsignedLong(int32()));
      case 5 -> whole(int32());
      case 6 -> new GgufValue.Real(Float.intBitsToFloat(int32()));
      case 7 -> new GgufValue.Truth(bytes.get(ValueLayout.JAVA_BYTE, take(1, "a value")) != 0);
      case 8 -> new GgufValue.Text(text());
      case ARRAY -> items(depth);
      case 10 -> new GgufValue.Whole(new BigInteger(Long.toUnsignedString(int64())));
      case 11 -> whole(int64());
      case 12 -> new GgufValue.Real(Double.longBitsToDouble(int64()));
      default -> throw new IllegalArgumentException("at byte " + (position - Integer.BYTES) + " stands " + type + ", which is no type of a value");
    };
  }

  private static GgufValue whole(long value) {
    return new GgufValue.Whole(BigInteger.valueOf(value));
  }

  private GgufValue items(int depth) {
    if (depth == MAX_DEPTH) {
      throw new IllegalArgumentException("its arrays are nested deeper than " + MAX_DEPTH);
    }
    int type = int32();
    int count = count(1, "elements in an array");
    List<GgufValue> values = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      values.add(value(type, depth + 1));
    }
    return new GgufValue.Items(values);
  }

  private long take(long count, String what) {
    long from = position;
    if (count > bytes.byteSize() - from) {
      throw new IllegalArgumentException("it ends at byte " + bytes.byteSize() + ", within " + what + " that begins at byte " + from);
    }
    position += count;
    return from;
  }
}
