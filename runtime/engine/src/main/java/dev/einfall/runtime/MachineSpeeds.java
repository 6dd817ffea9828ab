package dev.einfall.runtime;

import dev.einfall.backends.jvm.JvmBackend;
import dev.einfall.backends.jvm.JvmOptions;
import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.Span;
import dev.einfall.passes.Speeds;
import dev.einfall.passes.Target;
import dev.einfall.runtime.tuning.Calibration;
import dev.einfall.runtime.tuning.Host;
import dev.einfall.runtime.tuning.TextDigest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.function.Supplier;

/// The speeds of this machine for [Options#withSpeeds]: measured once, and then found in a directory, in a file for each JDK build,
/// processor, width of vectors and number of threads.
public final class MachineSpeeds {
  private static final int DIGITS = 32;

  private MachineSpeeds() {}

  /// The speeds for `options`, from `directory` or measured.
  ///
  /// @throws IllegalArgumentException when the options allow no vectors
  /// @throws UncheckedIOException when they cannot be written
  public static Speeds of(Path directory, Options options) {
    Target target = Einfall.target(options);
    if (target.lanes(Float.BYTES) == 1) {
      throw new IllegalArgumentException("the machine is measured with vectors, and the options allow none");
    }
    return of(directory, options, () -> new MicroBenchmarks(new JvmBackend(JvmOptions.ofThisJvm()), target).measured());
  }

  static Speeds of(Path directory, Options options, Supplier<Calibration> measurement) {
    Path file = directory.resolve(TextDigest.of(Host.here() + " " + Einfall.target(options).vectorBytes() + " " + options.threads())
        .substring(0, DIGITS) + ".calibration");
    return read(file, options).orElseGet(() -> write(file, measurement.get())).speeds();
  }

  private static Optional<Calibration> read(Path file, Options options) {
    try {
      Optional<Calibration> known = Calibration.of(Files.readString(file));
      if (known.isEmpty()) {
        options.remarks().accept(Diagnostic.remark(Span.NONE, "ignored " + file + ", which is damaged: the machine is measured again"));
      }
      return known;
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException e) {
      options.remarks().accept(Diagnostic.remark(Span.NONE, "ignored " + file + ": " + e));
      return Optional.empty();
    }
  }

  /// Writes it as a whole: another process sees the file before or after.
  private static Calibration write(Path file, Calibration calibration) {
    try {
      Files.createDirectories(file.getParent());
      Path part = Files.createTempFile(file.getParent(), "measured", ".part");
      Files.writeString(part, calibration.text());
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
      // As it will be read.
      return Calibration.of(calibration.text()).orElse(calibration);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the speeds of this machine to " + file + ": " + e.getMessage(), e);
    }
  }
}
