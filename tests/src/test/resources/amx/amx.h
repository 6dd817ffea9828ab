/* A stand-in for AMX on machines without it, for tests: the intrinsics as plain C on arrays, with the rules of the instruction set that a program can
   break. It is included before all else (-include amx.h). */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE 1
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The request to the system, which AMX_REFUSED lets fail. */
static inline long amx_request(long number, long request, long what) {
#ifdef AMX_REFUSED
  const int granted = 0;
#else
  const int granted = 1;
#endif
  return granted && number == 158 && request == 0x1023 && what == 18 ? 0 : -1;
}
#define syscall amx_request

struct amx_tile {
  int rows;
  int bytes;
  unsigned char data[16][64];
};

static _Thread_local struct amx_tile amx_tiles[8];

static inline void amx_require(int condition, const char *message) {
  if (!condition) {
    fprintf(stderr, "AMX: %s\n", message);
    abort();
  }
}

static inline struct amx_tile *amx_tile(int number) {
  amx_require(number >= 0 && number < 8, "there are eight tiles");
  amx_require(amx_tiles[number].rows > 0 && amx_tiles[number].bytes > 0, "a tile of no size");
  return &amx_tiles[number];
}

static inline void amx_loadconfig(const void *memory) {
  const unsigned char *bytes = memory;
  amx_require(bytes[0] == 1 && bytes[1] == 0, "the palette is 1");
  memset(amx_tiles, 0, sizeof amx_tiles);
  for (int i = 0; i < 64; i++) {
    amx_require(i < 2 || (i >= 16 && i < 32) || (i >= 48 && i < 56) || bytes[i] == 0, "reserved bytes are 0");
  }
  for (int i = 0; i < 8; i++) {
    amx_tiles[i].bytes = bytes[16 + 2 * i] + 256 * bytes[17 + 2 * i];
    amx_tiles[i].rows = bytes[48 + i];
    amx_require(amx_tiles[i].bytes <= 64 && amx_tiles[i].rows <= 16 && (amx_tiles[i].bytes == 0) == (amx_tiles[i].rows == 0), "a tile is 16 x 64 bytes");
  }
}

static inline void amx_release(void) {
  memset(amx_tiles, 0, sizeof amx_tiles);
}

static inline void amx_zero(int number) {
  memset(amx_tile(number)->data, 0, sizeof amx_tile(number)->data);
}

static inline void amx_loadd(int number, const void *memory, int64_t stride) {
  struct amx_tile *tile = amx_tile(number);
  memset(tile->data, 0, sizeof tile->data);
  for (int row = 0; row < tile->rows; row++) {
    memcpy(tile->data[row], (const unsigned char *) memory + row * stride, (size_t) tile->bytes);
  }
}

static inline void amx_stored(int number, void *memory, int64_t stride) {
  struct amx_tile *tile = amx_tile(number);
  for (int row = 0; row < tile->rows; row++) {
    memcpy((unsigned char *) memory + row * stride, tile->data[row], (size_t) tile->bytes);
  }
}

static inline void amx_require_product(const struct amx_tile *c, const struct amx_tile *a, const struct amx_tile *b) {
  amx_require(c != a && c != b && a != b, "three tiles");
  amx_require(c->rows == a->rows && c->bytes == b->bytes && a->bytes == 4 * b->rows && c->bytes % 4 == 0, "the sizes of tiles fit");
}

static inline float amx_bf16(const unsigned char *bytes) {
  const uint32_t bits = (uint32_t) (bytes[0] + 256 * bytes[1]) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline void amx_dpbf16ps(int sums, int left, int right) {
  struct amx_tile *c = amx_tile(sums), *a = amx_tile(left), *b = amx_tile(right);
  amx_require_product(c, a, b);
  for (int row = 0; row < c->rows; row++) {
    for (int column = 0; column < c->bytes / 4; column++) {
      float sum;
      memcpy(&sum, &c->data[row][4 * column], sizeof sum);
      for (int step = 0; step < b->rows; step++) {
        sum += amx_bf16(&a->data[row][4 * step]) * amx_bf16(&b->data[step][4 * column]);
        sum += amx_bf16(&a->data[row][4 * step + 2]) * amx_bf16(&b->data[step][4 * column + 2]);
      }
      memcpy(&c->data[row][4 * column], &sum, sizeof sum);
    }
  }
}

#define AMX_PRODUCT(name, left_type, right_type) \
  static inline void name(int sums, int left, int right) { \
    struct amx_tile *c = amx_tile(sums), *a = amx_tile(left), *b = amx_tile(right); \
    amx_require_product(c, a, b); \
    for (int row = 0; row < c->rows; row++) { \
      for (int column = 0; column < c->bytes / 4; column++) { \
        int32_t sum; \
        memcpy(&sum, &c->data[row][4 * column], sizeof sum); \
        for (int step = 0; step < 4 * b->rows; step++) { \
          sum = (int32_t) ((uint32_t) sum + (uint32_t) ((left_type) a->data[row][step] * (right_type) b->data[step / 4][4 * column + step % 4])); \
        } \
        memcpy(&c->data[row][4 * column], &sum, sizeof sum); \
      } \
    } \
  }

AMX_PRODUCT(amx_dpbssd, int8_t, int8_t)
AMX_PRODUCT(amx_dpbsud, int8_t, uint8_t)
AMX_PRODUCT(amx_dpbusd, uint8_t, int8_t)
AMX_PRODUCT(amx_dpbuud, uint8_t, uint8_t)

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#undef _tile_dpbssd
#undef _tile_dpbsud
#undef _tile_dpbusd
#undef _tile_dpbuud
#define _tile_loadconfig amx_loadconfig
#define _tile_release amx_release
#define _tile_zero amx_zero
#define _tile_loadd amx_loadd
#define _tile_stored amx_stored
#define _tile_dpbf16ps amx_dpbf16ps
#define _tile_dpbssd amx_dpbssd
#define _tile_dpbsud amx_dpbsud
#define _tile_dpbusd amx_dpbusd
#define _tile_dpbuud amx_dpbuud
