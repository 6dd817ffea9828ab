package dev.einfall.runtime.device;

import java.util.Locale;

/// An amount of memory, for people.
final class Bytes {
  private static final String[] UNITS = {"bytes", "KB", "MB", "GB", "TB"};

  private Bytes() {}

  /// Such as `3.1 GB`.
  static String text(long bytes) {
    double amount = bytes;
    int unit = 0;
    while (amount >= 1000 && unit < UNITS.length - 1) {
      amount /= 1000;
      unit++;
    }
    return unit == 0 ? bytes + " bytes" : String.format(Locale.ROOT, "%.1f %s", amount, UNITS[unit]);
  }
}
