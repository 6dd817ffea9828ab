package dev.einfall.frontend.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import dev.einfall.frontend.weights.MappedFile;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.frontend.weights.WeightsFile;
import dev.einfall.ir.CompileException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The initialisers of an ONNX file, by name.
///
/// Exporters invent names for some of them (`onnx::MatMul_787`). Such a one is also found under the path of the node that
/// reads it, `/encoder/layer.0/attention/self/query/MatMul`, written as a key: without the leading slash and with dots for the
/// others, `encoder.layer.0.attention.self.query.MatMul`. When the node reads several initialisers, the input's index
/// follows: `encoder.layer.0.Add.0` and `encoder.layer.0.Add.1`. A name of the file wins over such a path.
public final class OnnxFile implements WeightsFile {
  private final Path file;
  private volatile Map<String, Initializer> initializers;

  private OnnxFile(Path file, Map<String, Initializer> initializers) {
    this.file = file;
    this.initializers = initializers;
  }

  /// Maps `file` and finds its initialisers.
  ///
  /// @throws CompileException when the file cannot be read, or is truncated or malformed
  public static OnnxFile open(Path file) {
    MemorySegment bytes = MappedFile.open(file);
    try {
      Optional<Message.Field> graph = Message.read(bytes).all(ModelProto.GRAPH_FIELD_NUMBER).findFirst();
      if (graph.isEmpty()) {
        throw new IOException("it holds no graph");
      }
      return new OnnxFile(file, initializers(Message.read(graph.get().bytes())));
    } catch (IOException e) {
      throw CompileException.of("cannot read " + file + " as an ONNX file: " + e.getMessage() + "; is it truncated?");
    }
  }

  private static Map<String, Initializer> initializers(Message graph) throws IOException {
    Map<String, Initializer> found = new LinkedHashMap<>();
    for (Message.Field field : graph.all(GraphProto.INITIALIZER_FIELD_NUMBER).toList()) {
      Initializer initializer = Initializer.read(field.bytes());
      found.put(initializer.name(), initializer);
    }
    Map<String, Initializer> all = new LinkedHashMap<>(found);
    for (Message.Field field : graph.all(GraphProto.NODE_FIELD_NUMBER).toList()) {
      paths(Message.read(field.bytes()), found).forEach(all::putIfAbsent);
    }
    return all;
  }

  /// The initialisers that `node` reads, by the paths that they get from it.
  private static Map<String, Initializer> paths(Message node, Map<String, Initializer> initializers) {
    List<String> inputs = node.all(NodeProto.INPUT_FIELD_NUMBER).map(Message.Field::text).toList();
    List<Integer> read = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      if (initializers.containsKey(inputs.get(i))) {
        read.add(i);
      }
    }
    String path = node.text(NodeProto.NAME_FIELD_NUMBER).replaceFirst("^/", "").replace('/', '.');
    Map<String, Initializer> paths = new LinkedHashMap<>();
    if (!path.isEmpty()) {
      read.forEach(i -> paths.put(read.size() == 1 ? path : path + "." + i, initializers.get(inputs.get(i))));
    }
    return paths;
  }

  @Override
  public String name() {
    return file.toString();
  }

  /// The names of the initialisers, then the paths of nodes.
  @Override
  public List<String> keys() {
    return List.copyOf(open().keySet());
  }

  @Override
  public Optional<StoredTensor> find(String key) {
    return Optional.ofNullable(open().get(key)).map(initializer -> initializer.stored(key, name()));
  }

  private Map<String, Initializer> open() {
    Map<String, Initializer> current = initializers;
    if (current == null) {
      throw new IllegalStateException(file + " is closed");
    }
    return current;
  }

  @Override
  public void close() {
    initializers = null;
  }
}
