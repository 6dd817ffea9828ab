package dev.einfall.runtime.device;

/// What a stream did while it was recorded, which takes less to launch as a whole than each part of it.
public final class DeviceGraph implements AutoCloseable {
  private final CudaDriver driver;
  private final long handle;

  DeviceGraph(CudaDriver driver, long graph, String what) {
    this.driver = driver;
    this.handle = driver.out(CudaFunction.GRAPH_INSTANTIATE, what, place -> driver.lll(CudaFunction.GRAPH_INSTANTIATE, place, graph, 0)).bits();
  }

  long handle() {
    return handle;
  }

  @Override
  public void close() {
    driver.l(CudaFunction.GRAPH_EXECUTABLE_DESTROY, handle);
  }
}
