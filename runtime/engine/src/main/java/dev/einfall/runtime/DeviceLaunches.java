package dev.einfall.runtime;

import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.runtime.device.Device;
import dev.einfall.runtime.device.DeviceEvent;
import dev.einfall.runtime.device.DeviceStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ObjLongConsumer;

/// Launches of kernels and their arguments. For one thread at a time.
final class DeviceLaunches implements AutoCloseable {
  /// The arguments of a launch: their addresses, as the driver takes them, and then themselves.
  ///
  /// @param moving the places of those that differ from run to run
  private record Arguments(MemorySegment memory, int count, List<Moving> moving) {
    void set(int place, long value) {
      memory.setAtIndex(ValueLayout.JAVA_LONG, count + place, value);
    }
  }

  /// The argument at `place` is what the caller gives as number `number`.
  private record Moving(int place, int number) {}

  private final List<DeviceCall> calls;
  private final Arena arena = Arena.ofShared();
  private final List<Arguments> arguments = new ArrayList<>();
  private final List<DeviceEvent> events = new ArrayList<>();

  /// @param moving numbers for the buffers that may be somewhere else in each run
  /// @param fixed the addresses of the others
  /// @param scratch the address of memory that blocks use besides
  /// @param fault the address of where requirements that do not hold are told
  DeviceLaunches(List<DeviceCall> calls, List<Buffer> moving, Map<Buffer, Long> fixed, long scratch, long fault) {
    this.calls = calls;
    Map<Buffer, Integer> numbers = new IdentityHashMap<>();
    moving.forEach(buffer -> numbers.put(buffer, numbers.size()));
    for (DeviceCall call : calls) {
      arguments.add(arguments(call.arguments(), numbers, fixed, scratch, fault));
    }
  }

  private Arguments arguments(List<Buffer> buffers, Map<Buffer, Integer> numbers, Map<Buffer, Long> fixed, long scratch, long fault) {
    int count = buffers.size() + 2;
    List<Moving> moving = new ArrayList<>();
    Arguments made = new Arguments(arena.allocate(2L * count * Long.BYTES, Long.BYTES), count, moving);
    for (int i = 0; i < count; i++) {
      made.memory.setAtIndex(ValueLayout.JAVA_LONG, i, made.memory.address() + (long) (count + i) * Long.BYTES);
    }
    for (int i = 0; i < buffers.size(); i++) {
      if (numbers.containsKey(buffers.get(i))) {
        moving.add(new Moving(i, numbers.get(buffers.get(i))));
      } else {
        made.set(i, fixed.get(buffers.get(i)));
      }
    }
    made.set(count - 2, scratch);
    made.set(count - 1, fault);
    return made;
  }

  /// Launches all on `stream`.
  ///
  /// @param addresses of the buffers that move, by their numbers
  void run(DeviceStream stream, long[] addresses) {
    for (int i = 0; i < calls.size(); i++) {
      launch(stream, i, addresses);
    }
  }

  private void launch(DeviceStream stream, int call, long[] addresses) {
    Arguments placed = arguments.get(call);
    placed.moving.forEach(one -> placed.set(one.place, addresses[one.number]));
    stream.launch(calls.get(call).code(), placed.memory);
  }

  /// The same, with the time taken before and after each.
  void runTimed(Device device, DeviceStream stream, long[] addresses) {
    while (events.size() < 2 * calls.size()) {
      events.add(new DeviceEvent(device));
    }
    for (int i = 0; i < calls.size(); i++) {
      stream.mark(events.get(2 * i));
      launch(stream, i, addresses);
      stream.mark(events.get(2 * i + 1));
    }
  }

  /// Tells how long each launch took, when the stream has come to the last.
  void tell(ObjLongConsumer<Kernel> timings) {
    for (int i = 0; i < calls.size(); i++) {
      timings.accept(calls.get(i).kernel(), events.get(2 * i + 1).nanosecondsSince(events.get(2 * i)));
    }
  }

  @Override
  public void close() {
    events.forEach(DeviceEvent::close);
    arena.close();
  }
}
