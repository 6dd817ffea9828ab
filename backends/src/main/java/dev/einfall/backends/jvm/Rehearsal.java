package dev.einfall.backends.jvm;

import dev.einfall.backends.Alone;
import dev.einfall.backends.CompiledKernel;
import dev.einfall.backends.Team;

/// A kernel and memory for it to run on, before there is real work: see [CompiledKernel#rehearse].
public record Rehearsal(CompiledKernel kernel, long[] addresses, long scratch, Team team) {

  public Rehearsal(CompiledKernel kernel, long[] addresses, long scratch) {
    this(kernel, addresses, scratch, new Alone(kernel, scratch));
  }
}
