package dev.einfall.ir.loop;

/// An instruction by which a group of warps multiplies tiles that lie in the memory of their block, while the threads go on. An operand lies there in core
/// matrices, as the PTX ISA calls them: 8 rows of 16 bytes, one after the other. Two that are neighbours in a tile may lie at any distance that is the same for all.
///
/// @param shape what it computes
/// @param turns whether the 16 bytes of an operand may be of neighbours in a column of the left tile or in a row of the right one, in place of neighbours
///     among the steps
public record WarpgroupTile(TileShape shape, boolean turns) {
  /// The rows of a core matrix.
  public static final int CORE_ROWS = 8;
  /// The bytes of each.
  public static final int CORE_BYTES = 16;
  private static final String TURNS = "/turns";

  /// The one that [#toString] writes as `text`.
  ///
  /// @throws IllegalArgumentException when there is none
  public static WarpgroupTile of(String text) {
    boolean turns = text.endsWith(TURNS);
    return new WarpgroupTile(TileShape.of(turns ? text.substring(0, text.length() - TURNS.length()) : text), turns);
  }

  /// Such as `f32[64x128]+bf16[64x16]*bf16[16x128]/1/turns`.
  @Override
  public String toString() {
    return shape + (turns ? TURNS : "");
  }
}
