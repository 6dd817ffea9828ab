package dev.einfall.ir;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;

/// The names that a printer gives to binders, which are objects with an identity and a wish: the first to wish for `x`
/// is `x`, the next `x_1`, then `x_2`. Names of one scope differ from each other and from those of the scopes around it.
public final class Names {
  private final Names outer;
  private final Map<Object, String> names = new IdentityHashMap<>();
  private final Set<String> taken = new HashSet<>();

  /// The first number for each wish that may be free: names are never given back.
  private final Map<String, Integer> numbers = new HashMap<>();

  private Names(Names outer) {
    this.outer = outer;
  }

  /// The outermost scope, in which nothing is named like a word of `reserved`.
  public Names(Collection<String> reserved) {
    this(null, reserved);
  }

  private Names(Names outer, Collection<String> reserved) {
    this(outer);
    taken.addAll(reserved);
  }

  /// A new scope inside this one.
  public Names inner() {
    return new Names(this);
  }

  /// The name of `binder`; at its first use in this scope or those around it, one as near to `wish` as possible.
  public String of(Object binder, String wish) {
    for (Names scope = this; scope != null; scope = scope.outer) {
      String name = scope.names.get(binder);
      if (name != null) {
        return name;
      }
    }
    return bind(binder, wish);
  }

  private String bind(Object binder, String wish) {
    String base = identifier(wish);
    String name = base;
    int next = numbers.getOrDefault(base, 1);
    while (isTaken(name)) {
      name = base + "_" + next++;
    }
    numbers.put(base, next);
    names.put(binder, name);
    taken.add(name);
    return name;
  }

  private boolean isTaken(String name) {
    for (Names scope = this; scope != null; scope = scope.outer) {
      if (scope.taken.contains(name)) {
        return true;
      }
    }
    return false;
  }

  /// `wish` with every character that an identifier cannot hold replaced by `_`.
  private static String identifier(String wish) {
    String name = wish.replaceAll("[^A-Za-z0-9_]", "_");
    return name.isEmpty() || Character.isDigit(name.charAt(0)) ? "_" + name : name;
  }
}
