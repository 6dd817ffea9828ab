package dev.einfall.runtime.device;

import java.lang.foreign.MemorySegment;

/// What a device does one after the other, while the host goes on. For one thread at a time, which has the device's context.
public final class DeviceStream implements AutoCloseable {
  /// It waits for no other stream.
  private static final int NON_BLOCKING = 1;
  /// Other threads may do what they like meanwhile.
  private static final int THREAD_LOCAL = 1;

  private final CudaDriver driver;
  private final long handle;

  public DeviceStream(Device device) {
    this.driver = device.driver();
    this.handle = driver.out(CudaFunction.STREAM_CREATE, device.name(), place -> driver.li(CudaFunction.STREAM_CREATE, place, NON_BLOCKING)).bits();
  }

  long handle() {
    return handle;
  }

  /// Copies `from`, of the host. If that is not pinned, it may be changed once this returns; else once the stream has come to it.
  ///
  /// @param to an address of the device
  /// @param what what is copied, for errors
  public void copyToDevice(long to, MemorySegment from, String what) {
    driver.check(CudaFunction.COPY_TO_DEVICE, driver.llll(CudaFunction.COPY_TO_DEVICE, to, from.address(), from.byteSize(), handle), what);
  }

  /// Fills `to`, of the host, which holds it once the stream has come to it.
  ///
  /// @param from an address of the device
  public void copyToHost(MemorySegment to, long from, String what) {
    driver.check(CudaFunction.COPY_TO_HOST, driver.llll(CudaFunction.COPY_TO_HOST, to.address(), from, to.byteSize(), handle), what);
  }

  /// Copies from one address of the device to another.
  public void copyOnDevice(long to, long from, long bytes, String what) {
    driver.check(CudaFunction.COPY_ON_DEVICE, driver.llll(CudaFunction.COPY_ON_DEVICE, to, from, bytes, handle), what);
  }

  /// Sets bytes of the device to zero.
  public void clear(long address, long bytes, String what) {
    driver.check(CudaFunction.FILL, driver.lill(CudaFunction.FILL, address, 0, bytes, handle), what);
  }

  /// Launches a kernel.
  ///
  /// @param parameters the addresses of its arguments, one after the other, which are read before this returns
  public void launch(DeviceKernel kernel, MemorySegment parameters) {
    driver.check(CudaFunction.LAUNCH_KERNEL, driver.launch(kernel.handle(), kernel.blocks(), kernel.threads(), kernel.sharedBytes(), handle,
        parameters.address()), "kernel " + kernel.name());
  }

  /// Waits until all is done.
  ///
  /// @param what that is, for errors: what went wrong on the device since the last time is known only now
  public void synchronize(String what) {
    driver.check(CudaFunction.STREAM_SYNCHRONIZE, driver.l(CudaFunction.STREAM_SYNCHRONIZE, handle), what);
  }

  /// What `steps` does with this stream, as a graph: nothing of it is done now. The caller closes it.
  public DeviceGraph record(Runnable steps, String what) {
    driver.check(CudaFunction.STREAM_BEGIN_CAPTURE, driver.li(CudaFunction.STREAM_BEGIN_CAPTURE, handle, THREAD_LOCAL), what);
    try {
      steps.run();
    } catch (RuntimeException | Error e) {
      // The stream must leave its recording; what went wrong first is what counts.
      CudaDriver.Out left = new CudaDriver.Out(0);
      try {
        left = end(what);
      } catch (DeviceException later) {
        e.addSuppressed(later);
      }
      destroy(left.bits());
      throw e;
    }
    long graph = end(what).bits();
    try {
      return new DeviceGraph(driver, graph, what);
    } finally {
      destroy(graph);
    }
  }

  private CudaDriver.Out end(String what) {
    return driver.out(CudaFunction.STREAM_END_CAPTURE, what, place -> driver.ll(CudaFunction.STREAM_END_CAPTURE, handle, place));
  }

  private void destroy(long graph) {
    if (graph != 0) {
      driver.l(CudaFunction.GRAPH_DESTROY, graph);
    }
  }

  /// Does what `graph` holds.
  public void launch(DeviceGraph graph, String what) {
    driver.check(CudaFunction.GRAPH_LAUNCH, driver.ll(CudaFunction.GRAPH_LAUNCH, graph.handle(), handle), what);
  }

  /// Takes the time when it has come here.
  public void mark(DeviceEvent event) {
    driver.check(CudaFunction.EVENT_RECORD, driver.ll(CudaFunction.EVENT_RECORD, event.handle(), handle), "a stream");
  }

  /// To be called when all is done.
  @Override
  public void close() {
    driver.l(CudaFunction.STREAM_DESTROY, handle);
  }
}
