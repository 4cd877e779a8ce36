/* The levels of a Merkle-sum tree, as fast as plain C does it: eight Keccak states side by side in vectors.
 * Usage: merkle_sum FILE, the leaf words in order, 2^n or not. Prints CPU seconds of the tree and its root. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint64_t lanes __attribute__((vector_size(64)));
enum { LANES = 8 };

static const uint64_t RC[24] = {
    0x0000000000000001ULL, 0x0000000000008082ULL, 0x800000000000808aULL, 0x8000000080008000ULL,
    0x000000000000808bULL, 0x0000000080000001ULL, 0x8000000080008081ULL, 0x8000000000008009ULL,
    0x000000000000008aULL, 0x0000000000000088ULL, 0x0000000080008009ULL, 0x000000008000000aULL,
    0x000000008000808bULL, 0x800000000000008bULL, 0x8000000000008089ULL, 0x8000000000008003ULL,
    0x8000000000008002ULL, 0x8000000000000080ULL, 0x000000000000800aULL, 0x800000008000000aULL,
    0x8000000080008081ULL, 0x8000000000008080ULL, 0x0000000080000001ULL, 0x8000000080008008ULL};
static const int ROTATE[25] = {0, 1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                               25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};

static inline lanes turned(lanes x, int by) { return by ? (x << by) | (x >> (64 - by)) : x; }

static inline __attribute__((always_inline)) void permute(lanes a[25]) {
  lanes b[25], c[5], d[5];
  for (int r = 0; r < 24; r++) {
#pragma GCC unroll 5
    for (int x = 0; x < 5; x++) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
#pragma GCC unroll 5
    for (int x = 0; x < 5; x++) d[x] = c[(x + 4) % 5] ^ turned(c[(x + 1) % 5], 1);
#pragma GCC unroll 5
    for (int y = 0; y < 5; y++) {
#pragma GCC unroll 5
      for (int x = 0; x < 5; x++) b[y + 5 * ((2 * x + 3 * y) % 5)] = turned(a[x + 5 * y] ^ d[x], ROTATE[x + 5 * y]);
    }
#pragma GCC unroll 5
    for (int y = 0; y < 5; y++) {
#pragma GCC unroll 5
      for (int x = 0; x < 5; x++) a[x + 5 * y] = b[x + 5 * y] ^ (~b[(x + 1) % 5 + 5 * y] & b[(x + 2) % 5 + 5 * y]);
    }
    a[0] ^= RC[r];
  }
}

static uint64_t swapped(uint64_t x) { return __builtin_bswap64(x); }

/* Rows of `width` words, two neighbours each, into nodes of eight words. */
static void level(const uint64_t *below, size_t rows, int width, uint64_t *above) {
  for (size_t first = 0; first < rows; first += LANES) {
    int held = rows - first < LANES ? (int)(rows - first) : LANES;
    lanes state[25];
    memset(state, 0, sizeof state);
    for (int i = 0; i < held; i++)
      for (int j = 0; j < width; j++) state[j][i] = below[(first + i) * width + j];
    for (int i = 0; i < LANES; i++) {
      state[width][i] ^= 1;
      state[16][i] ^= 1ULL << 63;
    }
    permute(state);
    for (int i = 0; i < held; i++) {
      const uint64_t *row = below + (first + i) * width;
      uint64_t *out = above + (first + i) * 8;
      unsigned __int128 left, right, sum;
      if (width == 8) {
        left = (unsigned __int128)(swapped(row[2]) & 0xffffffff) << 64 | swapped(row[3]);
        right = (unsigned __int128)(swapped(row[6]) & 0xffffffff) << 64 | swapped(row[7]);
      } else {
        left = (unsigned __int128)swapped(row[6]) << 64 | swapped(row[7]);
        right = (unsigned __int128)swapped(row[14]) << 64 | swapped(row[15]);
      }
      sum = left + right;
      for (int j = 0; j < 4; j++) out[j] = state[j][i];
      out[4] = out[5] = 0;
      out[6] = swapped((uint64_t)(sum >> 64));
      out[7] = swapped((uint64_t)sum);
    }
  }
}

int main(int count, char **arguments) {
  FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
  if (!file) return 2;
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file), nodes = size / 32;
  rewind(file);
  uint64_t *words = malloc(size + 64);
  if (!words || fread(words, 1, size, file) != size) return 3;
  struct timespec from, to;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
  uint64_t padding[8] = {0}, pair[16];
  uint64_t *below = words;
  int width = 8, depth = 0;
  while (nodes > 1) {
    size_t above_nodes = (nodes + 1) / 2;
    uint64_t *above = malloc(above_nodes * 64);
    if (!above) return 3;
    level(below, nodes / 2, width, above);
    if (nodes % 2) {
      memcpy(pair, below + (nodes - 1) * (width / 2), width * 4);
      memcpy(pair + width / 2, padding, width * 4);
      level(pair, 1, width, above + (nodes / 2) * 8);
    }
    memcpy(pair, padding, width * 4);
    memcpy(pair + width / 2, padding, width * 4);
    level(pair, 1, width, padding);
    below = above;
    nodes = above_nodes;
    width = 16;
    depth++;
  }
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
  printf("{\"cpu_seconds\": %.4f, \"depth\": %d, \"root\": \"",
         (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9, depth);
  for (int i = 0; i < 32; i++) printf("%02x", ((unsigned char *)below)[i]);
  printf("\"}\n");
  return 0;
}
