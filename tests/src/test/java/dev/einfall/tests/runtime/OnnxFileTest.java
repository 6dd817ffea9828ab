package dev.einfall.tests.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.einfall.frontend.onnx.OnnxFile;
import dev.einfall.frontend.weights.StoredTensor;
import dev.einfall.ir.CompileException;
import dev.einfall.ir.ElementType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxFileTest {
  @TempDir
  private Path directory;

  @Test
  void findsInitialisersByName() throws IOException {
    try (OnnxFile file = OnnxFile.open(written(raw("w", 2, 2)))) {
      StoredTensor tensor = file.require("w");
      assertEquals(ElementType.F32, tensor.type());
      assertEquals(List.of(2L, 2L), tensor.shape());
      assertEquals(7, tensor.data().get(ValueLayout.JAVA_BYTE, 7));
    }
  }

  @Test
  void findsInitialisersByThePathOfTheNodeThatReadsThem() throws IOException {
    ModelProto model = ModelProto.newBuilder().setGraph(GraphProto.newBuilder()
        .addNode(NodeProto.newBuilder().setName("/encoder/layer.0/query/MatMul").addInput("x").addInput("onnx::MatMul_1"))
        .addNode(NodeProto.newBuilder().setName("/both").addInput("onnx::MatMul_1").addInput("y").addInput("b"))
        .addNode(NodeProto.newBuilder().addInput("b"))
        .addInitializer(raw("onnx::MatMul_1", 2)).addInitializer(raw("b", 3))).build();
    try (OnnxFile file = OnnxFile.open(Files.write(directory.resolve("m.onnx"), model.toByteArray()))) {
      assertEquals(List.of("onnx::MatMul_1", "b", "encoder.layer.0.query.MatMul", "both.0", "both.2"), file.keys());
      assertEquals(List.of(2L), file.require("encoder.layer.0.query.MatMul").shape());
      assertEquals(List.of(3L), file.require("both.2").shape());
    }
  }

  @Test
  void readsNumbersThatAreNotRaw() throws IOException {
    TensorProto floats = TensorProto.newBuilder().setName("f").setDataType(1).addDims(2).addFloatData(1).addFloatData(-2).build();
    TensorProto longs = TensorProto.newBuilder().setName("l").setDataType(7).addDims(1).addInt64Data(-5).build();
    TensorProto bytes = TensorProto.newBuilder().setName("b").setDataType(2).addDims(2).addInt32Data(255).addInt32Data(1).build();
    try (OnnxFile file = OnnxFile.open(written(floats, longs, bytes))) {
      assertEquals(-2, file.require("f").data().get(ValueLayout.JAVA_FLOAT, 4));
      assertEquals(-5, file.require("l").data().get(ValueLayout.JAVA_LONG, 0));
      assertEquals(-1, file.require("b").data().get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  @Test
  void refusesWhatItCannotUse() throws IOException {
    TensorProto text = TensorProto.newBuilder().setName("s").setDataType(8).addDims(1).addStringData(ByteString.copyFromUtf8("x")).build();
    TensorProto small = TensorProto.newBuilder(raw("w", 2)).addDims(9).build();
    try (OnnxFile file = OnnxFile.open(written(text, small))) {
      assertTrue(assertThrows(CompileException.class, () -> file.find("s")).getMessage().contains("type 8, which is not supported"));
      assertTrue(assertThrows(CompileException.class, () -> file.find("w")).getMessage().contains("malformed"));
    }
    TensorProto elsewhere = TensorProto.newBuilder().setName("e").setDataLocation(TensorProto.DataLocation.EXTERNAL).build();
    refused(written(elsewhere), "tensor 'e' is stored in a second file");
  }

  @Test
  void refusesATruncatedFile() throws IOException {
    Path file = written(raw("w", 100));
    byte[] bytes = Files.readAllBytes(file);
    for (int length : new int[] {0, 1, 5, bytes.length / 2, bytes.length - 1}) {
      refused(Files.write(file, Arrays.copyOf(bytes, length)), "is it truncated?");
    }
  }

  @Test
  void refusesOtherFiles() throws IOException {
    refused(Files.writeString(directory.resolve("x.onnx"), "{\"hello\": 1}".repeat(100)), "as an ONNX file");
    refused(directory.resolve("none.onnx"), "there is no such file");
  }

  @Test
  void readsTheRealModelWithoutCopyingIt() {
    try (OnnxFile file = OnnxFile.open(MiniLm.weights())) {
      StoredTensor query = file.require("encoder.layer.5.attention.self.query.MatMul");
      assertEquals(List.of(384L, 384L), query.shape());
      assertTrue(query.data().isMapped());
      assertEquals(List.of(30522L, 384L), file.require("embeddings.word_embeddings.weight").shape());
    }
  }

  private static void refused(Path file, String message) {
    var e = assertThrows(CompileException.class, () -> OnnxFile.open(file));
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
  }

  /// An `f32` tensor whose bytes are 0, 1, 2, ...
  private static TensorProto raw(String name, long... shape) {
    byte[] data = new byte[(int) Arrays.stream(shape).reduce(Float.BYTES, (a, b) -> a * b)];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) i;
    }
    return TensorProto.newBuilder().setName(name).setDataType(1)
        .addAllDims(Arrays.stream(shape).boxed().toList()).setRawData(ByteString.copyFrom(data)).build();
  }

  private Path written(TensorProto... initialisers) throws IOException {
    ModelProto model =
        ModelProto.newBuilder().setGraph(GraphProto.newBuilder().addAllInitializer(List.of(initialisers))).build();
    return Files.write(directory.resolve("w.onnx"), model.toByteArray());
  }
}
