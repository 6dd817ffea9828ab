package dev.einfall.tests.frontend;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The code blocks of a Markdown file.
public final class FencedBlocks {

  /// A block and where it stands.
  public record Block(String place, String text) {}

  private FencedBlocks() {}

  /// The blocks of `file` that are marked with `language`, in order.
  public static List<Block> of(Path file, String language) throws IOException {
    List<Block> blocks = new ArrayList<>();
    List<String> lines = Files.readAllLines(file);
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).equals("```" + language)) {
        int end = i + 1;
        while (!lines.get(end).equals("```")) {
          end++;
        }
        String text = String.join("\n", lines.subList(i + 1, end)) + "\n";
        blocks.add(new Block(file.getFileName() + ":" + (i + 1), text));
        i = end;
      }
    }
    return blocks;
  }
}
