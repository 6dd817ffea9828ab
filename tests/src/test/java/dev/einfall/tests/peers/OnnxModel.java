package dev.einfall.tests.peers;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// A model of one operator, made in code. Empty names leave optional inputs and outputs out.
final class OnnxModel {
  private static final int IR_VERSION = 10;
  private static final int FLOAT = TensorProto.DataType.FLOAT.getNumber();
  private static final int LONG = TensorProto.DataType.INT64.getNumber();

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("one operator");
  private final NodeProto.Builder node;
  private final String domain;
  private final int version;

  /// @param domain that of ONNX when it is empty
  OnnxModel(String operator, String domain, int version) {
    this.node = NodeProto.newBuilder().setOpType(operator).setDomain(domain);
    this.domain = domain;
    this.version = version;
  }

  /// The next inputs are `f32` inputs of the model, of any shapes.
  OnnxModel floats(String... names) {
    Arrays.stream(names).forEach(name -> input(name, FLOAT));
    return this;
  }

  /// The next inputs are `i32` inputs of the model, of any shapes.
  OnnxModel integers(String... names) {
    Arrays.stream(names).forEach(name -> input(name, TensorProto.DataType.INT32.getNumber()));
    return this;
  }

  /// The next inputs are `i64` inputs of the model, of any shapes.
  OnnxModel longs(String... names) {
    Arrays.stream(names).forEach(name -> input(name, LONG));
    return this;
  }

  private void input(String name, int type) {
    node.addInput(name);
    if (!name.isEmpty()) {
      graph.addInput(value(name, type));
    }
  }

  private static ValueInfoProto value(String name, int type) {
    return ValueInfoProto.newBuilder().setName(name)
        .setType(TypeProto.newBuilder().setTensorType(TypeProto.Tensor.newBuilder().setElemType(type))).build();
  }

  /// The next input is a constant.
  OnnxModel constant(String name, float[] values, long... shape) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return constant(name, FLOAT, bytes, shape);
  }

  /// The next input is a constant.
  OnnxModel constant(String name, long[] values, long... shape) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(values);
    return constant(name, LONG, bytes, shape);
  }

  /// The next input is a constant of `i8`, or else of `u8`.
  OnnxModel constant(String name, boolean signed, byte[] values, long... shape) {
    TensorProto.DataType type = signed ? TensorProto.DataType.INT8 : TensorProto.DataType.UINT8;
    return constant(name, type.getNumber(), ByteBuffer.wrap(values), shape);
  }

  private OnnxModel constant(String name, int type, ByteBuffer bytes, long... shape) {
    TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(type).setRawData(ByteString.copyFrom(bytes));
    Arrays.stream(shape).forEach(tensor::addDims);
    graph.addInitializer(tensor);
    node.addInput(name);
    return this;
  }

  OnnxModel attribute(String name, long value) {
    node.addAttribute(AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INT).setI(value));
    return this;
  }

  OnnxModel attribute(String name, long[] values) {
    AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
    Arrays.stream(values).forEach(attribute::addInts);
    node.addAttribute(attribute);
    return this;
  }

  OnnxModel attribute(String name, float value) {
    node.addAttribute(AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.FLOAT).setF(value));
    return this;
  }

  OnnxModel attribute(String name, String value) {
    node.addAttribute(AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.STRING)
        .setS(ByteString.copyFromUtf8(value)));
    return this;
  }

  /// The model with these `f32` outputs.
  byte[] gives(String... names) {
    for (String name : names) {
      node.addOutput(name);
      if (!name.isEmpty()) {
        graph.addOutput(value(name, FLOAT));
      }
    }
    ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(IR_VERSION).setGraph(graph.addNode(node))
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version));
    if (!domain.isEmpty()) {
      model.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(21));
    }
    return model.build().toByteArray();
  }
}
