package dev.einfall.ir.loop;

/// The types of what an instruction computes that is known by its meaning.
public sealed interface InstructionShape permits DotShape, TileShape {}
