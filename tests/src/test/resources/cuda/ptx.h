// The instructions of PTX that generated code has as text, for a host: products of groups of warps, which read shared memory by descriptors, and copies
// to it, which threads wait for at a barrier in it. PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions", "mbarrier" and "cp.async.bulk". What threads store is seen by products after a fence only, and what these compute is
// there when a thread has waited for it: until then its registers hold NaN.
#pragma once

namespace shim {

struct Operand {
  enum Kind { f32, s32, u32, u64, number } kind;
  void *place;
  uint64_t value;
};

static inline Operand operand(float &x) { return {Operand::f32, &x, 0}; }
static inline Operand operand(int32_t &x) { return {Operand::s32, &x, 0}; }
static inline Operand operand(uint32_t &x) { return {Operand::u32, &x, 0}; }

// A product that a thread of a group has begun.
struct Product {
  int columns, steps;
  bool of_integers;
  char left_type[8], right_type[8];
  uint64_t left, right;
  bool left_turned, right_turned, is_first, is_committed;
  std::vector<void *> registers;
  std::vector<uint32_t> before;
};

static std::vector<Product> products[most_threads];
static bool is_fenced[most_threads];

static inline double half_number(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double size = exponent == 31 ? (fraction ? NAN : INFINITY) : exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
  return bits >> 15 ? -size : size;
}

static inline double bfloat_number(uint16_t bits) {
  uint32_t wide = (uint32_t) bits << 16;
  float number;
  memcpy(&number, &wide, sizeof number);
  return number;
}

// The element of an operand: 8 rows of 16 bytes are a core matrix, whose neighbours the descriptor says.
static double element(uint64_t descriptor, const char *type, bool is_turned, unsigned line, unsigned step) {
  if (descriptor >> 46) {
    stop("a descriptor of a matrix has bits that mean swizzling or nothing");
  }
  unsigned first = (descriptor & 0x3fff) << 4, leading = (descriptor >> 16 & 0x3fff) << 4, stride = (descriptor >> 32 & 0x3fff) << 4;
  bool is_byte = type[1] == '8';
  unsigned piece = is_byte ? 16 : 8;
  unsigned offset = is_turned ? line / piece * stride + step / 8 * leading + step % 8 * 16 + line % piece * (16 / piece)
      : line / 8 * stride + step / piece * leading + line % 8 * 16 + step % piece * (16 / piece);
  if (first + offset + 16 / piece > shared_bytes) {
    stop("a product reads beyond its shared memory");
  }
  const unsigned char *place = seen_shared + first + offset;
  uint16_t bits;
  memcpy(&bits, place, is_byte ? 1 : 2);
  return !strcmp(type, "s8") ? (signed char) *place : !strcmp(type, "u8") ? *place : !strcmp(type, "f16") ? half_number(bits) : bfloat_number(bits);
}

// A thread has two columns of two rows, 8 apart, of each 8 columns.
static void multiply(Product &product) {
  unsigned thread = threadIdx.x % 128;
  double rows[2][32], column[32];
  for (unsigned i = 0; i < 2; i++) {
    for (int step = 0; step < product.steps; step++) {
      rows[i][step] = element(product.left, product.left_type, product.left_turned, thread / 32 * 16 + thread % 32 / 4 + i * 8, step);
    }
  }
  for (size_t j = 0; j < product.registers.size(); j++) {
    // In an order in which a column comes twice in turn.
    size_t i = j / 4 * 4 + j % 2 * 2 + j / 2 % 2;
    for (int step = 0; j % 2 == 0 && step < product.steps; step++) {
      column[step] = element(product.right, product.right_type, product.right_turned, i / 4 * 8 + thread % 4 * 2 + i % 2, step);
    }
    double sum = 0;
    for (int step = 0; step < product.steps; step++) {
      sum += rows[i / 2 % 2][step] * column[step];
    }
    if (product.of_integers) {
      *(int32_t *) product.registers[i] = (int32_t) ((uint32_t) *(int32_t *) product.registers[i] + (uint32_t) (int64_t) sum);
    } else {
      *(float *) product.registers[i] = (float) (*(float *) product.registers[i] + sum);
    }
  }
}

static void begin_product(const char *text, const std::vector<Operand> &written, const std::vector<Operand> &read) {
  Product product = {};
  char sum[8], operands[64];
  const char *brace = strchr(text, '{'), *end = strchr(text, '}');
  if (!brace || !end || sscanf(text, "wgmma.mma_async.sync.aligned.m64n%dk%d.%3[a-z0-9].%4[a-z0-9].%4[a-z0-9] ", &product.columns, &product.steps, sum,
      product.left_type, product.right_type) != 5) {
    stop(text);
  }
  product.of_integers = !strcmp(sum, "s32");
  bool is_byte = product.left_type[1] == '8';
  size_t count = product.columns / 2;
  std::string registers;
  for (size_t i = 0; i < count; i++) {
    registers += (i ? ", %" : "%") + std::to_string(i);
  }
  int length = product.of_integers ? snprintf(operands, sizeof operands, "}, %%%zu, %%%zu, 1;", count, count + 1)
      : snprintf(operands, sizeof operands, "}, %%%zu, %%%zu, 1, 1, 1, %%%zu, %%%zu;", count, count + 1, count + 2, count + 3);
  bool is_right = product.columns % 8 == 0 && product.columns >= 8 && product.columns <= 256 && product.steps == (is_byte ? 32 : 16)
      && product.of_integers == is_byte && registers == std::string(brace + 1, end) && !strncmp(end, operands, length + 1)
      && written.size() == count && read.size() == (product.of_integers ? 2 : 4) && read[0].kind == Operand::u64 && read[1].kind == Operand::u64;
  if (!is_right) {
    stop(text);
  }
  if (!is_fenced[threadIdx.x]) {
    stop("a product of registers that no fence stands before");
  }
  product.left = read[0].value;
  product.right = read[1].value;
  product.left_turned = read.size() > 2 && read[2].value;
  product.right_turned = read.size() > 2 && read[3].value;
  product.is_first = true;
  for (const Product &other : products[threadIdx.x]) {
    product.is_first &= other.registers[0] != written[0].place;
  }
  for (const Operand &one : written) {
    if (one.kind != (product.of_integers ? Operand::s32 : Operand::f32)) {
      stop(text);
    }
    product.registers.push_back(one.place);
    if (product.is_first) {
      uint32_t bits;
      memcpy(&bits, one.place, sizeof bits);
      product.before.push_back(bits);
      memset(one.place, 0xff, sizeof bits);
    }
  }
  products[threadIdx.x].push_back(product);
}

static void finish_products() {
  std::vector<Product> begun;
  begun.swap(products[threadIdx.x]);
  for (Product &product : begun) {
    if (!product.is_committed) {
      stop("waits for a product that is in no group");
    }
    for (size_t i = 0; product.is_first && i < product.before.size(); i++) {
      memcpy(product.registers[i], &product.before[i], 4);
    }
  }
  for (Product &product : begun) {
    multiply(product);
  }
  is_fenced[threadIdx.x] = false;
}

// A barrier in shared memory that one thread arrives at, with the bytes that are to come.
struct Arrivals {
  bool is_made, has_arrived;
  unsigned place, phase;
  size_t expected, coming;
  std::vector<Copy> copies;
};

static Arrivals arrivals;

static void check_barrier(uint64_t place) {
  if (!arrivals.is_made || arrivals.place != place) {
    stop("no barrier has been made at this place of shared memory");
  }
}

static void begin_bulk_copy(uint64_t to, uint64_t from, uint64_t bytes) {
  if (to % 16 || from % 16 || bytes % 16 || to + bytes > shared_bytes) {
    stop("a copy to shared memory of or to a place where CUDA has none");
  }
  memset(einfall_shared + to, 0xff, bytes);
  memset(seen_shared + to, 0xff, bytes);
  arrivals.coming += bytes;
  arrivals.copies.push_back({einfall_shared + to, (const void *) from, bytes});
}

// Whether the phase of this parity is over: as late as possible, everything arrives when it is waited for.
static bool is_over(unsigned parity) {
  wait(waits_for_warp, 5);
  if (arrivals.phase % 2 == parity && arrivals.has_arrived) {
    if (arrivals.coming != arrivals.expected) {
      stop("a barrier expects other bytes than come");
    }
    for (const Copy &copy : arrivals.copies) {
      memcpy(copy.to, copy.from, copy.bytes);
      memcpy(seen_shared + ((unsigned char *) copy.to - einfall_shared), copy.from, copy.bytes);
    }
    arrivals = {true, false, arrivals.place, arrivals.phase + 1, 0, 0, {}};
  }
  return arrivals.phase % 2 != parity;
}

static void ptx(const char *text, const std::vector<Operand> &written, const std::vector<Operand> &read) {
  if (!strncmp(text, "wgmma.mma_async", 15)) {
    begin_product(text, written, read);
  } else if (!strcmp(text, "wgmma.fence.sync.aligned;")) {
    is_fenced[threadIdx.x] = true;
  } else if (!strcmp(text, "wgmma.commit_group.sync.aligned;")) {
    wait(waits_for_warp, 4);
    for (Product &product : products[threadIdx.x]) {
      product.is_committed = true;
    }
  } else if (!strcmp(text, "wgmma.wait_group.sync.aligned 0;")) {
    finish_products();
  } else if (!strcmp(text, "fence.proxy.async.shared::cta;")) {
    memcpy(seen_shared, einfall_shared, shared_bytes);
  } else if (!strcmp(text, "mbarrier.init.shared::cta.b64 [%0], 1;")) {
    arrivals = {true, false, (unsigned) read.at(0).value, 0, 0, 0, {}};
  } else if (!strcmp(text, "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;")) {
    check_barrier(read.at(0).value);
    if (arrivals.has_arrived) {
      stop("arrives twice at a barrier in a phase");
    }
    arrivals.has_arrived = true;
    arrivals.expected = read.at(1).value;
  } else if (!strcmp(text, "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];")) {
    check_barrier(read.at(3).value);
    begin_bulk_copy(read.at(0).value, read.at(1).value, read.at(2).value);
  } else if (!strcmp(text, "{ .reg .pred done; mbarrier.try_wait.parity.shared::cta.b64 done, [%1], %2; selp.u32 %0, 1, 0, done; }")) {
    check_barrier(read.at(0).value);
    *(uint32_t *) written.at(0).place = is_over((unsigned) read.at(1).value);
  } else if (*text) {
    stop(text);
  }
}

}  // namespace shim

#define PTX(text, written, read) shim::ptx(text, {written}, {read})
#define PTX_F32(x) shim::operand(x)
#define PTX_S32(x) shim::operand(x)
#define PTX_SET_U32(x) shim::operand(x)
#define PTX_U32(x) shim::Operand{shim::Operand::u32, 0, x}
#define PTX_U64(x) shim::Operand{shim::Operand::u64, 0, x}
#define PTX_NUMBER(x) shim::Operand{shim::Operand::number, 0, (uint64_t) (x)}
