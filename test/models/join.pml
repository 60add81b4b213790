/*
 * Models joining a queue: a wait until all items that were put are reported as done (RingQueue::TaskDone and IsDone). queue.pml
 * has the ring, which is left out here: items are numbers, taken in their order.
 *
 *   here             in the code
 *   produced         the count of the producers' position
 *   done, completed  the two halves of QueueCell::done, stored as one: how many items were reported, and how many that were
 *                    when nothing was unfinished the last time. They change under the consumers' mutex
 *   number, awaited  the wake word
 *
 *   putter   put, then join: ticket = produced; look; expected = number; flag; look; sleep ...
 *   look     completed as far as the ticket? or nothing unfinished: done, then produced?
 *   worker   take - lock - left = produced - done - done, and completed if that is all that is left - unlock - flag?
 *
 * As in queue.pml, a waiter has one beat after each kill, at any time after it. `timeout` is the moment at which no process can
 * continue.
 *
 *   J1  When a join returns, all items that were put before it began have been reported.
 *   J2  No process sleeps for ever: if a joiner sleeps in the end, some item is unfinished, and a kill is the cause.
 *
 *   -DPUTTERS=n -DWORKERS=n -DROUNDS=n (each putter's)
 *   -DKILLS=n -DBEATS       as in queue.pml
 *   -DBREAK_...             a mistake that has to be found
 */
#ifndef PUTTERS
#define PUTTERS 2
#endif
#ifndef WORKERS
#define WORKERS 1
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef KILLS
#define KILLS 0
#endif

#define PROCESSES (PUTTERS + WORKERS)
#define FREE 0 /* processes are numbered from 1, putters first */
#define DIED 255

/* The contents of shared memory. */
byte mutex = FREE;
byte produced;
byte taken;
byte done;
byte completed;
byte number;
bool awaited;

/* The state of the kernel. */
bool asleep[PROCESSES + 1];

/* Bookkeeping of the model. */
mtype = { RUNNING, KILLED, DONE };
mtype life[PROCESSES + 1];
bool beat[PROCESSES + 1];
bool reported[PUTTERS * ROUNDS + 1]; /* by the number of the item */
byte kills;

inline WakeAnnounced() {
  if
  :: awaited ->
    awaited = false;
    number++;
    d_step {
      for (other : 1 .. PUTTERS) { asleep[other] = false };
      other = 0
    }
  :: else
  fi
}

#ifdef BREAK_GENERATIONS
#define COMPLETED (completed != ticket) /* counts how often nothing was unfinished */
#else
#define COMPLETED (completed >= ticket)
#endif

inline Look() {
#ifdef BREAK_PRODUCED_FIRST
  seen = produced;
  if
  :: atomic { seen == done -> seen = 0; goto joined }
  :: atomic { else -> seen = 0 }
  fi;
#else
  seen = done;
  if
  :: atomic { seen == produced -> seen = 0; goto joined }
  :: atomic { else -> seen = 0 }
  fi;
#endif
  if
  :: COMPLETED -> goto joined
  :: else
  fi
}

proctype Putter(byte me) {
  byte round;
  byte before;
  byte ticket;
  byte expected;
  byte seen;
  {
    do
    :: round < ROUNDS ->
      round++;
      produced++;
      atomic {
        before = produced;
#ifdef BREAK_GENERATIONS
        ticket = completed
#else
        ticket = produced
#endif
      };
      Look();
announce:
      expected = number;
      awaited = true;
#ifndef BREAK_NO_LOOK
      Look();
#endif
      atomic {
        if
        :: number == expected -> asleep[me] = true
        :: else -> goto again
        fi
      };
endAsleep:
      if
      :: !asleep[me]
      :: atomic { asleep[me] && beat[me] -> asleep[me] = false; beat[me] = false }
      fi;
again:
      Look();
      goto announce;
joined:
      atomic {
        do
        :: before > 0 -> assert(reported[before]); before-- /* J1 */
        :: else -> break
        od;
        expected = 0; ticket = 0
      }
    :: else -> break
    od;
    life[me] = DONE
  } unless {
    d_step { life[me] == KILLED -> round = 0; before = 0; ticket = 0; expected = 0; seen = 0 }
  }
}

proctype Worker(byte me) {
  byte item;
  byte left;
  byte other;
  {
endTaking:
    do
    :: atomic { taken < produced -> taken++; item = taken };
      atomic { mutex == FREE || mutex == DIED -> mutex = me };
      left = produced - done;
      d_step {
        reported[item] = true;
        item = 0;
        done++;
#ifndef BREAK_COMPLETED_LATE
        if
#ifdef BREAK_GENERATIONS
        :: left == 1 -> completed++
#else
        :: left == 1 -> completed = done
#endif
        :: else
        fi
#endif
      };
      atomic { assert(mutex == me); mutex = FREE };
      if
      :: left == 1 ->
#ifdef BREAK_COMPLETED_LATE
        completed = produced;
#endif
        left = 0;
        WakeAnnounced()
      :: else -> left = 0
      fi
    od
  } unless {
    d_step { life[me] == KILLED -> item = 0; left = 0; other = 0 }
  }
}

inline Kill(victim) {
  kills++;
  life[victim] = KILLED;
  asleep[victim] = false;
  if
  :: mutex == victim -> mutex = DIED
  :: else
  fi;
#ifdef BEATS
  for (p : 1 .. PUTTERS) { beat[p] = true };
#endif
  p = 0
}

init {
  byte p;
  atomic {
    for (p : 1 .. PROCESSES) {
      life[p] = RUNNING;
      if
      :: p <= PUTTERS -> run Putter(p)
      :: else -> run Worker(p)
      fi
    };
    p = 0
  };
  do
#if KILLS > 0
  :: kills < KILLS -> kills = KILLS /* no more kills: spin finds no stuck process while kills may come */
  :: atomic { kills < KILLS && life[1] == RUNNING -> Kill(1) }
  :: atomic { kills < KILLS && life[2] == RUNNING -> Kill(2) }
#if PROCESSES > 2
  :: atomic { kills < KILLS && life[3] == RUNNING -> Kill(3) }
#endif
#endif
  :: timeout -> break
  od;
  atomic {
    for (p : 1 .. PUTTERS) {
      assert(!asleep[p] || produced > done && KILLS > 0) /* J2 */
    }
  }
}
