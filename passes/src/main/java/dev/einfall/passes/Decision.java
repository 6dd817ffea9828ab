package dev.einfall.passes;

import java.util.List;

/// What the cost model chose, and what it chose from.
///
/// @param subject what the choice is about: the pass, and the tensor that it decides on, such as `choose-mappings Y`
/// @param alternatives what was considered, in order; no two have the same name
/// @param chosen the name of the one that was taken
public record Decision(String subject, List<Alternative> alternatives, String chosen) {

  /// One of the things that can be done.
  ///
  /// @param name what it is, in a few words
  /// @param cycles how long it takes by the cost model
  public record Alternative(String name, double cycles) {}

  public Decision {
    alternatives = List.copyOf(alternatives);
  }
}
