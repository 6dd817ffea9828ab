package dev.einfall.runtime;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.runtime.device.DeviceKernel;
import java.util.List;
import java.util.Set;

/// A launch of a plan, and the kernel on a device that it runs.
///
/// @param scratchBytes the memory of the device that its blocks use besides
record DeviceCall(String digest, Kernel kernel, DeviceKernel code, long scratchBytes, List<Buffer> arguments, Set<Integer> written) implements PlacedCall {}
