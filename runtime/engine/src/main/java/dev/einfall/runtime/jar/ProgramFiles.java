package dev.einfall.runtime.jar;

import dev.einfall.runtime.launch.ArchivedPlan;
import java.util.List;
import java.util.Optional;

/// What a jar holds of a program.
///
/// @param kernels the class of each kernel of the plan
/// @param plain that without vectors, where it is another
public record ProgramFiles(ArchivedPlan plan, List<byte[]> kernels, List<Optional<byte[]>> plain, Constants constants) {}
