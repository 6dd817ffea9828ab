package dev.einfall.frontend;

/// How the elements of a tensor are stored: as some tensors that `encode` makes of them, and `decode` makes them of.
record Format(String name, Routine encode, Routine decode) {}
