/** Small libraries that make system calls fail on demand: compiled by the test, and loaded before the C library by LD_PRELOAD. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const NO_THREADS = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x) {
  static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  if (!real) real = dlsym(RTLD_NEXT, "pthread_create");
  const char *flag = getenv("NO_THREADS");
  if (flag && access(flag, F_OK) == 0) return EAGAIN;
  return real(t, a, f, x);
}
`

export interface Shim extends Disposable {
  /** The variables that a process needs in its environment. */
  readonly env: Record<string, string>
  /** As long as there is a file of this name, no thread can be started. */
  readonly flag: string
}

/** Compiles a library with which no thread can be started while a file exists. */
export function makeThreadShim(): Shim {
  const folder = mkdtempSync(path.join(tmpdir(), 'procshare-shim-'))
  const source = path.join(folder, 'shim.c')
  const library = path.join(folder, 'shim.so')
  const flag = path.join(folder, 'no-threads')
  writeFileSync(source, NO_THREADS)
  execFileSync('cc', ['-shared', '-fPIC', '-w', source, '-o', library, '-ldl', '-pthread'])
  return {
    env: { LD_PRELOAD: library, NO_THREADS: flag },
    flag,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
