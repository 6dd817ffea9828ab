package dev.einfall.frontend;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Var;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// The buffers and variables that the names of a block of loop text stand for.
final class LoopScope {
  private final Optional<LoopScope> outer;
  private final Map<String, Buffer> buffers = new LinkedHashMap<>();
  private final Map<String, Var> vars = new LinkedHashMap<>();

  private LoopScope(Optional<LoopScope> outer) {
    this.outer = outer;
  }

  LoopScope() {
    this(Optional.empty());
  }

  LoopScope inner() {
    return new LoopScope(Optional.of(this));
  }

  void add(Buffer buffer) {
    buffers.put(buffer.name(), buffer);
  }

  void add(Var var) {
    vars.put(var.name(), var);
  }

  Optional<Buffer> buffer(String name) {
    return Optional.ofNullable(buffers.get(name)).or(() -> outer.flatMap(scope -> scope.buffer(name)));
  }

  Optional<Var> var(String name) {
    return Optional.ofNullable(vars.get(name)).or(() -> outer.flatMap(scope -> scope.var(name)));
  }

  boolean has(String name) {
    return buffer(name).isPresent() || var(name).isPresent();
  }

  Collection<String> names() {
    Collection<String> names = new ArrayList<>(buffers.keySet());
    names.addAll(vars.keySet());
    outer.ifPresent(scope -> names.addAll(scope.names()));
    return names;
  }
}
