package dev.einfall.frontend.weights;

import dev.einfall.ir.CompileException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Maps whole files into memory.
public final class MappedFile {
  private MappedFile() {}

  /// The bytes of `file`, read-only, mapped until nobody holds a part of them.
  ///
  /// @throws CompileException when the file cannot be read
  public static MemorySegment open(Path file) {
    if (Files.isDirectory(file)) {
      throw CompileException.of("cannot read " + file + ": it is a directory");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
    } catch (NoSuchFileException _) {
      throw CompileException.of("cannot read " + file + ": there is no such file");
    } catch (IOException e) {
      throw CompileException.of("cannot read " + file + ": " + e.getMessage());
    }
  }
}
