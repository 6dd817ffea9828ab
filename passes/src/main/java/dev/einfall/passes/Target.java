package dev.einfall.passes;

import dev.einfall.ir.loop.DotShape;
import dev.einfall.ir.loop.TileShape;
import dev.einfall.ir.loop.WarpgroupTile;
import java.util.List;

/// The machine that a program is compiled for, as far as the passes care.
///
/// @param vectorBytes the width of a vector register; 4 or less means that there are no vectors
/// @param registers the number of vector registers
/// @param fusesMultiplyAdds whether a product and a sum are one instruction, rounded once
/// @param threads the number of threads that share the tasks of a kernel
/// @param l1Bytes the size of a core's first-level data cache
/// @param l2Bytes the size of a core's second-level cache
/// @param l3Bytes the size of the third-level cache that cores share
/// @param speeds how fast a core is
/// @param blockThreads how many threads of a GPU are a block; 0 for a processor
/// @param sharedBytes the most memory that a block's threads share, of a GPU
/// @param dots what it has instructions for that add products of narrow numbers
/// @param tiles what it has instructions for that multiply tiles
/// @param warpgroupTiles what groups of warps of a GPU multiply together
/// @param permutesBytes whether one instruction chooses from all bytes of a vector
/// @param bitCount how many instructions count the ones in each lane of a vector
/// @param multipliesSubnormals whether numbers below the smallest normal one are multiplied as fast as others; elsewhere, one among them takes a hundred cycles and more
public record Target(int vectorBytes, int registers, boolean fusesMultiplyAdds, int threads, long l1Bytes, long l2Bytes, long l3Bytes, Speeds speeds,
    int blockThreads, long sharedBytes, List<DotShape> dots, List<TileShape> tiles, List<WarpgroupTile> warpgroupTiles,
    boolean permutesBytes, int bitCount, boolean multipliesSubnormals) {
  /// Where none counts bits: those of half bytes are looked up, or neighbours added, in steps.
  public static final int BIT_COUNT_IN_STEPS = 12;

  public Target {
    dots = List.copyOf(dots);
    tiles = List.copyOf(tiles);
    warpgroupTiles = List.copyOf(warpgroupTiles);
  }

  /// A target with the cache sizes of a current x86-64 server core, and as many registers and such instructions as its vectors suggest.
  public static Target of(int vectorBytes, int threads) {
    return new Target(vectorBytes, vectorBytes >= 64 ? 32 : 16, true, threads, 32 << 10, 1 << 20, 32 << 20, Speeds.usual(), 0, 0, List.of(), List.of(), List.of(), vectorBytes >= 64, vectorBytes >= 64 ? 1 : BIT_COUNT_IN_STEPS, false);
  }

  /// A GPU whose blocks share as much as those of all but the smallest do, and whose threads compute scalars. What the passes on the cascade level ask about costs is answered as for a processor without vectors.
  public static Target gpu() {
    return gpu(96 << 10);
  }

  /// One whose blocks share at most `sharedBytes`.
  public static Target gpu(long sharedBytes) {
    return of(4, 1).withBlocks(128, sharedBytes);
  }

  private Target withBlocks(int newBlockThreads, long newSharedBytes) {
    return new Target(vectorBytes, registers, fusesMultiplyAdds, threads, l1Bytes, l2Bytes, l3Bytes, speeds, newBlockThreads, newSharedBytes, dots, tiles, warpgroupTiles, permutesBytes, bitCount, multipliesSubnormals);
  }

  /// Whether kernels run in blocks of threads.
  public boolean isGpu() {
    return blockThreads > 0;
  }

  /// How many elements of `bytes` bytes a vector holds; 1 if there are no vectors.
  public int lanes(int bytes) {
    return Math.max(1, vectorBytes / bytes);
  }

  /// The most bytes of a row that Einsums of one kernel may hold at a time, so that these stay in a core's second-level cache beside
  /// what passes by.
  public long rowBytes() {
    return l2Bytes * 3 / 4;
  }

  /// This machine with caches of other sizes.
  public Target withCaches(long newL1Bytes, long newL2Bytes, long newL3Bytes) {
    return new Target(vectorBytes, registers, fusesMultiplyAdds, threads, newL1Bytes, newL2Bytes, newL3Bytes, speeds, blockThreads, sharedBytes, dots, tiles, warpgroupTiles, permutesBytes, bitCount, multipliesSubnormals);
  }

  public Target withSpeeds(Speeds newSpeeds) {
    return new Target(vectorBytes, registers, fusesMultiplyAdds, threads, l1Bytes, l2Bytes, l3Bytes, newSpeeds, blockThreads, sharedBytes, dots, tiles, warpgroupTiles, permutesBytes, bitCount, multipliesSubnormals);
  }

  /// The level that has room for `bytes` and as much of other things; for half as much, if it is the one that cores share.
  public Speeds.Level level(double bytes) {
    return bytes <= l1Bytes / 2.0 ? speeds.l1() : bytes <= l2Bytes / 2.0 ? speeds.l2()
        : bytes <= l3Bytes * 2 / 3.0 ? speeds.l3() : speeds.memory();
  }

  /// A machine with other registers and instructions, and these caches.
  public Target withRegisters(int newRegisters, boolean newFusesMultiplyAdds) {
    return new Target(vectorBytes, newRegisters, newFusesMultiplyAdds, threads, l1Bytes, l2Bytes, l3Bytes, speeds, blockThreads, sharedBytes, dots, tiles, warpgroupTiles, permutesBytes, bitCount, multipliesSubnormals);
  }

  /// Whether vectors of narrow numbers are converted about as fast as they are loaded and stored.
  public boolean convertsVectors() {
    return !dots.isEmpty();
  }

  /// This machine with instructions for these dots.
  public Target withDots(List<DotShape> newDots) {
    return new Target(vectorBytes, registers, fusesMultiplyAdds, threads, l1Bytes, l2Bytes, l3Bytes, speeds, blockThreads, sharedBytes, newDots, tiles, warpgroupTiles, permutesBytes, bitCount, multipliesSubnormals);
  }

  /// This machine with instructions for these products of tiles.
  public Target withTiles(List<TileShape> newTiles) {
    return new Target(vectorBytes, registers, fusesMultiplyAdds, threads, l1Bytes, l2Bytes, l3Bytes, speeds, blockThreads, sharedBytes, dots, newTiles, warpgroupTiles, permutesBytes, bitCount, multipliesSubnormals);
  }

  /// This GPU with instructions for these products of tiles, of groups of warps.
  public Target withWarpgroupTiles(List<WarpgroupTile> newTiles) {
    return new Target(vectorBytes, registers, fusesMultiplyAdds, threads, l1Bytes, l2Bytes, l3Bytes, speeds, blockThreads, sharedBytes, dots, tiles, newTiles, permutesBytes, bitCount, multipliesSubnormals);
  }

  /// This machine, on which one instruction chooses from all bytes of a vector, or none does.
  public Target withPermutedBytes(boolean newPermutesBytes) {
    return new Target(vectorBytes, registers, fusesMultiplyAdds, threads, l1Bytes, l2Bytes, l3Bytes, speeds, blockThreads, sharedBytes, dots, tiles, warpgroupTiles, newPermutesBytes, bitCount, multipliesSubnormals);
  }

  /// This machine, on which so many instructions count the ones in each lane of a vector.
  public Target withBitCount(int newBitCount) {
    return new Target(vectorBytes, registers, fusesMultiplyAdds, threads, l1Bytes, l2Bytes, l3Bytes, speeds, blockThreads, sharedBytes, dots, tiles, warpgroupTiles, permutesBytes, newBitCount, multipliesSubnormals);
  }

  /// This machine, which multiplies numbers below the smallest normal one as fast as others, or does not.
  public Target withSubnormals(boolean newMultipliesSubnormals) {
    return new Target(vectorBytes, registers, fusesMultiplyAdds, threads, l1Bytes, l2Bytes, l3Bytes, speeds, blockThreads, sharedBytes, dots, tiles, warpgroupTiles, permutesBytes, bitCount, newMultipliesSubnormals);
  }
}
