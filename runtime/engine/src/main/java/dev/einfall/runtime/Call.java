package dev.einfall.runtime;

import dev.einfall.backends.CompiledKernel;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A launch of a plan, and the code that it runs.
///
/// @param digest equal for launches of equal kernels
/// @param written the arguments that it stores to, by their places
/// @param kernel what it computes; empty where only its code was kept
record Call(String digest, CompiledKernel code, List<Buffer> arguments, Set<Integer> written, Optional<Kernel> kernel)
    implements PlacedCall {}
