package dev.einfall.frontend;

import dev.einfall.ir.cascade.Cascade;
import java.util.Optional;

/// What an `.ein` file means: the cascade of its entry function, and the weights file and tokenizer that it names.
public record EinProgram(Cascade cascade, Optional<String> weights, Optional<String> tokenizer) {}
