package dev.einfall.tests.peers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// A file that PyTorch loads: a module whose method `forward` is one expression of its arguments.
final class TorchScript {
  /// An empty tuple, and an object without fields but `training`, in the format of Python's pickle.
  private static final String NO_CONSTANTS = "\u0080\u0002).";
  private static final String EMPTY_MODULE = "\u0080\u0002c__torch__\nOne\n)\u0081}X\u0008\0\0\0training\u0089sb.";

  private TorchScript() {}

  /// Writes `NAME.pt`.
  static void write(Path file, String expression, String... arguments) throws IOException {
    String name = file.getFileName().toString().replace(".pt", "");
    String parameters = String.join("", Arrays.stream(arguments).map(argument -> ", " + argument + ": Tensor").toList());
    try (ZipOutputStream archive = new ZipOutputStream(Files.newOutputStream(file))) {
      entry(archive, name + "/version", "3\n");
      entry(archive, name + "/constants.pkl", NO_CONSTANTS);
      entry(archive, name + "/data.pkl", EMPTY_MODULE);
      entry(archive, name + "/code/__torch__.py", """
          class One(Module):
            __parameters__ = []
            __buffers__ = []
            training : bool
            def forward(self: __torch__.One%s) -> Tensor:
              return %s
          """.formatted(parameters, expression));
    }
  }

  private static void entry(ZipOutputStream archive, String name, String text) throws IOException {
    archive.putNextEntry(new ZipEntry(name));
    archive.write(text.getBytes(StandardCharsets.ISO_8859_1));
    archive.closeEntry();
  }
}
