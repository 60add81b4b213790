"""Python's multiprocessing, in loops like those of the other subjects.

multiprocessing_loops.py lock     each operation: with lock: pass
multiprocessing_loops.py update   each operation: with v.get_lock(): v.value += 1
"""

import multiprocessing
import sys
import time

v = multiprocessing.Value("i", 0)
lock = multiprocessing.Lock()


def now():
    return int(time.monotonic() * 1e9)  # monotonic_ns() came with Python 3.7


def run_lock(operations):
    held = lock
    for _ in range(operations):
        with held:
            pass


def run_update(operations):
    value = v
    for _ in range(operations):
        with value.get_lock():
            value.value += 1


run = {"lock": run_lock, "update": run_update}[sys.argv[1]]
print("ready", flush=True)
for line in sys.stdin:
    operations = int(line)
    start = now()
    run(operations)
    end = now()
    print(start, end, v.value, flush=True)
