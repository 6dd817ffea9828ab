package dev.einfall.frontend.weights;

import dev.einfall.ir.CompileException;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A file in the GGUF format of llama.cpp, versions 2 and 3 (docs/gguf.md of ggml): metadata, the names, shapes and types of tensors, and
/// their data.
///
/// A tensor whose elements lie by themselves has its name for its key. One whose elements lie in blocks, as in `Q4_K`, is found as the bytes of its
/// blocks, as they are mapped: `NAME.blocks`, of type `u8[..., blocks of a row, bytes of a block]`. The formats of `std.formats.gguf` make the elements
/// of these. Shapes are in the order of the program: the last rank is that whose elements are neighbours.
public final class Gguf implements WeightsFile {
  /// What stands behind the name of a tensor in blocks.
  private static final String BLOCKS = ".blocks";
  private static final int MAGIC = 0x46554747;
  private static final int LEAST_PAIR = 13;
  private static final int LEAST_TENSOR = 24;
  private static final int MAX_RANKS = 8;
  private static final long USUAL_ALIGNMENT = 32;

  /// A tensor as the file describes it.
  ///
  /// @param number of its type
  /// @param offset of its first byte in the data
  private record Entry(String name, List<Long> shape, int number, long offset) {}

  private final Path file;
  private final Map<String, GgufValue> metadata;
  private final Map<String, Entry> entries;
  private volatile MemorySegment data;

  private Gguf(Path file, Map<String, GgufValue> metadata, Map<String, Entry> entries, MemorySegment data) {
    this.file = file;
    this.metadata = metadata;
    this.entries = entries;
    this.data = data;
  }

  /// Maps `file` and reads its metadata and the places of its tensors, which are checked here.
  ///
  /// @throws CompileException when the file cannot be read, or is truncated or malformed
  public static Gguf open(Path file) {
    MemorySegment bytes = MappedFile.open(file);
    try {
      Gguf opened = read(file, bytes, new GgufCursor(bytes));
      opened.entries.values().forEach(entry -> GgufType.of(entry.number).ifPresent(type -> opened.part(entry, type)));
      return opened;
    } catch (IllegalArgumentException e) {
      throw CompileException.of(file + " is not a GGUF file: " + e.getMessage());
    }
  }

  private static Gguf read(Path file, MemorySegment bytes, GgufCursor cursor) {
    int magic = cursor.int32();
    if (magic != MAGIC) {
      throw new IllegalArgumentException("it does not begin with GGUF");
    }
    int version = cursor.int32();
    if (version != 2 && version != 3) {
      throw new IllegalArgumentException(Integer.reverseBytes(version) == 3 ? "its numbers are big-endian, which is not supported"
          : "it is of version " + version + ", and 2 and 3 are supported");
    }
    int tensors = cursor.count(LEAST_TENSOR, "tensors");
    int pairs = cursor.count(LEAST_PAIR, "metadata");
    Map<String, GgufValue> metadata = metadata(cursor, pairs);
    Map<String, Entry> entries = entries(cursor, tensors);
    long alignment = alignment(metadata);
    long start = (cursor.position() + alignment - 1) / alignment * alignment;
    if (start > bytes.byteSize() && !entries.isEmpty()) {
      throw new IllegalArgumentException("its data would begin at byte " + start + " of " + bytes.byteSize() + "; is it truncated?");
    }
    return new Gguf(file, metadata, entries, bytes.asSlice(Math.min(start, bytes.byteSize())));
  }

  private static Map<String, GgufValue> metadata(GgufCursor cursor, int count) {
    Map<String, GgufValue> metadata = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      String key = cursor.text();
      if (metadata.put(key, cursor.value(cursor.int32())) != null) {
        throw new IllegalArgumentException("it has two values of '" + key + "'");
      }
    }
    return metadata;
  }

  private static Map<String, Entry> entries(GgufCursor cursor, int count) {
    Map<String, Entry> entries = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      Entry entry = entry(cursor);
      boolean isInBlocks = GgufType.of(entry.number).filter(GgufType::isInBlocks).isPresent();
      if (entries.put(isInBlocks ? entry.name + BLOCKS : entry.name, entry) != null) {
        throw new IllegalArgumentException("it has two tensors '" + entry.name + "'");
      }
    }
    return entries;
  }

  /// The file has the innermost extent first.
  private static Entry entry(GgufCursor cursor) {
    String name = cursor.text();
    int ranks = cursor.int32();
    if (ranks < 0 || ranks > MAX_RANKS) {
      throw new IllegalArgumentException("tensor '" + name + "' would have " + Integer.toUnsignedString(ranks) + " dimensions");
    }
    List<Long> shape = new ArrayList<>();
    for (int i = 0; i < ranks; i++) {
      shape.add(cursor.int64());
    }
    if (shape.stream().anyMatch(extent -> extent < 0)) {
      throw new IllegalArgumentException("tensor '" + name + "' has a negative size");
    }
    Collections.reverse(shape);
    return new Entry(name, List.copyOf(shape), cursor.int32(), cursor.int64());
  }

  private static long alignment(Map<String, GgufValue> metadata) {
    GgufValue value = metadata.get("general.alignment");
    if (value == null) {
      return USUAL_ALIGNMENT;
    }
    if (value instanceof GgufValue.Whole(BigInteger whole) && whole.bitLength() < 31 && whole.bitCount() == 1) {
      return whole.longValue();
    }
    throw new IllegalArgumentException("its alignment is no power of two");
  }

  @Override
  public String name() {
    return file.toString();
  }

  /// What the file says of the model.
  public Map<String, GgufValue> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  @Override
  public List<String> keys() {
    return List.copyOf(entries.keySet());
  }

  @Override
  public Optional<StoredTensor> find(String key) {
    if (data == null) {
      throw new IllegalStateException(file + " is closed");
    }
    return Optional.ofNullable(entries.get(key)).map(entry -> tensor(key, entry));
  }

  private StoredTensor tensor(String key, Entry entry) {
    GgufType type = GgufType.of(entry.number).orElseThrow(() -> CompileException.of(
        file + ": tensor '" + key + "' has the type " + entry.number + " of ggml, which is not supported"));
    return new StoredTensor(key, type.element(), shape(entry, type), part(entry, type));
  }

  private static List<Long> shape(Entry entry, GgufType type) {
    if (!type.isInBlocks()) {
      return entry.shape;
    }
    if (entry.shape.isEmpty() || entry.shape.getLast() % type.elements() != 0) {
      throw new IllegalArgumentException("the rows of tensor '" + entry.name + "' of shape " + entry.shape + " are no whole blocks of " + type.elements()
          + ", as " + type.name() + " has them");
    }
    List<Long> shape = new ArrayList<>(entry.shape);
    shape.add(shape.removeLast() / type.elements());
    shape.add((long) type.bytes());
    return shape;
  }

  private MemorySegment part(Entry entry, GgufType type) {
    long bytes = bytes(entry, type);
    if (entry.offset < 0 || entry.offset > data.byteSize() || bytes > data.byteSize() - entry.offset) {
      throw new IllegalArgumentException("tensor '" + entry.name + "' has " + bytes + " bytes from byte " + Long.toUnsignedString(entry.offset)
          + " of " + data.byteSize() + " bytes of data on; is the file truncated?");
    }
    return data.asSlice(entry.offset, bytes);
  }

  private static long bytes(Entry entry, GgufType type) {
    try {
      return shape(entry, type).stream().reduce((long) type.element().bytes(), Math::multiplyExact);
    } catch (ArithmeticException _) {
      throw new IllegalArgumentException("tensor '" + entry.name + "' of shape " + entry.shape + " has more bytes than can be counted");
    }
  }

  @Override
  public void close() {
    data = null;
  }
}
