// What generated CUDA C++ needs of CUDA, for a host without a GPU: kernels run block after block, and the threads of a block in turn, each until
// it waits for the others. A kernel that lacks a barrier gives wrong results here, as threads run far ahead of each other, and in another order in
// every other block; what is shared starts out as NaN in each.
#pragma once

#include <math.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <map>
#include <string>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __shared__
#define __forceinline__ inline
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(...)

enum cudaError_t { cudaSuccess, cudaErrorInvalidValue, cudaErrorMemoryAllocation, cudaErrorInvalidConfiguration = 9 };
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
enum cudaDeviceAttr { cudaDevAttrMaxSharedMemoryPerBlockOptin = 97 };
enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal };
static const unsigned cudaStreamNonBlocking = 1;

struct CUgraph_st;
typedef CUgraph_st *cudaGraph_t;
typedef CUgraph_st *cudaGraphExec_t;

struct CUstream_st {
  cudaGraph_t recording;
};
typedef CUstream_st *cudaStream_t;

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
};

static const int warpSize = 32;
static dim3 threadIdx, blockIdx, blockDim, gridDim;
static const size_t behind_shared = 1024;
unsigned char einfall_shared[(227 << 10) + behind_shared] __attribute__((aligned(256)));

namespace shim {

static const unsigned most_threads = 1024;
static const size_t shared_without_asking = 48 << 10;
// As sm_90, or as what the tests ask for.
#ifdef SHARED_BYTES
static const size_t most_shared = SHARED_BYTES;
#else
static const size_t most_shared = 227 << 10;
#endif
// What kernels have asked for.
static std::map<const void *, size_t> shared_asked;
static const size_t stack_bytes = 1 << 18;

enum State { runs, waits_for_block, waits_for_warp, is_done };

// A thread of a block, which lives on when it is done, and runs the next kernel.
struct Thread {
  jmp_buf place;
  bool has_begun;
  State state;
  int line;
};

struct Kernel {
  void (*call)(void *);
  void *arguments;
};

static Thread threads[most_threads];
static jmp_buf scheduler;
static unsigned char *stacks;
static unsigned current;
static Kernel kernel;
static bool is_alone;
static uint64_t slots[most_threads];
// What the blocks of the launch share.
static size_t shared_bytes;
// The same as products of groups of warps see it: see ptx.h.
static unsigned char seen_shared[sizeof einfall_shared] __attribute__((aligned(256)));

static void stop(const char *why) {
  fprintf(stderr, "block %u, thread %u: %s\n", blockIdx.x, threadIdx.x, why);
  abort();
}

static void wait(State state, int line) {
  if (is_alone) {
    stop("waits, and the first thread of its block did not");
  }
  threads[current].state = state;
  threads[current].line = line;
  // Unlike swapcontext, this asks the system for nothing.
  if (!_setjmp(threads[current].place)) {
    _longjmp(scheduler, 1);
  }
}

static void body() {
  for (;;) {
    kernel.call(kernel.arguments);
    wait(is_done, 0);
  }
}

static void begin() {
  ucontext_t context;
  getcontext(&context);
  context.uc_stack.ss_sp = stacks + current * stack_bytes;
  context.uc_stack.ss_size = stack_bytes;
  context.uc_link = 0;
  threads[current].has_begun = true;
  makecontext(&context, body, 0);
  setcontext(&context);
}

// Runs a thread until it waits or is done.
static void resume(unsigned thread) {
  current = thread;
  threadIdx.x = thread;
  threads[thread].state = runs;
  if (!_setjmp(scheduler)) {
    if (threads[current].has_begun) {
      _longjmp(threads[current].place, 1);
    }
    begin();
  }
}

// Whether all threads from `first` to `end` that are not done are in `state`, at the same place.
static bool all(unsigned first, unsigned end, State state) {
  int line = -1;
  for (unsigned i = first; i < end; i++) {
    if (threads[i].state == is_done) {
      continue;
    }
    if (threads[i].state != state || (line >= 0 && threads[i].line != line)) {
      return false;
    }
    line = threads[i].line;
  }
  return line >= 0;
}

static void together(unsigned first, unsigned end, bool backwards) {
  for (unsigned i = first; i < end; i++) {
    unsigned thread = backwards ? end - 1 - (i - first) : i;
    if (threads[thread].state != is_done) {
      resume(thread);
    }
  }
}

// What lies behind the memory that a launch gives its blocks must stay as it is.
static void check_shared(size_t bytes) {
  for (size_t i = bytes; i < bytes + behind_shared; i++) {
    if (einfall_shared[i] != 0xff) {
      stop("stores beyond its shared memory");
    }
  }
}

static void block(unsigned count, bool backwards) {
  unsigned first = backwards ? count - 1 : 0;
  resume(first);
  if (threads[first].state == is_done) {
    is_alone = true;
    for (unsigned i = 0; i < count; i++) {
      threadIdx.x = backwards ? count - 1 - i : i;
      if (threadIdx.x != first) {
        kernel.call(kernel.arguments);
      }
    }
    is_alone = false;
    return;
  }
  for (unsigned i = 1; i < count; i++) {
    resume(backwards ? count - 1 - i : i);
  }
  for (;;) {
    bool moved = false;
    if (all(0, count, waits_for_block)) {
      together(0, count, backwards);
      continue;
    }
    for (unsigned warp = 0; warp < count; warp += warpSize) {
      unsigned end = warp + warpSize < count ? warp + warpSize : count;
      if (all(warp, end, waits_for_warp)) {
        together(warp, end, backwards);
        moved = true;
      }
    }
    if (!moved) {
      for (unsigned i = 0; i < count; i++) {
        if (threads[i].state != is_done) {
          stop("threads wait at different places");
        }
      }
      return;
    }
  }
}

static cudaError_t check(const cudaLaunchConfig_t *config, const void *function) {
  unsigned count = config->blockDim.x;
  auto asked = shared_asked.find(function);
  bool is_right = count > 0 && count <= most_threads && config->gridDim.x > 0 && config->gridDim.x <= 0x7fffffff
      && config->dynamicSmemBytes <= (asked == shared_asked.end() ? shared_without_asking : asked->second);
  return is_right ? cudaSuccess : cudaErrorInvalidConfiguration;
}

static cudaError_t launch(const cudaLaunchConfig_t *config, Kernel what) {
  static unsigned launches;
  unsigned count = config->blockDim.x;
  if (!stacks) {
    stacks = (unsigned char *) mmap(0, most_threads * stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  kernel = what;
  gridDim = config->gridDim;
  blockDim = config->blockDim;
  launches++;
  for (unsigned i = 0; i < gridDim.x; i++) {
    blockIdx.x = launches % 2 ? i : gridDim.x - 1 - i;
    shared_bytes = config->dynamicSmemBytes;
    memset(einfall_shared, 0xff, shared_bytes + behind_shared);
    memset(seen_shared, 0xff, shared_bytes);
    block(count, blockIdx.x % 2);
    check_shared(config->dynamicSmemBytes);
  }
  return cudaSuccess;
}

struct Copy {
  void *to;
  const void *from;
  size_t bytes;
};

static const unsigned most_copies = 256;
static Copy copies[most_threads][most_copies];
static unsigned copies_begun[most_threads];

static void begin_copy(void *to, const void *from, size_t bytes) {
  if (copies_begun[threadIdx.x] == most_copies) {
    stop("too many copies at a time");
  }
  memset(to, 0xff, bytes);
  copies[threadIdx.x][copies_begun[threadIdx.x]++] = {to, from, bytes};
}

static void finish_copies() {
  for (unsigned i = 0; i < copies_begun[threadIdx.x]; i++) {
    memcpy(copies[threadIdx.x][i].to, copies[threadIdx.x][i].from, copies[threadIdx.x][i].bytes);
  }
  copies_begun[threadIdx.x] = 0;
}

template <typename Call>
static void apply(void *call) {
  (*(Call *) call)();
}

template <typename Value>
static Value shuffled(Value value, unsigned lane) {
  memcpy(&slots[threadIdx.x], &value, sizeof value);
  unsigned warp = threadIdx.x / warpSize * warpSize;
  wait(waits_for_warp, 1);
  Value other = value;
  if (warp + lane < blockDim.x) {
    memcpy(&other, &slots[warp + lane], sizeof other);
  }
  wait(waits_for_warp, 2);
  return other;
}

}  // namespace shim

#define __syncthreads() shim::wait(shim::waits_for_block, __LINE__)
#define __syncwarp(...) shim::wait(shim::waits_for_warp, __LINE__)
#define __shfl_xor_sync(mask, value, lanes) shim::shuffled(value, threadIdx.x % warpSize ^ (lanes))
#define __shfl_sync(mask, value, lane) shim::shuffled(value, lane)
#define __shfl_down_sync(mask, value, lanes) \
  shim::shuffled(value, threadIdx.x % warpSize + (lanes) < (unsigned) warpSize ? threadIdx.x % warpSize + (lanes) : threadIdx.x % warpSize)

// Copies that a thread has begun: nothing is there until it waits.
#define __pipeline_memcpy_async(to, from, bytes) shim::begin_copy(to, from, bytes)
#define __pipeline_commit()
#define __pipeline_wait_prior(count) shim::finish_copies()

#include "ptx.h"

static inline size_t __cvta_generic_to_shared(const void *place) {
  size_t offset = (const unsigned char *) place - einfall_shared;
  if (offset >= shim::shared_bytes) {
    shim::stop("an address outside of shared memory");
  }
  return offset;
}

static inline size_t __cvta_generic_to_global(const void *place) {
  return (size_t) place;
}

static inline int atomicCAS(int *address, int compare, int value) {
  int old = *address;
  *address = old == compare ? value : old;
  return old;
}

namespace shim {

// What was recorded, to be done again: a launch, or a copy where it calls nothing.
struct Step {
  cudaLaunchConfig_t config;
  void (*call)(void *);
  std::vector<unsigned char> arguments;
  Copy copy;

  cudaError_t run() {
    if (call) {
      return launch(&config, {call, arguments.data()});
    }
    memcpy(copy.to, copy.from, copy.bytes);
    return cudaSuccess;
  }
};

}  // namespace shim

struct CUgraph_st {
  std::vector<shim::Step> steps;
};

namespace shim {

static inline cudaError_t launch(const cudaLaunchConfig_t *config, const void *kernel, void (*call)(void *), void *arguments, size_t bytes) {
  cudaError_t error = check(config, kernel);
  if (error == cudaSuccess && config->stream && config->stream->recording) {
    const unsigned char *begin = (const unsigned char *) arguments;
    config->stream->recording->steps.push_back({*config, call, {begin, begin + bytes}, {}});
    return cudaSuccess;
  }
  return error == cudaSuccess ? launch(config, {call, arguments}) : error;
}

}  // namespace shim

template <typename... Parameters, typename... Arguments>
static cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t *config, void (*kernel)(Parameters...), Arguments... arguments) {
  auto call = [=] { kernel(arguments...); };
  return shim::launch(config, (const void *) kernel, shim::apply<decltype(call)>, &call, sizeof call);
}

template <typename... Parameters>
static cudaError_t cudaFuncSetAttribute(void (*kernel)(Parameters...), cudaFuncAttribute, int bytes) {
  if (bytes < 0 || (size_t) bytes > shim::most_shared) {
    return cudaErrorInvalidValue;
  }
  shim::shared_asked[(const void *) kernel] = bytes;
  return cudaSuccess;
}

static inline cudaError_t cudaGetDevice(int *device) {
  *device = 0;
  return cudaSuccess;
}

static inline cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr, int) {
  *value = (int) shim::most_shared;
  return cudaSuccess;
}

static inline const char *cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    default: return "cudaErrorInvalidValue";
  }
}

static inline const char *cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "out of memory" : error == cudaSuccess ? "no error" : "invalid argument";
}

// Memory starts out as NaN.
static inline cudaError_t cudaMalloc(void **memory, size_t bytes) {
  *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (*memory) {
    memset(*memory, 0xff, bytes);
  }
  return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}

static inline cudaError_t cudaFree(void *memory) {
  free(memory);
  return cudaSuccess;
}

static inline cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind) {
  memcpy(to, from, bytes);
  return cudaSuccess;
}

static inline cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (stream && stream->recording) {
    stream->recording->steps.push_back({{}, 0, {}, {to, from, bytes}});
    return cudaSuccess;
  }
  return cudaMemcpy(to, from, bytes, kind);
}

static inline cudaError_t cudaMemset(void *memory, int value, size_t bytes) {
  memset(memory, value, bytes);
  return cudaSuccess;
}

static inline cudaError_t cudaStreamSynchronize(cudaStream_t) {
  return cudaSuccess;
}

static inline cudaError_t cudaDeviceSynchronize() {
  return cudaSuccess;
}

static inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) {
  *stream = new CUstream_st();
  return cudaSuccess;
}

static inline cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}

static inline cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->recording = new CUgraph_st();
  return cudaSuccess;
}

static inline cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
  *graph = stream->recording;
  stream->recording = 0;
  return cudaSuccess;
}

static inline cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t *executable, cudaGraph_t graph, unsigned long long) {
  *executable = new CUgraph_st(*graph);
  return cudaSuccess;
}

static inline cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t) {
  for (shim::Step &step : executable->steps) {
    step.run();
  }
  return cudaSuccess;
}

static inline cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

static inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
