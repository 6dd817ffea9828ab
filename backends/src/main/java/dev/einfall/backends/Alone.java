package dev.einfall.backends;

/// A team of the leader alone.
public final class Alone implements Team {
  private final CompiledKernel kernel;
  private final long scratch;
  private long[] arguments = {};

  /// @param scratch that of the kernel's run
  public Alone(CompiledKernel kernel, long scratch) {
    this.kernel = kernel;
    this.scratch = scratch;
  }

  @Override
  public long[] arguments(int count) {
    if (arguments.length < count) {
      arguments = new long[count];
    }
    return arguments;
  }

  @Override
  public void share(int section, int begin, int end) {
    kernel.section(section, arguments, scratch, begin, end);
  }
}
