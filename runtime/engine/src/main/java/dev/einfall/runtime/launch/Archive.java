package dev.einfall.runtime.launch;

import dev.einfall.backends.jvm.KernelCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/// The files of a program in a jar: its plan, the classes of its kernels, and its constants.
///
/// @param owner a class of the same jar, whose package `folder` is in
record Archive(Class<?> owner, String folder) {
  private static final int CHUNK = 1 << 20;

  /// @throws IllegalStateException when there is none
  ArchivedPlan plan() {
    try {
      return ArchivedPlan.read(new String(bytes("plan"), StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException("the plan in the jar of " + owner.getName() + " is damaged: " + e.getMessage(), e);
    }
  }

  /// The code of kernel `number`.
  ///
  /// @param vectors whether it may use vectors
  KernelCode kernel(ArchivedPlan plan, int number, boolean vectors) {
    ArchivedPlan.Kernel kernel = plan.kernels().get(number);
    boolean isPlain = !vectors && !kernel.plain().isEmpty();
    return new KernelCode(kernel.name(), bytes(isPlain ? plainFile(number) : file(number)), isPlain ? kernel.plain() : kernel.methods());
  }

  static String file(int kernel) {
    return "kernels/" + kernel;
  }

  static String plainFile(int kernel) {
    return "kernels/" + kernel + "-plain";
  }

  /// Copies the constants to `memory`.
  ///
  /// @throws IllegalStateException when they are not those that were written
  void copyConstants(ArchivedPlan plan, MemorySegment memory) {
    CRC32 checksum = new CRC32();
    byte[] chunk = new byte[CHUNK];
    long at = 0;
    try (InputStream in = open("constants")) {
      for (int read = in.read(chunk); read >= 0 && at + read <= plan.constantBytes(); read = in.read(chunk)) {
        checksum.update(chunk, 0, read);
        MemorySegment.copy(chunk, 0, memory, ValueLayout.JAVA_BYTE, at, read);
        at += read;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the constants in the jar of " + owner.getName(), e);
    }
    if (at != plan.constantBytes() || checksum.getValue() != plan.checksum()) {
      throw new IllegalStateException("the constants in the jar of " + owner.getName() + " are damaged");
    }
  }

  private byte[] bytes(String file) {
    try (InputStream in = open(file)) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + " in the jar of " + owner.getName(), e);
    }
  }

  private InputStream open(String file) {
    InputStream in = owner.getResourceAsStream(folder + "/" + file);
    if (in == null) {
      throw new IllegalStateException("the file " + folder + "/" + file + " is missing in the jar of " + owner.getName());
    }
    return in;
  }
}
