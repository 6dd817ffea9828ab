package dev.einfall.frontend.onnx;

import ai.onnx.proto.OnnxMl.TensorProto;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/// An initialiser of a graph: a constant tensor and its name.
record Initializer(String name, List<Long> shape, int dataType, MemorySegment data) {

  /// Reads a `TensorProto`. Raw data stays where it is; data that is stored as numbers is copied.
  static Initializer read(MemorySegment bytes) throws IOException {
    Message message = Message.read(bytes);
    return new Initializer(
        message.text(TensorProto.NAME_FIELD_NUMBER),
        Message.varints(message.all(TensorProto.DIMS_FIELD_NUMBER)),
        (int) message.scalar(TensorProto.DATA_TYPE_FIELD_NUMBER),
        data(message));
  }

  private static MemorySegment data(Message message) throws IOException {
    if (message.scalar(TensorProto.DATA_LOCATION_FIELD_NUMBER) == TensorProto.DataLocation.EXTERNAL_VALUE) {
      throw new IOException("tensor '" + message.text(TensorProto.NAME_FIELD_NUMBER)
          + "' is stored in a second file, which is not supported");
    }
    Optional<Message.Field> raw = message.all(TensorProto.RAW_DATA_FIELD_NUMBER).findFirst();
    if (raw.isPresent()) {
      return raw.get().bytes();
    }
    return numbers(message);
  }

  private static MemorySegment numbers(Message message) throws IOException {
    int type = (int) message.scalar(TensorProto.DATA_TYPE_FIELD_NUMBER);
    List<Long> bits = switch (type) {
      case TensorProto.DataType.FLOAT_VALUE -> fixed(message, TensorProto.FLOAT_DATA_FIELD_NUMBER, Float.BYTES);
      case TensorProto.DataType.DOUBLE_VALUE -> fixed(message, TensorProto.DOUBLE_DATA_FIELD_NUMBER, Double.BYTES);
      case TensorProto.DataType.INT64_VALUE -> Message.varints(message.all(TensorProto.INT64_DATA_FIELD_NUMBER));
      default -> Message.varints(message.all(TensorProto.INT32_DATA_FIELD_NUMBER));
    };
    int bytes = type(type).map(ElementType::bytes).orElse(1);
    MemorySegment data = Arena.ofAuto().allocate(Math.max(1, (long) bits.size() * bytes), 64);
    for (int i = 0; i < bits.size(); i++) {
      store(data, (long) i * bytes, bytes, bits.get(i));
    }
    return data.asSlice(0, (long) bits.size() * bytes).asReadOnly();
  }

  private static List<Long> fixed(Message message, int number, int bytes) {
    return message.all(number).flatMap(field -> field.bytes().equals(MemorySegment.NULL)
        ? Stream.of(field.scalar())
        : LongStream.range(0, field.bytes().byteSize() / bytes)
            .mapToObj(i -> load(field.bytes(), i * bytes, bytes))).toList();
  }

  private static long load(MemorySegment data, long offset, int bytes) {
    return bytes == Float.BYTES
        ? data.get(ValueLayout.JAVA_INT_UNALIGNED, offset) : data.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
  }

  private static void store(MemorySegment data, long offset, int bytes, long bits) {
    for (int i = 0; i < bytes; i++) {
      data.set(ValueLayout.JAVA_BYTE, offset + i, (byte) (bits >>> (8 * i)));
    }
  }

  /// The tensor as `key` of `file`.
  ///
  /// @throws CompileException when its type is not supported or its data does not fill its shape
  StoredTensor stored(String key, String file) {
    ElementType type = type(dataType).orElseThrow(() ->
        CompileException.of(file + ": tensor '" + key + "' has ONNX's type " + dataType + ", which is not supported"));
    try {
      return new StoredTensor(key, type, shape, data);
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw CompileException.of(file + " is malformed: tensor " + e.getMessage());
    }
  }

  private static Optional<ElementType> type(int dataType) {
    return switch (dataType) {
      case TensorProto.DataType.FLOAT_VALUE -> Optional.of(ElementType.F32);
      case TensorProto.DataType.DOUBLE_VALUE -> Optional.of(ElementType.F64);
      case TensorProto.DataType.FLOAT16_VALUE -> Optional.of(ElementType.F16);
      case TensorProto.DataType.BFLOAT16_VALUE -> Optional.of(ElementType.BF16);
      case TensorProto.DataType.INT64_VALUE -> Optional.of(ElementType.I64);
      case TensorProto.DataType.INT32_VALUE -> Optional.of(ElementType.I32);
      case TensorProto.DataType.INT16_VALUE -> Optional.of(ElementType.I16);
      case TensorProto.DataType.INT8_VALUE -> Optional.of(ElementType.I8);
      case TensorProto.DataType.UINT8_VALUE -> Optional.of(ElementType.U8);
      case TensorProto.DataType.BOOL_VALUE -> Optional.of(ElementType.BOOL);
      default -> Optional.empty();
    };
  }
}
