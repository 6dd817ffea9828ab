package dev.einfall.runtime;

import dev.einfall.runtime.device.Device;

/// Where a program has its tensors.
sealed interface Placing {

  static Placing onHost() {
    return new OnHost();
  }

  /// A copy of `tensor`, which the caller has acquired, where runs read it without copying it.
  default Tensor copy(Tensor tensor) {
    long[] shape = tensor.shape().stream().mapToLong(Long::longValue).toArray();
    return switch (this) {
      case OnHost _ -> tensor.read(data -> Tensor.copyOf(tensor.type(), data, shape));
      case OnDevice(Device device) -> {
        DeviceElements elements = DeviceElements.allocate(device, tensor.type(), shape, "a copy of " + tensor);
        Tensor copy = Tensor.in(elements, DeviceElements::free);
        try {
          tensor.read(data -> {
            elements.write(data);
            return copy;
          });
          yield copy;
        } catch (RuntimeException | Error e) {
          copy.close();
          throw e;
        }
      }
    };
  }

  /// In the memory of this process.
  record OnHost() implements Placing {}

  /// In the memory of a device.
  record OnDevice(Device device) implements Placing {}
}
