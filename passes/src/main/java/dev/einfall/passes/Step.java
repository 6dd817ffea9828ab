package dev.einfall.passes;

import java.util.function.Supplier;

/// What one pass did to one piece of IR.
///
/// @param pass the pass's name
/// @param subject the cascade, kernel or plan that it ran on, by name
/// @param changed whether the result is another object than the input
/// @param nanoseconds how long it took, without verification
/// @param text the result in its text syntax
public record Step(String pass, String subject, boolean changed, long nanoseconds, Supplier<String> text) {}
