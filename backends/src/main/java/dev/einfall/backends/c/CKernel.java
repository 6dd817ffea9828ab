package dev.einfall.backends.c;

import java.util.List;

/// A kernel as C: functions of the form that `kernel.h` describes.
///
/// @param name the function that runs tasks
/// @param text its definition, and those of its sections
/// @param parameters the number of buffers that it takes
/// @param mostArguments the most that a section takes
/// @param sections the number of parallel loops inside
/// @param tasks the number of tasks
/// @param scratchBytes the local memory of a call
/// @param requirements what a call may find not to hold; the function gives the place in this list, from 1 on
public record CKernel(String name, String text, int parameters, int mostArguments, int sections, int tasks, long scratchBytes, List<Requirement> requirements) {

  /// @param message what the kernel required
  /// @param isNumber whether the value that failed it is a float
  public record Requirement(String message, boolean isNumber) {}

  /// The name of the function that runs iterations of parallel loops inside.
  public String sectionName() {
    return name + "_section";
  }
}
