package dev.einfall.runtime.plans;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// Writes outlines and reads them back.
final class OutlineText {
  private OutlineText() {}

  /// Writes one thing.
  private interface Writing<T> {
    void write(T one) throws IOException;
  }

  /// Reads one thing.
  private interface Reading<T> {
    T read() throws IOException;
  }

  private static <T> void all(DataOutputStream out, Collection<T> things, Writing<T> writing) throws IOException {
    out.writeInt(things.size());
    for (T thing : things) {
      writing.write(thing);
    }
  }

  private static <T> List<T> all(DataInputStream in, Reading<T> reading) throws IOException {
    int count = in.readInt();
    List<T> things = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      things.add(reading.read());
    }
    return things;
  }

  static void write(Outline outline, DataOutputStream out) throws IOException {
    out.writeUTF(outline.identity().name());
    out.writeUTF(outline.identity().cascade());
    out.writeUTF(outline.identity().sources());
    all(out, outline.inputs(), tensor -> write(tensor, out));
    all(out, outline.outputs(), tensor -> write(tensor, out));
    all(out, outline.weightsFile().stream().toList(), out::writeUTF);
    all(out, outline.weights(), weight -> {
      out.writeUTF(weight.key());
      write(weight.tensor(), out);
    });
    all(out, outline.inputSizes(), out::writeUTF);
    all(out, outline.boundSizes(), out::writeUTF);
    all(out, outline.imports(), file -> {
      out.writeUTF(file.path());
      out.writeUTF(file.importer());
      out.writeUTF(file.digest());
    });
  }

  static Outline read(DataInputStream in) throws IOException {
    ProgramIdentity identity = new ProgramIdentity(in.readUTF(), in.readUTF(), in.readUTF());
    return new Outline(identity, all(in, () -> tensor(in)), all(in, () -> tensor(in)), all(in, in::readUTF).stream().findFirst(),
        all(in, () -> new Outline.Weight(in.readUTF(), tensor(in))), all(in, in::readUTF), all(in, in::readUTF),
        all(in, () -> new Outline.Import(in.readUTF(), in.readUTF(), in.readUTF())));
  }

  private static void write(Outline.Declared tensor, DataOutputStream out) throws IOException {
    out.writeUTF(tensor.name());
    out.writeUTF(tensor.type().name());
    all(out, tensor.shape(), size -> write(size, out));
  }

  private static Outline.Declared tensor(DataInputStream in) throws IOException {
    return new Outline.Declared(in.readUTF(), ElementType.valueOf(in.readUTF()), all(in, () -> size(in)));
  }

  private static void write(Size size, DataOutputStream out) throws IOException {
    all(out, size.terms().entrySet(), term -> {
      all(out, term.getKey().factors(), factor -> write(factor, out));
      out.writeLong(term.getValue());
    });
  }

  private static Size size(DataInputStream in) throws IOException {
    SortedMap<Size.Product, Long> terms = new TreeMap<>();
    for (Map.Entry<Size.Product, Long> term : all(in, () -> Map.entry(new Size.Product(all(in, () -> factor(in))), in.readLong()))) {
      terms.put(term.getKey(), term.getValue());
    }
    return new Size(terms);
  }

  private static void write(Size.Factor factor, DataOutputStream out) throws IOException {
    out.writeBoolean(factor instanceof Size.Factor.Name);
    switch (factor) {
      case Size.Factor.Name(String name) -> out.writeUTF(name);
      case Size.Factor.Quotient(Size dividend, Size divisor) -> {
        write(dividend, out);
        write(divisor, out);
      }
    }
  }

  private static Size.Factor factor(DataInputStream in) throws IOException {
    return in.readBoolean() ? new Size.Factor.Name(in.readUTF()) : new Size.Factor.Quotient(size(in), size(in));
  }
}
