// See cuda_runtime.h, which has what CUDA has here.
#pragma once

#include <stdint.h>

struct __nv_bfloat16 {
  uint16_t bits;
};

struct __half {
  uint16_t bits;
};
