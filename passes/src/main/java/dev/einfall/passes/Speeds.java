package dev.einfall.passes;

/// How fast a core does what programs are made of, in its cycles: what cost models compare alternatives by. Behind each number
/// stands what tells it apart from the others; what generated code reaches of it is the models' affair.
///
/// @param operations the operations on vectors of the widest kind that start in a cycle, a multiply-add being one: independent
///     ones in registers
/// @param loads the vectors loaded in a cycle, from the first-level cache
/// @param latency the cycles from one accumulation to the next one to the same register: a chain of multiply-adds
/// @param gathered the cycles of putting one lane that is no neighbour of the others into a vector: loads of columns
/// @param tail the cycles of entering a loop nest that is code of its own and runs a few times: a product with one row beyond whole
///     tiles, less what the row would take in a tile
/// @param partOfRow how many times as long a step takes that reads a part of a row, and the next one a part of the next row, as one
///     that reads rows from end to end: two products of which the tiles of one are as wide as the rows
/// @param l1 moving what is in the first-level cache
/// @param l2 moving what is in the second-level cache
/// @param l3 moving what is in the cache that cores share
/// @param memory moving what is in memory
/// @param inTurn how many times as long it takes to read several tensors from memory a piece at a time in turn as one after the other
/// @param oneStream how many times as long it takes to read a tensor from one end to the other as from several places at a time
/// @param launch the cycles until the threads have begun a kernel and have met at its end: a program of many small kernels
/// @param meeting the cycles that threads wait for each other inside of a kernel: a recurrence of small steps, alone and shared
public record Speeds(double operations, double loads, double latency, double gathered, double tail, double partOfRow,
    Level l1, Level l2, Level l3, Level memory, double inTurn, double oneStream, double launch, double meeting) {

  /// A level of the memory.
  ///
  /// @param bytes the bytes that a core moves in a cycle, one after the other
  /// @param start the cycles until what is read at a new place comes as fast
  public record Level(double bytes, double start) {}

  /// Fitted to the times of whole kernels on AMD Zen 4, vectors of 64 bytes, JDK 25: not measured one by one, and not on other machines.
  public static Speeds usual() {
    return new Speeds(2, 2, 4, 6, 64, 1.05,
        new Level(128, 0), new Level(40, 20), new Level(14, 50), new Level(6.5, 600), 1.1, 1.4, 6_000, 4_000);
  }
}
