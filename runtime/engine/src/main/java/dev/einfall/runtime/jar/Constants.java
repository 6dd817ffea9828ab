package dev.einfall.runtime.jar;

import dev.einfall.runtime.launch.ArchivedPlan;
import dev.einfall.runtime.launch.LargePages;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/// The weights and constants of a program, one after the other, each aligned for vectors.
public record Constants(List<MemorySegment> parts) {
  private static final int CHUNK = 1 << 20;

  public Constants {
    parts = List.copyOf(parts);
  }

  /// Where each lies.
  public List<ArchivedPlan.Place> places() {
    List<ArchivedPlan.Place> places = new ArrayList<>();
    long at = 0;
    for (MemorySegment part : parts) {
      places.add(new ArchivedPlan.Place(at, part.byteSize()));
      at += aligned(part.byteSize());
    }
    return places;
  }

  /// How many bytes all take.
  public long bytes() {
    return parts.stream().mapToLong(part -> aligned(part.byteSize())).sum();
  }

  private static long aligned(long bytes) {
    return (bytes + LargePages.ALIGNMENT - 1) / LargePages.ALIGNMENT * LargePages.ALIGNMENT;
  }

  /// The CRC-32 of all bytes.
  public long checksum() {
    CRC32 checksum = new CRC32();
    forEach(checksum::update);
    return checksum.getValue();
  }

  void write(OutputStream out) throws IOException {
    forEach(out::write);
  }

  /// Takes the bytes of an array up to a number.
  private interface Taking<E extends Exception> {
    void take(byte[] chunk, int from, int length) throws E;
  }

  private <E extends Exception> void forEach(Taking<E> action) throws E {
    byte[] chunk = new byte[CHUNK];
    for (MemorySegment part : parts) {
      for (long at = 0; at < part.byteSize(); at += CHUNK) {
        int length = (int) Math.min(CHUNK, part.byteSize() - at);
        MemorySegment.copy(part, ValueLayout.JAVA_BYTE, at, chunk, 0, length);
        action.take(chunk, 0, length);
      }
      action.take(new byte[(int) LargePages.ALIGNMENT], 0, (int) (aligned(part.byteSize()) - part.byteSize()));
    }
  }
}
