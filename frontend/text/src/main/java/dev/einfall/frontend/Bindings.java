package dev.einfall.frontend;

import dev.einfall.ir.ElementType;
import dev.einfall.ir.Size;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a call gives the names of a function's signature, besides its tensors.
///
/// @param statics the sizes in types, and the parameters that are known when the program is read
/// @param types the element types
/// @param functions the parameters that are functions
/// @param rest what `...` stands for in types
record Bindings(Map<String, Static> statics, Map<String, ElementType> types, Map<String, Callee> functions,
    Optional<List<Size>> rest) {
  static final Bindings NONE = new Bindings(Map.of(), Map.of(), Map.of(), Optional.empty());

  /// These, with numbers for some sizes.
  Bindings withNumbers(Map<String, Long> numbers) {
    Map<String, Static> known = new LinkedHashMap<>(statics);
    known.replaceAll((name, value) -> numbers.containsKey(name) ? new Static.Whole(Size.of(numbers.get(name))) : value);
    return new Bindings(known, types, functions, rest);
  }
}
