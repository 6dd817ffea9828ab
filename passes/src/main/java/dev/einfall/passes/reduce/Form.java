package dev.einfall.passes.reduce;

/// How a chain of reductions is computed: one after the other, as the program says; or together, in tiles of one rank, of which
/// parts may be gone through side by side.
///
/// @param tile how many elements a step takes; 0 for none: as the program says
/// @param parts how many parts of the rank are reduced side by side and then combined
record Form(int tile, int parts) {
  static final Form PLAIN = new Form(0, 1);

  boolean isPlain() {
    return tile == 0;
  }

  /// `plain`, `tiles of 64`, `4 parts of tiles of 64`.
  @Override
  public String toString() {
    return isPlain() ? "plain" : (parts > 1 ? parts + " parts of " : "") + "tiles of " + tile;
  }
}
