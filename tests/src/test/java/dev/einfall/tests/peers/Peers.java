package dev.einfall.tests.peers;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// The main class of `tests/peers`.
public final class Peers {
  private static final String USAGE = """
      usage: tests/peers minilm|bge [threads=1,2]
             tests/peers quantized [threads=1,2] [POLICY ...]
             tests/peers bytes [threads=1,2] [seconds=4] [WORD OF A CASE ...]
             tests/peers lowbit [threads=1,2] [seconds=4] [WORD OF A CASE ...]
             tests/peers cache [threads=1,2] [seconds=4] [WORD OF A CASE ...]
             tests/peers pairs [seconds=4]
             tests/peers native [threads=1,2] [seconds=4]
             tests/peers startup [threads=1,2] [forks=N]
             tests/peers blocks [threads=1,2] [seconds=4] [WORD OF A CASE ...]
             tests/peers elementwise [threads=1,2] [seconds=4] [WORD OF A CASE ...]
             tests/peers attention|recurrences [threads=1,2] [seconds=4] [forced] [WORD OF A CASE ...]
             tests/peers gemm|conv [threads=1,2] [seconds=4] [forks=N] [forced] [WORD OF A CASE ...]
      All but startup take backend=c, which measures machine code made by way of C in place of bytecode.
      """;

  private Peers() {}

  /// `startup-fork`, `gemm-fork` and `conv-fork` are what `startup`, `gemm forks=N` and `conv forks=N` run in new JVMs.
  public static void main(String[] arguments) throws Exception {
    Locale.setDefault(Locale.ROOT);
    List<String> rest = Arrays.asList(arguments).subList(Math.min(1, arguments.length), arguments.length);
    switch (arguments.length == 0 ? "" : arguments[0]) {
      case "minilm" -> EmbeddingPeers.MINILM.run(Request.of(rest));
      case "bge" -> EmbeddingPeers.BGE.run(Request.of(rest));
      case "quantized" -> QuantizedPeers.run(Request.of(rest));
      case "bytes" -> BytePeers.run(Request.of(rest));
      case "lowbit" -> LowBitPeers.run(Request.of(rest));
      case "pairs" -> PairPeers.run(Request.of(rest));
      case "cache" -> CachePeers.run(Request.of(rest));
      case "native" -> NativePeers.run(Request.of(rest));
      case "startup" -> StartupPeers.run(Request.of(rest));
      case StartupPeers.FORK -> StartupPeers.fork(rest.get(0), Integer.parseInt(rest.get(1)), Path.of(rest.get(2)));
      case "attention" -> AttentionPeers.run(Request.of(rest));
      case "gemm" -> GemmPeers.run(Request.of(rest));
      case GemmPeers.FORK -> GemmPeers.fork(Request.of(rest));
      case "conv" -> ConvPeers.run(Request.of(rest));
      case ConvPeers.FORK -> ConvPeers.fork(Request.of(rest));
      case "blocks" -> BlockPeers.run(Request.of(rest));
      case "elementwise" -> ElementwisePeers.run(Request.of(rest));
      case "recurrences" -> RecurrencePeers.run(Request.of(rest));
      default -> fail();
    }
  }

  private static void fail() {
    System.err.print(USAGE);
    System.exit(2);
  }
}
