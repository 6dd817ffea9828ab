package dev.einfall.runtime;

import dev.einfall.ir.ElementType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Reads and writes NumPy's `.npy` files: one tensor each, little-endian and in C order.
public final class Npy {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int MAX_HEADER = 1 << 20;
  private static final int CHUNK = 1 << 20;
  private static final Pattern DESCRIPTION = Pattern.compile("'descr'\\s*:\\s*'([^']*)'");
  private static final Pattern ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
  private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([0-9,\\sL]*)\\)");

  private Npy() {}

  /// The tensor in `file`.
  ///
  /// @throws IllegalArgumentException when the file cannot be read, is malformed, or holds what tensors cannot
  public static Tensor read(Path file) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return read(file, channel);
    } catch (NoSuchFileException _) {
      throw new IllegalArgumentException("cannot read " + file + ": there is no such file");
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read " + file + ": " + e.getMessage());
    }
  }

  private static Tensor read(Path file, FileChannel channel) throws IOException {
    ByteBuffer start = bytes(file, channel, MAGIC.length + 2);
    byte[] magic = new byte[MAGIC.length];
    start.get(magic);
    if (!Arrays.equals(magic, MAGIC)) {
      throw malformed(file, "it does not begin as such a file does");
    }
    int version = start.get();
    long length = version == 1
        ? Short.toUnsignedLong(bytes(file, channel, 2).getShort())
        : Integer.toUnsignedLong(bytes(file, channel, 4).getInt());
    if (length > MAX_HEADER) {
      throw malformed(file, "its header would have " + length + " bytes");
    }
    String header = StandardCharsets.UTF_8.decode(bytes(file, channel, (int) length)).toString();
    return elements(file, channel, header);
  }

  private static Tensor elements(Path file, FileChannel channel, String header) throws IOException {
    String description = field(file, header, DESCRIPTION, "descr");
    ElementType type = type(description).orElseThrow(() -> new IllegalArgumentException(
        file + " holds elements of type '" + description + "', which is not supported"));
    long[] shape = shape(file, field(file, header, SHAPE, "shape"));
    if (field(file, header, ORDER, "fortran_order").equals("True") && shape.length > 1) {
      throw new IllegalArgumentException(file + " is in Fortran order: save it with numpy.ascontiguousarray");
    }
    long expected = bytes(file, type, shape);
    long present = channel.size() - channel.position();
    if (present != expected) {
      throw malformed(file, "a tensor of type " + type + " and shape " + Arrays.toString(shape) + " has " + expected
          + " bytes, but " + present + " follow the header; is it truncated?");
    }
    MemorySegment data = channel.map(FileChannel.MapMode.READ_ONLY, channel.position(), present,
        Arena.ofAuto());
    return Tensor.copyOf(type, data, shape);
  }

  private static String field(Path file, String header, Pattern pattern, String name) {
    Matcher matcher = pattern.matcher(header);
    if (!matcher.find()) {
      throw malformed(file, "its header has no " + name);
    }
    return matcher.group(1);
  }

  private static long[] shape(Path file, String sizes) {
    try {
      return Arrays.stream(sizes.split(",")).map(size -> size.replace("L", "").strip()).filter(size -> !size.isEmpty())
          .mapToLong(Long::parseLong).toArray();
    } catch (NumberFormatException _) {
      throw malformed(file, "its shape is (" + sizes + ")");
    }
  }

  private static long bytes(Path file, ElementType type, long[] shape) {
    try {
      return Arrays.stream(shape).reduce(type.bytes(), Math::multiplyExact);
    } catch (ArithmeticException _) {
      throw malformed(file, "its shape is " + Arrays.toString(shape));
    }
  }

  private static ByteBuffer bytes(Path file, FileChannel channel, int count) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw malformed(file, "it ends within its header");
      }
    }
    return buffer.flip();
  }

  private static IllegalArgumentException malformed(Path file, String what) {
    return new IllegalArgumentException(file + " is not a .npy file: " + what);
  }

  /// Writes `tensor` to `file`. There is no `bf16` in such files: it is written as `f32`.
  ///
  /// @throws IOException when the file cannot be written
  public static void write(Path file, Tensor tensor) throws IOException {
    MemorySegment data = tensor.type() == ElementType.BF16 ? widen(tensor.data()) : tensor.data();
    String shape = tensor.shape().stream().map(size -> size + ",").collect(Collectors.joining(" "));
    String header = "{'descr': '" + description(tensor.type()) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    int before = MAGIC.length + 4;
    int length = (before + header.length() + 1 + 63) / 64 * 64 - before;
    ByteBuffer start = ByteBuffer.allocate(before + length).order(ByteOrder.LITTLE_ENDIAN);
    start.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) length);
    start.put((header + " ".repeat(length - header.length() - 1) + "\n").getBytes(StandardCharsets.US_ASCII)).flip();
    try (var channel = Files.newByteChannel(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
        StandardOpenOption.TRUNCATE_EXISTING)) {
      channel.write(start);
      for (long offset = 0; offset < data.byteSize(); offset += CHUNK) {
        MemorySegment part = data.asSlice(offset, Math.min(CHUNK, data.byteSize() - offset));
        channel.write(ByteBuffer.wrap(part.toArray(ValueLayout.JAVA_BYTE)));
      }
    }
  }

  private static MemorySegment widen(MemorySegment bf16) {
    int count = Math.toIntExact(bf16.byteSize() / Short.BYTES);
    int[] bits = new int[count];
    for (int i = 0; i < count; i++) {
      bits[i] = bf16.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2L * i) << 16;
    }
    return MemorySegment.ofArray(bits);
  }

  private static Optional<ElementType> type(String description) {
    return switch (description) {
      case "<f8" -> Optional.of(ElementType.F64);
      case "<f4" -> Optional.of(ElementType.F32);
      case "<f2" -> Optional.of(ElementType.F16);
      case "<i8" -> Optional.of(ElementType.I64);
      case "<i4" -> Optional.of(ElementType.I32);
      case "<i2" -> Optional.of(ElementType.I16);
      case "|i1", "<i1" -> Optional.of(ElementType.I8);
      case "|u1", "<u1" -> Optional.of(ElementType.U8);
      case "|b1" -> Optional.of(ElementType.BOOL);
      default -> Optional.empty();
    };
  }

  private static String description(ElementType type) {
    return switch (type) {
      case F64 -> "<f8";
      case F32, BF16 -> "<f4";
      case F16 -> "<f2";
      case I64 -> "<i8";
      case I32 -> "<i4";
      case I16 -> "<i2";
      case I8 -> "|i1";
      case U8 -> "|u1";
      case BOOL -> "|b1";
    };
  }
}
