package dev.einfall.frontend;

import dev.einfall.ir.InternalException;
import dev.einfall.ir.Source;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The standard library: `.ein` files on the class path.
final class Library {
  /// The first word of the names of its files.
  static final String NAME = "std";
  private static final String ROOT = "dev/einfall/";
  private static final String ENDING = ".ein";

  private Library() {}

  static boolean isFile(Source source) {
    return source.name().startsWith(NAME + "/");
  }

  /// The text of the file `path`, such as `std/attention.ein`.
  static Optional<Source> find(String path) {
    try (InputStream stream = Library.class.getClassLoader().getResourceAsStream(ROOT + path)) {
      return stream == null ? Optional.empty()
          : Optional.of(new Source(path, new String(stream.readAllBytes(), StandardCharsets.UTF_8)));
    } catch (IOException e) {
      throw new InternalException("cannot read the library's " + path, e);
    }
  }

  /// What an import calls the files of the library, so far as the class path can be listed: for suggestions.
  static List<String> names() {
    URL root = Library.class.getClassLoader().getResource(ROOT + NAME);
    try (Stream<String> paths = root == null ? Stream.empty() : paths(root)) {
      return paths.filter(path -> path.startsWith(NAME + "/") && path.endsWith(ENDING))
          .map(path -> path.substring(0, path.length() - ENDING.length()).replace('/', '.')).sorted().toList();
    } catch (IOException | URISyntaxException _) {
      return List.of();
    }
  }

  /// What an import calls the file that has the function `name`.
  static Optional<String> fileWith(String function) {
    Pattern definition = Pattern.compile("(?m)^def " + Pattern.quote(function) + "\\b");
    return names().stream().filter(name -> find(name.replace('.', '/') + ENDING)
        .filter(source -> definition.matcher(source.text()).find()).isPresent()).findFirst();
  }

  private static Stream<String> paths(URL root) throws IOException, URISyntaxException {
    if (root.openConnection() instanceof JarURLConnection jar) {
      return jar.getJarFile().stream().map(entry -> entry.getName())
          .filter(name -> name.startsWith(ROOT)).map(name -> name.substring(ROOT.length()));
    }
    Path directory = Path.of(new URI(root.toString()));
    return Files.walk(directory).map(file -> directory.getParent().relativize(file).toString().replace('\\', '/'));
  }
}
