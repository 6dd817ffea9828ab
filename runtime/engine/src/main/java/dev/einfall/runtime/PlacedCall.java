package dev.einfall.runtime;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.Stmt;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// A launch of a plan on its buffers, whatever runs it.
interface PlacedCall {

  /// Equal for launches of equal kernels.
  String digest();

  List<Buffer> arguments();

  /// The arguments that it stores to, by their places.
  Set<Integer> written();

  /// The arguments that it stores to, in order.
  default Set<Buffer> writtenArguments() {
    Set<Buffer> buffers = new LinkedHashSet<>();
    written().stream().sorted().forEach(place -> buffers.add(arguments().get(place)));
    return buffers;
  }

  /// The parameters that `kernel` stores to, by their places.
  static Set<Integer> written(Kernel kernel) {
    Set<Buffer> stored = kernel.body().nodes()
        .filter(Stmt.Store.class::isInstance).map(store -> ((Stmt.Store) store).buffer())
        .collect(Collectors.toSet());
    Set<Integer> places = new TreeSet<>();
    for (int i = 0; i < kernel.parameters().size(); i++) {
      if (stored.contains(kernel.parameters().get(i))) {
        places.add(i);
      }
    }
    return places;
  }
}
