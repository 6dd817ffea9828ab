package dev.einfall.tests.peers;

import dev.einfall.passes.Compute;
import dev.einfall.runtime.Options;

/// What the C backend makes, beside the same peers as bytecode: products of matrices, and a model.
final class NativePeers {
  private NativePeers() {}

  static void run(Request request) throws Exception {
    Request compiled = request.with(Options.Backend.C);
    System.out.println("Products of matrices by way of C");
    GemmPeers.run(compiled);
    System.out.println("\nThe same with factors of bf16");
    GemmPeers.run(compiled.with(Compute.BF16));
    System.out.println("\nProducts of bytes");
    BytePeers.run(compiled);
    System.out.println("\nall-MiniLM-L6-v2 by way of C");
    EmbeddingPeers.MINILM.run(compiled);
    System.out.println("\nwith factors of bf16");
    EmbeddingPeers.MINILM.run(compiled.with(Compute.BF16));
    System.out.println("\nand as bytecode");
    EmbeddingPeers.MINILM.run(request.with(Options.Backend.JVM));
  }
}
