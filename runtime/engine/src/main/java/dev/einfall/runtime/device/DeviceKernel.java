package dev.einfall.runtime.device;

/// A kernel that a device can run.
///
/// @param name what the program calls it
/// @param handle the driver's, as long as its module is loaded
/// @param threads those of a block
/// @param sharedBytes the memory of a multiprocessor that a block's threads share
public record DeviceKernel(String name, long handle, int blocks, int threads, int sharedBytes) {}
