// How the stand-in for the driver calls a kernel: with its shape and the addresses of its arguments; or without them, and gets how many there are.
#pragma once

#include <stddef.h>

#include <utility>

template <typename... Parameters, size_t... Places>
static int stand_in_launch(const cudaLaunchConfig_t &config, void (*kernel)(Parameters...), void **values, std::index_sequence<Places...>) {
  return (int) cudaLaunchKernelEx(&config, kernel, *(Parameters *) values[Places]...);
}

template <typename... Parameters>
static int stand_in_call(void (*kernel)(Parameters...), unsigned blocks, unsigned threads, unsigned shared, void **values) {
  if (!values) {
    return (int) sizeof...(Parameters);
  }
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(blocks);
  config.blockDim = dim3(threads);
  config.dynamicSmemBytes = shared;
  // The driver knows what was asked for.
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int) shared);
  return stand_in_launch(config, kernel, values, std::index_sequence_for<Parameters...>());
}

#define STAND_IN(kernel)                                                                                   \
  extern "C" int stand_in_##kernel(unsigned blocks, unsigned threads, unsigned shared, void **values) { \
    return stand_in_call(kernel, blocks, threads, shared, values);                                     \
  }
