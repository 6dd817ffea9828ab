package dev.einfall.frontend.weights;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A file in the safetensors format: the length of a header (8 bytes, little-endian), the header (JSON: for each key the type,
/// the shape, and where its data begins and ends), and the data.
public final class Safetensors implements WeightsFile {
  private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long MAX_HEADER = 100_000_000;

  private final Path file;
  private final Map<String, Json> header;
  private volatile MemorySegment data;

  private Safetensors(Path file, Map<String, Json> header, MemorySegment data) {
    this.file = file;
    this.header = header;
    this.data = data;
  }

  /// Maps `file` and reads its header. The place of every tensor is checked here.
  ///
  /// @throws CompileException when the file cannot be read, or is truncated or malformed
  public static Safetensors open(Path file) {
    MemorySegment bytes = MappedFile.open(file);
    if (bytes.byteSize() < Long.BYTES) {
      throw malformed(file, "it has " + bytes.byteSize() + " bytes and no header");
    }
    long length = bytes.get(LENGTH, 0);
    if (length < 0 || length > MAX_HEADER || length > bytes.byteSize() - Long.BYTES) {
      throw malformed(file, "its header would have " + Long.toUnsignedString(length) + " bytes, but the file has "
          + bytes.byteSize() + "; is it truncated?");
    }
    Safetensors opened = new Safetensors(file, header(file, bytes.asSlice(Long.BYTES, length)),
        bytes.asSlice(Long.BYTES + length));
    opened.header.forEach(opened::part);
    return opened;
  }

  private static Map<String, Json> header(Path file, MemorySegment text) {
    String json = new String(text.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    try {
      if (Json.read(json) instanceof Json.Members(Map<String, Json> members)) {
        Map<String, Json> tensors = new LinkedHashMap<>(members);
        tensors.remove("__metadata__");
        return tensors;
      }
    } catch (IllegalArgumentException e) {
      throw malformed(file, "its header is not JSON: " + e.getMessage());
    }
    throw malformed(file, "its header is not a JSON object");
  }

  @Override
  public String name() {
    return file.toString();
  }

  @Override
  public List<String> keys() {
    return List.copyOf(header.keySet());
  }

  @Override
  public Optional<StoredTensor> find(String key) {
    if (data == null) {
      throw new IllegalStateException(file + " is closed");
    }
    return Optional.ofNullable(header.get(key)).map(entry -> tensor(key, entry));
  }

  private StoredTensor tensor(String key, Json entry) {
    Json.Members members = members(key, entry);
    if (!(members.values().get("dtype") instanceof Json.Text(String typeName))) {
      throw malformed(file, "tensor '" + key + "' has no dtype");
    }
    ElementType type = type(typeName).orElseThrow(() ->
        CompileException.of(file + ": tensor '" + key + "' has the type " + typeName + ", which is not supported"));
    List<Long> shape = numbers(key, members, "shape");
    try {
      return new StoredTensor(key, type, shape, part(key, entry));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw malformed(file, "tensor '" + key + "': " + e.getMessage());
    }
  }

  private MemorySegment part(String key, Json entry) {
    List<Long> offsets = numbers(key, members(key, entry), "data_offsets");
    if (offsets.size() != 2 || offsets.get(0) > offsets.get(1) || offsets.get(1) > data.byteSize()) {
      throw malformed(file, "tensor '" + key + "' lies at " + offsets + " of " + data.byteSize()
          + " bytes of data; is the file truncated?");
    }
    return data.asSlice(offsets.get(0), offsets.get(1) - offsets.get(0));
  }

  private Json.Members members(String key, Json entry) {
    if (entry instanceof Json.Members members) {
      return members;
    }
    throw malformed(file, "tensor '" + key + "' is not described by a JSON object");
  }

  private List<Long> numbers(String key, Json.Members members, String member) {
    if (!(members.values().get(member) instanceof Json.Items items)) {
      throw malformed(file, "tensor '" + key + "' has no " + member);
    }
    return items.values().stream().map(item -> {
      if (item instanceof Json.Number(String digits) && digits.matches("[0-9]{1,18}")) {
        return Long.parseLong(digits);
      }
      throw malformed(file, "tensor '" + key + "' has a " + member + " that is not of integers");
    }).toList();
  }

  private static Optional<ElementType> type(String name) {
    return switch (name) {
      case "F64" -> Optional.of(ElementType.F64);
      case "F32" -> Optional.of(ElementType.F32);
      case "F16" -> Optional.of(ElementType.F16);
      case "BF16" -> Optional.of(ElementType.BF16);
      case "I64" -> Optional.of(ElementType.I64);
      case "I32" -> Optional.of(ElementType.I32);
      case "I16" -> Optional.of(ElementType.I16);
      case "I8" -> Optional.of(ElementType.I8);
      case "U8" -> Optional.of(ElementType.U8);
      case "BOOL" -> Optional.of(ElementType.BOOL);
      default -> Optional.empty();
    };
  }

  private static CompileException malformed(Path file, String what) {
    return CompileException.of(file + " is not a safetensors file: " + what);
  }

  @Override
  public void close() {
    data = null;
  }
}
