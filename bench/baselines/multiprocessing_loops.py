"""Python's multiprocessing, in loops like those of the other subjects.

multiprocessing_loops.py lock     each operation: with lock: pass
multiprocessing_loops.py update   each operation: with v.get_lock(): v.value += 1
multiprocessing_loops.py queue    each operation: an object through a multiprocessing.Queue to another process
multiprocessing_loops.py manager [clients]  each operation: d["k"] = i or d["k"] of a dict in a manager's server, by one of so many processes
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


def use(d, operations):
    for i in range(0, operations, 2):
        d["k"] = i
        d["k"]


def be_client(d, orders, acks):
    while True:
        use(d, orders.get())
        acks.put(1)


def run_manager(operations):
    if clients == 1:
        use(managed, operations)
        return
    for orders in teams:
        orders.put(-(-operations // clients))
    for _ in teams:
        acks.get()


if sys.argv[1] == "manager":
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    manager = multiprocessing.Manager()  # ends its server when it is collected
    managed = manager.dict()
    if clients > 1:
        acks = multiprocessing.Queue()
        teams = [multiprocessing.SimpleQueue() for _ in range(clients)]
        for orders in teams:
            multiprocessing.Process(target=be_client, args=(managed, orders, acks), daemon=True).start()
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
