"""Python's multiprocessing, in loops like those of the other subjects.

multiprocessing_loops.py lock     each operation: with lock: pass
multiprocessing_loops.py update   each operation: with v.get_lock(): v.value += 1
multiprocessing_loops.py queue    each operation: an object through a multiprocessing.Queue to another process
multiprocessing_loops.py manager  each operation: d["k"] = i or d["k"] of a dict in a manager's server
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


ITEM = {"id": 12345, "name": "resize", "done": False, "ratio": 0.75, "tags": ["a", "b"]}


def consume(queue, orders, acks):
    while True:
        for _ in range(orders.get()):
            queue.get()
        acks.put(1)


def run_queue(operations):
    orders.put(operations)
    put = queue.put
    for _ in range(operations):
        put(ITEM)
    acks.get()


def run_manager(operations):
    d = managed
    for i in range(0, operations, 2):
        d["k"] = i
        d["k"]


if sys.argv[1] == "manager":
    manager = multiprocessing.Manager()  # ends its server when it is collected
    managed = manager.dict()
if sys.argv[1] == "queue":
    queue, orders, acks = multiprocessing.Queue(), multiprocessing.Queue(), multiprocessing.Queue()
    multiprocessing.get_context("fork").Process(target=consume, args=(queue, orders, acks), daemon=True).start()

run = {"queue": run_queue, "manager": run_manager, "lock": run_lock, "update": run_update}[sys.argv[1]]
print("ready", flush=True)
for line in sys.stdin:
    operations = int(line)
    start = now()
    run(operations)
    end = now()
    print(start, end, v.value, flush=True)
