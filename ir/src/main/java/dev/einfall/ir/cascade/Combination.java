package dev.einfall.ir.cascade;

/// How two values become one: an operation that is built in, or one that the program defines.
public sealed interface Combination permits Reduction, Combiner {}
