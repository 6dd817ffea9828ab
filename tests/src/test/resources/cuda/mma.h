// The tiles of warps, as CUDA has them: all threads of a warp come to each function, and the first of them does what it says. A tile is loaded from
// where CUDA allows that: at a multiple of 32 bytes, with rows at multiples of 16.
#pragma once

#include "cuda_bf16.h"
#include "cuda_runtime.h"

#include <math.h>

#include <type_traits>

namespace nvcuda {
namespace wmma {

struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };

static inline double number(double value) { return value; }
static inline double number(float value) { return value; }
static inline double number(int value) { return value; }
static inline double number(signed char value) { return value; }
static inline double number(unsigned char value) { return value; }

static inline double of_number(double value, double) { return value; }
static inline float of_number(double value, float) { return (float) value; }
static inline int of_number(double value, int) { return (int) (uint32_t) (int64_t) value; }

static inline double number(__nv_bfloat16 value) {
  uint32_t bits = (uint32_t) value.bits << 16;
  float number;
  memcpy(&number, &bits, sizeof number);
  return number;
}

static inline double number(__half value) {
  int exponent = value.bits >> 10 & 31;
  int fraction = value.bits & 1023;
  double size = exponent == 31 ? (fraction ? NAN : INFINITY) : exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
  return value.bits >> 15 ? -size : size;
}

template <typename Use, int m, int n, int k, typename Element, typename Layout = row_major>
struct fragment;

template <int m, int n, int k, typename Element, typename Layout>
struct fragment<matrix_a, m, n, k, Element, Layout> {
  Element at[m][k];
};

template <int m, int n, int k, typename Element, typename Layout>
struct fragment<matrix_b, m, n, k, Element, Layout> {
  Element at[k][n];
};

template <int m, int n, int k, typename Element, typename Layout>
struct fragment<accumulator, m, n, k, Element, Layout> {
  Element at[m][n];
};

// Whether this thread does what its warp does.
static inline bool leads() {
  shim::wait(shim::waits_for_warp, 3);
  return threadIdx.x % warpSize == 0;
}

static inline void check(const void *memory, size_t row_bytes) {
  if ((uintptr_t) memory % 32 || row_bytes % 16) {
    shim::stop("a tile of a warp lies at a place where CUDA has none");
  }
}

template <typename Rows>
static void copy(Rows &rows, const void *memory, unsigned stride, bool is_in_rows) {
  typedef typename std::remove_reference<decltype(rows[0][0])>::type Element;
  const Element *elements = (const Element *) memory;
  size_t count = sizeof rows / sizeof rows[0], width = sizeof rows[0] / sizeof rows[0][0];
  check(memory, stride * sizeof(Element));
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < width; j++) {
      rows[i][j] = elements[is_in_rows ? i * stride + j : j * stride + i];
    }
  }
}

template <typename Use, int m, int n, int k, typename Element>
static void load_matrix_sync(fragment<Use, m, n, k, Element, row_major> &tile, const Element *memory, unsigned stride) {
  if (leads()) {
    copy(tile.at, memory, stride, true);
  }
}

template <typename Use, int m, int n, int k, typename Element>
static void load_matrix_sync(fragment<Use, m, n, k, Element, col_major> &tile, const Element *memory, unsigned stride) {
  if (leads()) {
    copy(tile.at, memory, stride, false);
  }
}

template <int m, int n, int k, typename Element>
static void store_matrix_sync(Element *memory, const fragment<accumulator, m, n, k, Element> &tile, unsigned stride, layout_t layout) {
  if (leads()) {
    check(memory, stride * sizeof(Element));
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        memory[layout == mem_row_major ? i * stride + j : j * stride + i] = tile.at[i][j];
      }
    }
  }
}

template <int m, int n, int k, typename Element>
static void fill_fragment(fragment<accumulator, m, n, k, Element> &tile, Element value) {
  if (leads()) {
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        tile.at[i][j] = value;
      }
    }
  }
}

template <int m, int n, int k, typename Element, typename Left, typename LeftLayout, typename Right, typename RightLayout>
static void mma_sync(fragment<accumulator, m, n, k, Element> &sum, const fragment<matrix_a, m, n, k, Left, LeftLayout> &left,
    const fragment<matrix_b, m, n, k, Right, RightLayout> &right, const fragment<accumulator, m, n, k, Element> &before) {
  if (leads()) {
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double result = number(before.at[i][j]);
        for (int l = 0; l < k; l++) {
          result += number(left.at[i][l]) * number(right.at[l][j]);
        }
        sum.at[i][j] = of_number(result, (Element) 0);
      }
    }
  }
}

}  // namespace wmma
}  // namespace nvcuda
