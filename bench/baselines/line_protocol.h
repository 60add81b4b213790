// The protocol between the driver and a subject. Input: a line with a number of operations. Output: a line
// with the times at which they began and ended (CLOCK_MONOTONIC, in nanoseconds) and with the value of the
// counter, if there is one.
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Returns false at the end of the input.
static int next_request(int64_t* operations) {
  char line[32];
  if (fgets(line, sizeof line, stdin) == NULL) return 0;
  *operations = strtoll(line, NULL, 10);
  return 1;
}

static void answer(int64_t start, int64_t end, int64_t counter) {
  printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", start, end, counter);
  fflush(stdout);
}

static void need(int condition, const char* what) {
  if (condition) return;
  perror(what);
  exit(1);
}
