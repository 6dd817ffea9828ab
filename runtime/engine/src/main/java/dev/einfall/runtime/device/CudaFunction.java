package dev.einfall.runtime.device;

/// The functions of the driver that are called, by the names under which its library has them: those of a later version of a function end in it.
enum CudaFunction {
  INIT("cuInit"),
  DRIVER_GET_VERSION("cuDriverGetVersion"),
  GET_ERROR_NAME("cuGetErrorName"),
  GET_ERROR_STRING("cuGetErrorString"),
  DEVICE_GET_COUNT("cuDeviceGetCount"),
  DEVICE_GET("cuDeviceGet"),
  DEVICE_GET_NAME("cuDeviceGetName"),
  DEVICE_GET_ATTRIBUTE("cuDeviceGetAttribute"),
  PRIMARY_CONTEXT_RETAIN("cuDevicePrimaryCtxRetain"),
  PRIMARY_CONTEXT_RELEASE("cuDevicePrimaryCtxRelease_v2"),
  CONTEXT_PUSH("cuCtxPushCurrent_v2"),
  CONTEXT_POP("cuCtxPopCurrent_v2"),
  MODULE_LOAD("cuModuleLoadDataEx"),
  MODULE_GET_FUNCTION("cuModuleGetFunction"),
  MODULE_UNLOAD("cuModuleUnload"),
  FUNCTION_SET_ATTRIBUTE("cuFuncSetAttribute"),
  MEMORY_ALLOCATE("cuMemAlloc_v2"),
  MEMORY_FREE("cuMemFree_v2"),
  HOST_ALLOCATE("cuMemAllocHost_v2"),
  HOST_FREE("cuMemFreeHost"),
  COPY_TO_DEVICE("cuMemcpyHtoDAsync_v2"),
  COPY_TO_HOST("cuMemcpyDtoHAsync_v2"),
  COPY_ON_DEVICE("cuMemcpyDtoDAsync_v2"),
  FILL("cuMemsetD8Async"),
  STREAM_CREATE("cuStreamCreate"),
  STREAM_DESTROY("cuStreamDestroy_v2"),
  STREAM_SYNCHRONIZE("cuStreamSynchronize"),
  STREAM_BEGIN_CAPTURE("cuStreamBeginCapture_v2"),
  STREAM_END_CAPTURE("cuStreamEndCapture"),
  GRAPH_INSTANTIATE("cuGraphInstantiateWithFlags"),
  GRAPH_LAUNCH("cuGraphLaunch"),
  GRAPH_DESTROY("cuGraphDestroy"),
  GRAPH_EXECUTABLE_DESTROY("cuGraphExecDestroy"),
  EVENT_CREATE("cuEventCreate"),
  EVENT_RECORD("cuEventRecord"),
  EVENT_ELAPSED_TIME("cuEventElapsedTime"),
  EVENT_DESTROY("cuEventDestroy_v2"),
  LAUNCH_KERNEL("cuLaunchKernel");

  private final String symbol;

  CudaFunction(String symbol) {
    this.symbol = symbol;
  }

  String symbol() {
    return symbol;
  }

  /// Its name in the documentation of CUDA.
  @Override
  public String toString() {
    return symbol.replaceFirst("_v[0-9]+$", "");
  }
}
