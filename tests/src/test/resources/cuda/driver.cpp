// A driver of CUDA for tests, with the functions of libcuda that programs call: its device is the host, and a module is a library that the stand-in for
// nvcc beside this file makes. What a stream is told is done when somebody waits for it, and not before. Memory that nobody has, a thread without a
// context, and handles that are not right are errors.
//
// Tests make other drivers of it by stand_in_set, and one that lacks functions by WITHOUT_GRAPHS at compile time.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#define API extern "C" __attribute__((visibility("default"))) int

namespace {

// What tests set, in this order.
enum Setting { version, device_count, capability, memory_bytes, refuses_launch, fails_run, setting_count };
long long settings[setting_count] = {13000, 1, 80, 1ll << 32, 0, 0};

enum Result {
  success, invalid_value = 1, out_of_memory = 2, not_initialized = 3, no_device = 100, invalid_device = 101, no_binary_for_gpu = 209, invalid_context = 201,
  invalid_handle = 400, not_found = 500, illegal_address = 700, launch_out_of_resources = 701
};

typedef std::function<int()> Step;

struct Stream {
  std::vector<Step> waiting;
  std::vector<Step> *recording;
};

struct Event {
  double milliseconds;
};

struct Module {
  void *library;
};

struct Function {
  int (*call)(unsigned, unsigned, unsigned, void **);
  unsigned shared_limit;
};

std::recursive_mutex lock;
bool is_initialized;
int context_holders;
thread_local std::vector<void *> contexts;
char primary_context;
std::map<uintptr_t, size_t> device_memory;
std::map<uintptr_t, size_t> host_memory;
std::set<Stream *> streams;
std::set<std::vector<Step> *> graphs;
std::set<std::vector<Step> *> executables;
std::set<Event *> events;
std::set<Module *> modules;
std::set<Function *> functions;
unsigned long long device_bytes;
long copies_to_device, copies_to_host, graph_launches, kernel_launches;
int broken;

bool holds(const std::map<uintptr_t, size_t> &memory, uintptr_t address, size_t bytes) {
  auto after = memory.upper_bound(address);
  if (after == memory.begin()) {
    return false;
  }
  auto found = std::prev(after);
  return address - found->first + bytes <= found->second;
}

int ready() {
  return !is_initialized ? not_initialized : contexts.empty() ? invalid_context : broken;
}

int finish(Stream *stream) {
  std::vector<Step> waiting;
  waiting.swap(stream->waiting);
  for (const Step &step : waiting) {
    int result = step();
    if (result) {
      broken = result;
      return result;
    }
  }
  return broken;
}

void finish_all() {
  for (Stream *stream : streams) {
    finish(stream);
  }
}

int tell(Stream *stream, Step step) {
  if (!streams.count(stream)) {
    return invalid_handle;
  }
  (stream->recording ? *stream->recording : stream->waiting).push_back(step);
  return success;
}

bool is_pageable(const void *address) {
  return !holds(host_memory, (uintptr_t) address, 1);
}

}  // namespace

#define LOCKED std::lock_guard<std::recursive_mutex> guard(lock)
#define READY LOCKED; do { int result = ready(); if (result) return result; } while (0)

API cuInit(unsigned flags) {
  LOCKED;
  is_initialized = true;
  return flags ? invalid_value : settings[device_count] ? success : no_device;
}

API cuDriverGetVersion(int *result) {
  *result = (int) settings[version];
  return success;
}

API cuGetErrorName(int error, const char **name) {
  switch (error) {
    case success: *name = "CUDA_SUCCESS"; break;
    case invalid_value: *name = "CUDA_ERROR_INVALID_VALUE"; break;
    case out_of_memory: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
    case not_initialized: *name = "CUDA_ERROR_NOT_INITIALIZED"; break;
    case no_device: *name = "CUDA_ERROR_NO_DEVICE"; break;
    case invalid_device: *name = "CUDA_ERROR_INVALID_DEVICE"; break;
    case no_binary_for_gpu: *name = "CUDA_ERROR_NO_BINARY_FOR_GPU"; break;
    case invalid_context: *name = "CUDA_ERROR_INVALID_CONTEXT"; break;
    case invalid_handle: *name = "CUDA_ERROR_INVALID_HANDLE"; break;
    case not_found: *name = "CUDA_ERROR_NOT_FOUND"; break;
    case illegal_address: *name = "CUDA_ERROR_ILLEGAL_ADDRESS"; break;
    case launch_out_of_resources: *name = "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"; break;
    default: *name = 0; return invalid_value;
  }
  return success;
}

API cuGetErrorString(int error, const char **text) {
  switch (error) {
    case out_of_memory: *text = "out of memory"; break;
    case no_binary_for_gpu: *text = "no kernel image is available for execution on the device"; break;
    case illegal_address: *text = "an illegal memory access was encountered"; break;
    case launch_out_of_resources: *text = "too many resources requested for launch"; break;
    default: *text = "a stand-in's error";
  }
  return success;
}

API cuDeviceGetCount(int *count) {
  *count = (int) settings[device_count];
  return is_initialized ? success : not_initialized;
}

API cuDeviceGet(int *device, int number) {
  *device = number;
  return number >= 0 && number < settings[device_count] ? success : invalid_device;
}

API cuDeviceGetName(char *name, int bytes, int) {
  snprintf(name, bytes, "Stand-in");
  return success;
}

API cuDeviceGetAttribute(int *value, int attribute, int) {
  *value = (int) (attribute == 75 ? settings[capability] / 10 : attribute == 76 ? settings[capability] % 10 : attribute == 97 ? 227 << 10 : 0);
  return attribute == 75 || attribute == 76 || attribute == 97 ? success : invalid_value;
}

API cuDevicePrimaryCtxRetain(void **context, int) {
  LOCKED;
  context_holders++;
  *context = &primary_context;
  return success;
}

API cuDevicePrimaryCtxRelease_v2(int) {
  LOCKED;
  return context_holders-- > 0 ? success : invalid_context;
}

API cuCtxPushCurrent_v2(void *context) {
  LOCKED;
  if (context != &primary_context || context_holders == 0) {
    return invalid_context;
  }
  contexts.push_back(context);
  return success;
}

API cuCtxPopCurrent_v2(void **context) {
  if (contexts.empty()) {
    return invalid_context;
  }
  *context = contexts.back();
  contexts.pop_back();
  return success;
}

API cuModuleLoadDataEx(Module **module, const char *image, unsigned count, const int *options, void **values) {
  READY;
  char architecture[16];
  unsigned long long bytes;
  char expected[32];
  snprintf(expected, sizeof expected, "sm_%lld", settings[capability]);
  // What is for one capability alone ends in a letter.
  if (sscanf(image, "stand-in %15[^a ]%*[a ]%llu\n", architecture, &bytes) != 2 || strcmp(architecture, expected)) {
    for (unsigned i = 0; i < count; i++) {
      if (options[i] == 5) {
        snprintf((char *) values[i], 64, "there is no code for %s", expected);
      }
    }
    return no_binary_for_gpu;
  }
  char name[] = "/tmp/einfall-module-XXXXXX";
  int file = mkstemp(name);
  const char *from = strchr(image, '\n') + 1;
  while (bytes > 0) {
    ssize_t written = write(file, from, bytes);
    if (written <= 0) {
      return invalid_value;
    }
    from += written;
    bytes -= written;
  }
  close(file);
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  unlink(name);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return invalid_value;
  }
  *module = new Module{library};
  modules.insert(*module);
  return success;
}

API cuModuleGetFunction(Function **function, Module *module, const char *name) {
  READY;
  if (!modules.count(module)) {
    return invalid_handle;
  }
  void *call = dlsym(module->library, (std::string("stand_in_") + name).c_str());
  if (!call) {
    return not_found;
  }
  *function = new Function{(int (*)(unsigned, unsigned, unsigned, void **)) call, 48 << 10};
  functions.insert(*function);
  return success;
}

API cuModuleUnload(Module *module) {
  READY;
  finish_all();
  if (!modules.erase(module)) {
    return invalid_handle;
  }
  dlclose(module->library);
  delete module;
  return success;
}

API cuFuncSetAttribute(Function *function, int attribute, int value) {
  READY;
  if (!functions.count(function) || attribute != 8) {
    return invalid_value;
  }
  function->shared_limit = value;
  return success;
}

// Memory starts out as NaN, and becomes so again.
API cuMemAlloc_v2(uintptr_t *address, size_t bytes) {
  READY;
  if (device_bytes + bytes > (unsigned long long) settings[memory_bytes]) {
    return out_of_memory;
  }
  void *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
  memset(memory, 0xff, bytes);
  device_bytes += bytes;
  device_memory[(uintptr_t) memory] = bytes;
  *address = (uintptr_t) memory;
  return success;
}

API cuMemFree_v2(uintptr_t address) {
  READY;
  finish_all();
  auto found = device_memory.find(address);
  if (found == device_memory.end()) {
    fprintf(stderr, "memory is freed that nobody has\n");
    abort();
  }
  memset((void *) address, 0xff, found->second);
  device_bytes -= found->second;
  device_memory.erase(found);
  free((void *) address);
  return success;
}

API cuMemAllocHost_v2(void **address, size_t bytes) {
  READY;
  *address = aligned_alloc(256, (bytes + 255) / 256 * 256);
  memset(*address, 0xff, bytes);
  host_memory[(uintptr_t) *address] = bytes;
  return success;
}

API cuMemFreeHost(void *address) {
  READY;
  finish_all();
  if (!host_memory.erase((uintptr_t) address)) {
    return invalid_value;
  }
  free(address);
  return success;
}

API cuMemcpyHtoDAsync_v2(uintptr_t to, const void *from, size_t bytes, Stream *stream) {
  READY;
  if (!holds(device_memory, to, bytes)) {
    return invalid_value;
  }
  if (is_pageable(from)) {
    if (stream->recording) {
      return invalid_value;
    }
    std::vector<char> kept((const char *) from, (const char *) from + bytes);
    return tell(stream, [=] { copies_to_device++; memcpy((void *) to, kept.data(), bytes); return success; });
  }
  return tell(stream, [=] { copies_to_device++; memcpy((void *) to, from, bytes); return success; });
}

API cuMemcpyDtoHAsync_v2(void *to, uintptr_t from, size_t bytes, Stream *stream) {
  READY;
  if (!holds(device_memory, from, bytes) || holds(device_memory, (uintptr_t) to, 1)) {
    return invalid_value;
  }
  return tell(stream, [=] { copies_to_host++; memcpy(to, (const void *) from, bytes); return success; });
}

API cuMemcpyDtoDAsync_v2(uintptr_t to, uintptr_t from, size_t bytes, Stream *stream) {
  READY;
  if (!holds(device_memory, from, bytes) || !holds(device_memory, to, bytes)) {
    return invalid_value;
  }
  return tell(stream, [=] { memcpy((void *) to, (const void *) from, bytes); return success; });
}

API cuMemsetD8Async(uintptr_t address, unsigned char value, size_t bytes, Stream *stream) {
  READY;
  if (!holds(device_memory, address, bytes)) {
    return invalid_value;
  }
  return tell(stream, [=] { memset((void *) address, value, bytes); return success; });
}

API cuStreamCreate(Stream **stream, unsigned flags) {
  READY;
  *stream = new Stream();
  streams.insert(*stream);
  return flags == 1 ? success : invalid_value;
}

API cuStreamDestroy_v2(Stream *stream) {
  READY;
  if (!streams.count(stream)) {
    return invalid_handle;
  }
  finish(stream);
  streams.erase(stream);
  delete stream;
  return success;
}

API cuStreamSynchronize(Stream *stream) {
  READY;
  return !streams.count(stream) || stream->recording ? invalid_handle : finish(stream);
}

API cuStreamBeginCapture_v2(Stream *stream, int) {
  READY;
  if (!streams.count(stream) || stream->recording) {
    return invalid_handle;
  }
  stream->recording = new std::vector<Step>();
  graphs.insert(stream->recording);
  return success;
}

API cuStreamEndCapture(Stream *stream, std::vector<Step> **graph) {
  READY;
  if (!streams.count(stream) || !stream->recording) {
    return invalid_handle;
  }
  *graph = stream->recording;
  stream->recording = 0;
  return success;
}

#ifndef WITHOUT_GRAPHS
API cuGraphInstantiateWithFlags(std::vector<Step> **executable, std::vector<Step> *graph, unsigned long long) {
  READY;
  if (!graphs.count(graph)) {
    return invalid_handle;
  }
  *executable = new std::vector<Step>(*graph);
  executables.insert(*executable);
  return success;
}
#endif

API cuGraphLaunch(std::vector<Step> *executable, Stream *stream) {
  READY;
  if (!executables.count(executable)) {
    return invalid_handle;
  }
  graph_launches++;
  for (const Step &step : *executable) {
    tell(stream, step);
  }
  return success;
}

API cuGraphDestroy(std::vector<Step> *graph) {
  READY;
  if (!graphs.erase(graph)) {
    return invalid_handle;
  }
  delete graph;
  return success;
}

API cuGraphExecDestroy(std::vector<Step> *executable) {
  READY;
  if (!executables.erase(executable)) {
    return invalid_handle;
  }
  delete executable;
  return success;
}

API cuEventCreate(Event **event, unsigned) {
  READY;
  *event = new Event{-1};
  events.insert(*event);
  return success;
}

API cuEventRecord(Event *event, Stream *stream) {
  READY;
  return tell(stream, [=] {
    event->milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
    return success;
  });
}

API cuEventElapsedTime(float *milliseconds, Event *from, Event *to) {
  READY;
  if (from->milliseconds < 0 || to->milliseconds < 0) {
    return invalid_handle;
  }
  *milliseconds = (float) (to->milliseconds - from->milliseconds);
  return success;
}

API cuEventDestroy_v2(Event *event) {
  READY;
  if (!events.erase(event)) {
    return invalid_handle;
  }
  delete event;
  return success;
}

// Parameters are addresses, all of them: those that a kernel takes are copied now.
API cuLaunchKernel(Function *function, unsigned blocks, unsigned y, unsigned z, unsigned threads, unsigned v, unsigned w, unsigned shared, Stream *stream,
    void **parameters, void **extra) {
  READY;
  if (!functions.count(function) || y != 1 || z != 1 || v != 1 || w != 1 || extra || shared > function->shared_limit) {
    return invalid_value;
  }
  if (settings[refuses_launch]) {
    return launch_out_of_resources;
  }
  int count = function->call(0, 0, 0, 0);
  std::vector<void *> values(count);
  for (int i = 0; i < count; i++) {
    values[i] = *(void **) parameters[i];
    if (!holds(device_memory, (uintptr_t) values[i], 0)) {
      return invalid_value;
    }
  }
  kernel_launches++;
  return tell(stream, [=] {
    std::vector<void *> kept = values;
    std::vector<void *> places(count);
    for (int i = 0; i < count; i++) {
      places[i] = &kept[i];
    }
    return settings[fails_run] ? (int) illegal_address : function->call(blocks, threads, shared, places.data()) ? (int) invalid_value : (int) success;
  });
}

// For tests: how this driver differs from a usual one, what is not freed, and what was done.
API stand_in_set(int setting, long long value) {
  LOCKED;
  settings[setting] = value;
  return success;
}

API stand_in_left() {
  LOCKED;
  return device_memory.size() + host_memory.size() + streams.size() + graphs.size() + executables.size() + events.size() + modules.size() + context_holders;
}

API stand_in_count(int what) {
  LOCKED;
  return (int) (what == 0 ? copies_to_device : what == 1 ? copies_to_host : what == 2 ? graph_launches : kernel_launches);
}
