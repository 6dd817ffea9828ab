package dev.einfall.backends.c;

/// What differs between the languages of the C family.
///
/// @param function what stands before the definition of a function that is only called in the same file
/// @param restricted the word that tells that a pointer is the only way to its memory
public record Dialect(String function, String restricted) {

  public static final Dialect C = new Dialect("static inline __attribute__((always_inline))", "restrict");
}
