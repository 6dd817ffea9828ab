package dev.einfall.backends.jvm;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.loop.ValueType;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.objectweb.asm.ConstantDynamic;
import org.objectweb.asm.Handle;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/// A species of the Vector API by its names: this class does not link to the Vector API.
record Species(ElementType element, int lanes) {
  static final String PACKAGE = "jdk/incubator/vector/";
  static final String DESCRIPTOR = "L" + PACKAGE + "VectorSpecies;";
  static final String SHUFFLE = "L" + PACKAGE + "VectorShuffle;";
  private static final String BOOTSTRAPS = "java/lang/invoke/ConstantBootstraps";
  private static final String LOOKUP = "(Ljava/lang/invoke/MethodHandles$Lookup;Ljava/lang/String;Ljava/lang/Class;";

  private static final Handle STATIC_FIELD =
      new Handle(Opcodes.H_INVOKESTATIC, BOOTSTRAPS, "getStaticFinal", LOOKUP + "Ljava/lang/Class;)Ljava/lang/Object;", false);
  private static final ConstantDynamic TRUE =
      new ConstantDynamic("TRUE", "Ljava/lang/Boolean;", STATIC_FIELD, Type.getType(Boolean.class));

  /// The species of a vector value, if the Vector API computes with such vectors: `f32 f64 i32 i64` in 64 to 512 bits.
  static Optional<Species> of(ValueType type) {
    return switch (type.element()) {
      case F32, F64, I32, I64 -> inMemory(type);
      case F16, BF16, I16, I8, U8, BOOL -> Optional.empty();
    };
  }

  /// The species that holds the elements of a vector as they are stored, if there is one.
  static Optional<Species> inMemory(ValueType type) {
    int bytes = type.element().bytes() * type.lanes();
    boolean exists = type.isVector() && (bytes == 8 || bytes == 16 || bytes == 32 || bytes == 64);
    return exists ? Optional.of(new Species(type.element(), type.lanes())) : Optional.empty();
  }

  Species with(ElementType newElement) {
    return new Species(newElement, lanes);
  }

  /// The internal name of the vector class.
  String vectorClass() {
    return PACKAGE + switch (element) {
      case F32 -> "FloatVector";
      case F64 -> "DoubleVector";
      case I32 -> "IntVector";
      case I64 -> "LongVector";
      case I16, F16, BF16 -> "ShortVector";
      case I8, U8, BOOL -> "ByteVector";
    };
  }

  /// The descriptor of the vector class.
  String descriptor() {
    return "L" + vectorClass() + ";";
  }

  /// The name of the constant of the vector class that is this species.
  String constant() {
    return "SPECIES_" + 8 * element.bytes() * lanes;
  }

  /// The constant `CLASS.SPECIES.vectorType()`: the class of this species' vectors.
  ConstantDynamic exactClass() {
    Handle vectorType =
        new Handle(Opcodes.H_INVOKEINTERFACE, PACKAGE + "VectorSpecies", "vectorType", "()Ljava/lang/Class;", true);
    return invoked("vectorType", "Ljava/lang/Class;", vectorType, species());
  }

  /// The constant `CLASS.SPECIES.maskType()`: the class of the masks of this species' vectors.
  ConstantDynamic exactMaskClass() {
    Handle maskType = new Handle(Opcodes.H_INVOKEINTERFACE, PACKAGE + "VectorSpecies", "maskType", "()Ljava/lang/Class;", true);
    return invoked("maskType", "Ljava/lang/Class;", maskType, species());
  }

  /// The constant shuffle that brings lane `distance + i` to lane `i`, from the last lane on to the first.
  ConstantDynamic rotation(int distance) {
    Handle iota = new Handle(Opcodes.H_INVOKESTATIC, PACKAGE + "VectorShuffle", "iota",
        "(" + DESCRIPTOR + "IIZ)" + SHUFFLE, false);
    return invoked("rotation", SHUFFLE, iota, species(), distance, 1, TRUE);
  }

  /// The constant vector by which `selectFrom` takes the lanes of the lower halves of two vectors in turn, or of the `upper` ones: lanes of
  /// the second vector have numbers that are negative.
  ConstantDynamic zip(boolean upper) {
    Handle zip = new Handle(Opcodes.H_INVOKESTATIC, PACKAGE + "VectorShuffle", "makeZip", "(" + DESCRIPTOR + "I)" + SHUFFLE, false);
    Handle toVector =
        new Handle(Opcodes.H_INVOKEVIRTUAL, PACKAGE + "VectorShuffle", "toVector", "()L" + PACKAGE + "Vector;", false);
    return invoked("lanes", descriptor(), toVector, invoked("zip", SHUFFLE, zip, species(), upper ? 1 : 0));
  }

  /// The constant vector of the bytes of a vector of `i32`, of this species, whose lanes are `base`, `base + stride` and so on.
  ConstantDynamic bytesOfRamp(int base, int stride) {
    Species bytes = new Species(ElementType.I8, lanes * Integer.BYTES);
    ConstantDynamic zero = invoked("zero", descriptor(),
        new Handle(Opcodes.H_INVOKESTATIC, vectorClass(), "zero", "(" + DESCRIPTOR + ")" + descriptor(), false), species());
    ConstantDynamic numbers = invoked("numbers", descriptor(), method("addIndex", "(I)" + descriptor()), zero, 1);
    ConstantDynamic steps = invoked("steps", descriptor(), method("mul", "(I)" + descriptor()), numbers, stride);
    ConstantDynamic ramp = invoked("ramp", descriptor(), method("add", "(I)" + descriptor()), steps, base);
    return invoked("bytes", bytes.descriptor(), method("reinterpretAsBytes", "()" + bytes.descriptor()), ramp);
  }

  private Handle method(String name, String descriptor) {
    return new Handle(Opcodes.H_INVOKEVIRTUAL, vectorClass(), name, descriptor, false);
  }

  private ConstantDynamic species() {
    return new ConstantDynamic(constant(), DESCRIPTOR, STATIC_FIELD, Type.getObjectType(vectorClass()));
  }

  /// The constant that `method` returns for `arguments`.
  private static ConstantDynamic invoked(String name, String descriptor, Handle method, Object... arguments) {
    Handle invoke = new Handle(Opcodes.H_INVOKESTATIC, BOOTSTRAPS, "invoke",
        LOOKUP + "Ljava/lang/invoke/MethodHandle;[Ljava/lang/Object;)Ljava/lang/Object;", false);
    Object[] all = Stream.concat(Stream.of(method), Arrays.stream(arguments)).toArray();
    return new ConstantDynamic(name, descriptor, invoke, all);
  }

  /// The letter that names the element in conversions, such as `F2I`.
  String letter() {
    return switch (element) {
      case F32 -> "F";
      case F64 -> "D";
      case I32 -> "I";
      case I64 -> "L";
      case I16, F16, BF16 -> "S";
      case I8, U8, BOOL -> "B";
    };
  }
}
