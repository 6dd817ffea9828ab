package dev.einfall.frontend.onnx;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The fields of one protobuf message, in the order of the file. Nested messages and bytes stay where they are: a field
/// only says which part of the file it is. (Generated classes would copy every tensor.)
record Message(List<Field> fields) {

  /// Field `number`: a scalar's bits in `scalar`, or the content of a string, a nested message or a packed list in `bytes`.
  record Field(int number, long scalar, MemorySegment bytes) {
    String text() {
      return new String(bytes.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }
  }

  /// Reads the fields of the message that fills `bytes`.
  ///
  /// @throws IOException when the bytes are no message
  static Message read(MemorySegment bytes) throws IOException {
    List<Field> fields = new ArrayList<>();
    CodedInputStream input = stream(bytes);
    for (int tag = input.readTag(); tag != 0; tag = input.readTag()) {
      fields.add(field(tag, input, bytes));
    }
    return new Message(fields);
  }

  private static Field field(int tag, CodedInputStream input, MemorySegment bytes) throws IOException {
    int number = WireFormat.getTagFieldNumber(tag);
    return switch (WireFormat.getTagWireType(tag)) {
      case WireFormat.WIRETYPE_VARINT -> new Field(number, input.readRawVarint64(), MemorySegment.NULL);
      case WireFormat.WIRETYPE_FIXED64 -> new Field(number, input.readRawLittleEndian64(), MemorySegment.NULL);
      case WireFormat.WIRETYPE_FIXED32 -> new Field(number, input.readRawLittleEndian32(), MemorySegment.NULL);
      case WireFormat.WIRETYPE_LENGTH_DELIMITED -> new Field(number, 0, skip(input, bytes));
      default -> throw new InvalidProtocolBufferException("field " + number + " has an unknown wire type");
    };
  }

  private static MemorySegment skip(CodedInputStream input, MemorySegment bytes) throws IOException {
    int length = input.readRawVarint32();
    int start = input.getTotalBytesRead();
    if (length < 0 || length > bytes.byteSize() - start) {
      throw new InvalidProtocolBufferException("a field of " + Integer.toUnsignedString(length) + " bytes at byte "
          + start + " of " + bytes.byteSize());
    }
    input.skipRawBytes(length);
    return bytes.asSlice(start, length);
  }

  /// The varints of a repeated field: packed into bytes, or a scalar each.
  static List<Long> varints(Stream<Field> fields) throws IOException {
    List<Long> values = new ArrayList<>();
    for (Field field : fields.toList()) {
      if (field.bytes.equals(MemorySegment.NULL)) {
        values.add(field.scalar);
        continue;
      }
      CodedInputStream input = stream(field.bytes);
      while (!input.isAtEnd()) {
        values.add(input.readRawVarint64());
      }
    }
    return values;
  }

  Stream<Field> all(int number) {
    return fields.stream().filter(field -> field.number == number);
  }

  /// The text of field `number`, or an empty string.
  String text(int number) {
    return all(number).findFirst().map(Field::text).orElse("");
  }

  /// The scalar of field `number`, or 0.
  long scalar(int number) {
    return all(number).findFirst().map(Field::scalar).orElse(0L);
  }

  /// A stream and not a buffer: for buffers, protobuf asks for memory access that JDK 24 and later warn about.
  private static CodedInputStream stream(MemorySegment bytes) {
    int buffer = Math.clamp(bytes.byteSize(), 16, 4096);
    CodedInputStream input = CodedInputStream.newInstance(new SegmentStream(bytes), buffer);
    input.setSizeLimit(Integer.MAX_VALUE);
    return input;
  }

  private static final class SegmentStream extends InputStream {
    private final MemorySegment bytes;
    private long position;

    SegmentStream(MemorySegment bytes) {
      this.bytes = bytes;
    }

    @Override
    public int read() {
      return position < bytes.byteSize() ? bytes.get(ValueLayout.JAVA_BYTE, position++) & 0xFF : -1;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      int count = (int) Math.min(length, bytes.byteSize() - position);
      if (count == 0 && length > 0) {
        return -1;
      }
      MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, position, target, offset, count);
      position += count;
      return count;
    }

    @Override
    public long skip(long count) {
      long skipped = Math.clamp(count, 0, bytes.byteSize() - position);
      position += skipped;
      return skipped;
    }
  }
}
