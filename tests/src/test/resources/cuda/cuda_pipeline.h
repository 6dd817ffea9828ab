// See cuda_runtime.h, which has what CUDA has here.
#pragma once

#include "cuda_runtime.h"
