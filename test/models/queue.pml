/*
 * Models RingQueue: a bounded ring in shared memory, with many producers and consumers. lock.pml has the waits for the robust
 * mutex; here a process that needs the mutex continues when it is not held.
 *
 *   here                     in the code
 *   mutex[PUT], mutex[GET]   the robust mutexes of the producers and of the consumers: FREE, the owner's number, DIED
 *   produced, consumed       their positions. Each is one word, moved by one store. They count items, and so determine the place
 *                            in the ring (-DBREAK_TWO_STORES stores it separately)
 *   saw[PUT], saw[GET]       the other side's position as this side saw it last
 *   front, back              the ring: a record is two cells, written and copied one after the other
 *   wake[w]                  wake words: number and flag. Producers ring wake[PUT] (items), consumers wake[GET] (room)
 *   asleep[p]                p sleeps on a number, in the kernel; only a wake ends the sleep, a bump does not
 *
 *   producer   TryPut: lock - closed? - room by what it saw? else look - both cells - position - unlock - flag of "items"?
 *   consumer   Take: look - lock - closed? - items by what it saw? else look - copy both cells - position - unlock - flag of
 *              "room"? - deliver
 *   closer     Close: lock (the producers') - closed - unlock - both flags?
 *   waiter     attempt; expected = number; flag; look again, at both positions, one after the other; sleep; attempt ...
 *   Kill       SIGKILL between any two steps, and the change of the mutexes by the kernel
 *   viewer     items(): looks at both positions without a mutex
 *
 * Memory is sequentially consistent: in the code, W1 ensures that for flag and positions, and Q3 for positions and cells.
 *
 * The order of items is that in which the producers' position is moved. `order` records it, and so each producer's own order.
 * `timeout` is the moment at which no process can continue. A waiter has only one beat of its heartbeat after each kill. The beat
 * may come at any time after the kill, and has to be enough.
 *
 *   Q1  A consumer delivers the item that was next in `order` at its store, and the whole item. No item is delivered twice, in
 *       part, too late or never.
 *   Q2  The number of items between the positions is that of the items put and not taken, and never more than fit. Each mutex has
 *       one owner.
 *   Q3  In the end every item put was delivered or is in the ring. Exceptions are items whose consumer was killed between its
 *       store and the delivery, at most one per kill.
 *   Q4  No process sleeps for ever: in the end the ring is empty if a consumer sleeps, full if a producer does, and in both cases
 *       not closed.
 *   Q5  When a consumer learns that the queue has ended, the queue is empty, and nothing is put afterwards.
 *   Q6  No process is stuck elsewhere: that would be an invalid end state.
 *   Q7  The number of items that a viewer sees existed at some moment of its look.
 *   Q8  The position that a side saw is not ahead of the other side's position; and when an item is taken, it is not behind the
 *       consumer's own.
 *
 *   -DPRODUCERS=n -DCONSUMERS=n -DITEMS=n (each producer's) -DSLOTS=n
 *   -DCLOSE                 a process closes the queue, at any time
 *   -DVIEWER                a process reads the number of items, at any time
 *   -DCONSUMED_FIRST        a look reads the consumers' position first, not the producers'. Both orders are right
 *   -DKILLS=n               up to n processes are killed
 *   -DBEATS                 waiters have a heartbeat
 *   -DBREAK_...             a mistake that has to be found
 */
#ifndef PRODUCERS
#define PRODUCERS 1
#endif
#ifndef CONSUMERS
#define CONSUMERS 2
#endif
#ifndef ITEMS
#define ITEMS 3
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef KILLS
#define KILLS 0
#endif

#define WORKERS (PRODUCERS + CONSUMERS)
#ifdef CLOSE
#define PROCESSES (WORKERS + 1)
#else
#define PROCESSES WORKERS
#endif
#define FREE 0 /* processes are numbered from 1: producers, consumers, the closer */
#define DIED 255
#define PUT 0
#define GET 1

/* The contents of shared memory. */
byte mutex[2];
byte produced;
byte consumed;
byte saw[2];
byte front[SLOTS];
byte back[SLOTS];
bool closed;
typedef WakeWord { byte number; bool awaited };
WakeWord wake[2];
#ifdef BREAK_TWO_STORES
byte place[2];
#endif

/* The state of the kernel. */
bool asleep[PROCESSES + 1];

/* Bookkeeping of the model. */
mtype = { RUNNING, KILLED, DONE };
mtype life[PROCESSES + 1];
bool beat[PROCESSES + 1];
bool carrying[PROCESSES + 1];
bool toldEnd;
chan order = [SLOTS + 1] of { byte };
byte delivered;
byte lost;
byte kills;

inline Lock(side) {
#ifdef BREAK_NOT_ROBUST
  atomic { mutex[side] == FREE -> mutex[side] = me }
#else
#ifdef BREAK_NO_MUTEX
  mutex[side] = me
#else
  atomic { mutex[side] == FREE || mutex[side] == DIED -> mutex[side] = me }
#endif
#endif
}

inline Unlock(side) {
#ifndef BREAK_NO_MUTEX
  atomic { assert(mutex[side] == me); mutex[side] = FREE } /* Q2: one owner */
#else
  mutex[side] = FREE
#endif
}

inline WakeAnnounced(side) {
  if
  :: wake[side].awaited ->
#ifdef BREAK_BUMP_FIRST
    wake[side].number++;
    wake[side].awaited = false;
#else
    wake[side].awaited = false;
#ifndef BREAK_NO_BUMP
    wake[side].number++;
#endif
#endif
    d_step {
      for (other : 1 .. WORKERS) {
        if
        :: (side == GET) == (other <= PRODUCERS) -> asleep[other] = false
        :: else
        fi
      };
      other = 0
    }
  :: else
  fi
}

/* Loads that are not atomic together: HasItems(), HasRoom(). The numbers of the code wrap, so a difference below zero means
   "items", and "no room". */
#ifdef CONSUMED_FIRST
#define FIRST consumed
#define HAS_ITEMS (seen != produced || closed)
#define HAS_ROOM (produced - seen < SLOTS || closed)
#else
#define FIRST produced
#define HAS_ITEMS (seen != consumed || closed)
#define HAS_ROOM (seen >= consumed && seen - consumed < SLOTS || closed)
#endif

inline Look(side, worth) {
  seen = FIRST;
  if
  :: atomic { worth -> seen = 0; goto awake }
  :: atomic { else -> seen = 0 }
  fi
}

/* Ends when an attempt may succeed, as far as the loads show. `side` is the side whose processes wake. */
inline Await(side, worth) {
  expected = 0;
announce:
#ifdef BREAK_LOOK_FIRST
  Look(side, worth);
#endif
#ifdef BREAK_EXPECTED_LATE
  wake[side].awaited = true;
  expected = wake[side].number;
#else
  expected = wake[side].number;
  wake[side].awaited = true;
#endif
#if !defined(BREAK_NO_LOOK) && !defined(BREAK_LOOK_FIRST)
  Look(side, worth);
#endif
sleep:
  atomic {
    if
    :: wake[side].number == expected -> asleep[me] = true
    :: else -> goto awake
    fi
  };
endAsleep:
  if
  :: !asleep[me] -> goto awake
  :: atomic { asleep[me] && beat[me] -> asleep[me] = false; beat[me] = false };
#ifdef BREAK_BLIND_BEAT
    goto sleep
#else
#ifdef BREAK_SILENT_BEAT
    seen = FIRST;
    if
    :: worth -> goto awake
    :: else -> goto sleep
    fi
#else
    goto announce
#endif
#endif
  fi;
awake:
  expected = 0
}

/* Clears the private memory of a dead process, so that it does not distinguish states. */
#define FORGET expected = 0; other = 0; at = 0; seen = 0

proctype Producer(byte me) {
  byte item;
  byte made;
  byte expected;
  byte other;
  byte at;
  byte seen;
  {
    do
    :: atomic { made < ITEMS -> made++; item = 16 * me + made };
      do
      ::
        Lock(PUT);
        if
        :: atomic { closed -> Unlock(PUT) }; goto ended
        :: atomic { !closed && produced - saw[PUT] < SLOTS ->
            assert(saw[PUT] <= consumed); /* Q8 */
#ifdef BREAK_TWO_STORES
            at = place[PUT] % SLOTS;
#else
            at = produced % SLOTS;
#endif
            break
          }
        :: atomic { !closed && produced - saw[PUT] >= SLOTS && produced - consumed < SLOTS -> saw[PUT] = consumed };
#ifdef BREAK_TWO_STORES
            at = place[PUT] % SLOTS;
#else
            at = produced % SLOTS;
#endif
            break
        :: atomic { !closed && produced - saw[PUT] >= SLOTS && produced - consumed >= SLOTS -> Unlock(PUT) }
        fi;
        Await(GET, HAS_ROOM)
      od;
#ifdef BREAK_WAKE_FIRST
      WakeAnnounced(PUT);
#endif
#ifndef BREAK_POSITION_FIRST
      front[at] = item;
#ifndef BREAK_POSITION_BETWEEN
      back[at] = item;
#endif
#endif
#ifdef BREAK_TWO_STORES
      place[PUT]++;
#endif
      atomic {
#ifdef BREAK_NO_MUTEX
        produced = at + 1; /* the value read in the beginning; the first turn of the ring is enough to show it */
#else
        produced++;
#endif
        order!item;
        assert(produced - consumed == len(order) && len(order) <= SLOTS); /* Q2 */
        assert(!toldEnd) /* Q5 */
      };
#ifdef BREAK_POSITION_FIRST
      front[at] = item;
#endif
#if defined(BREAK_POSITION_FIRST) || defined(BREAK_POSITION_BETWEEN)
      back[at] = item;
#endif
      atomic { Unlock(PUT); item = 0; at = 0 };
#ifndef BREAK_WAKE_FIRST
      WakeAnnounced(PUT)
#endif
    :: else -> break
    od;
ended:
    atomic { life[me] = DONE; item = 0; made = 0; FORGET }
  } unless {
    d_step { life[me] == KILLED -> item = 0; made = 0; FORGET }
  }
}

inline SeeItems() {
  if
  :: saw[GET] == consumed ->
#ifdef BREAK_SAW_UNLOCKED
    at = produced;
    atomic { saw[GET] = at; at = 0 }
#else
    saw[GET] = produced
#endif
  :: else
  fi
}

proctype Consumer(byte me) {
  byte first;
  byte second;
  byte truth;
  byte expected;
  byte other;
  byte at;
  byte seen;
  bool ended;
  {
    do
    ::
      do
      ::
        seen = FIRST;
        if
        :: atomic { HAS_ITEMS -> seen = 0 };
#ifdef BREAK_SAW_UNLOCKED
          SeeItems();
#endif
          Lock(GET);
#if defined(CLOSE) && !defined(BREAK_CLOSED_LATE)
          ended = closed;
#endif
#ifndef BREAK_SAW_UNLOCKED
          SeeItems();
#endif
          if
          :: atomic { saw[GET] != consumed ->
              assert(saw[GET] > consumed && saw[GET] <= produced); /* Q8 */
              ended = false;
#ifdef BREAK_TWO_STORES
              at = place[GET] % SLOTS;
#else
              at = consumed % SLOTS;
#endif
              break
            }
          :: saw[GET] == consumed ->
#ifdef BREAK_CLOSED_LATE
            ended = closed;
#endif
            Unlock(GET);
            if
            :: atomic { ended -> assert(produced == consumed); toldEnd = true }; goto finished /* Q5 */
            :: else
            fi
          fi
        :: atomic { else -> seen = 0 }
        fi;
        Await(PUT, HAS_ITEMS)
      od;
#ifdef BREAK_WAKE_FIRST
      WakeAnnounced(GET);
#endif
#ifndef BREAK_COPY_LAST
      first = front[at];
      second = back[at];
#endif
#ifdef BREAK_TWO_STORES
      place[GET]++;
#endif
#ifdef BREAK_DELIVER_FIRST
      delivered++;
#endif
      atomic {
        consumed++;
        order?truth;
#ifndef BREAK_DELIVER_FIRST
        carrying[me] = true;
#endif
        assert(produced - consumed == len(order)) /* Q2 */
      };
#ifdef BREAK_COPY_LAST
      first = front[at];
      second = back[at];
#endif
      atomic { Unlock(GET); at = 0 };
#ifndef BREAK_WAKE_FIRST
      WakeAnnounced(GET);
#endif
      atomic {
        assert(first == truth && second == truth); /* Q1 */
        first = 0; second = 0; truth = 0;
#ifndef BREAK_DELIVER_FIRST
        carrying[me] = false;
        delivered++
#endif
      }
    od;
finished:
    atomic { life[me] = DONE; ended = false; FORGET }
  } unless {
    d_step { life[me] == KILLED -> first = 0; second = 0; truth = 0; ended = false; FORGET }
  }
}

#ifdef CLOSE
proctype Closer(byte me) {
  byte other;
  {
#ifdef BREAK_CLOSE_ALONE
    closed = true;
#else
    Lock(PUT);
    closed = true;
    Unlock(PUT);
#endif
#ifndef BREAK_CLOSE_SILENT
    WakeAnnounced(PUT);
#endif
    WakeAnnounced(GET);
    life[me] = DONE
  } unless {
    d_step { life[me] == KILLED -> other = 0 }
  }
}
#endif

#ifdef VIEWER
proctype Viewer() {
  byte from;
  byte to;
#ifdef BREAK_SIZE_PRODUCED_FIRST
  to = produced;
  from = consumed;
#else
  do
  ::
    from = consumed;
    to = produced;
#ifndef BREAK_SIZE_ONE_LOOK
    if
    :: from == consumed -> break
    :: else
    fi
#else
    break
#endif
  od;
#endif
  assert(to >= from && to - from <= SLOTS); /* Q7: to, from */
  from = 0; to = 0
}
#endif

inline Kill(victim) {
  kills++;
  life[victim] = KILLED;
  asleep[victim] = false;
  for (p : PUT .. GET) {
    if
    :: mutex[p] == victim -> mutex[p] = DIED
    :: else
    fi
  };
  if
  :: carrying[victim] -> carrying[victim] = false; lost++
  :: else
  fi;
#ifdef BEATS
  for (p : 1 .. WORKERS) { beat[p] = true };
#endif
  p = 0
}

init {
  byte p;
  atomic {
    for (p : 1 .. PROCESSES) {
      life[p] = RUNNING;
      if
      :: p <= PRODUCERS -> run Producer(p)
      :: p > PRODUCERS && p <= WORKERS -> run Consumer(p)
#ifdef CLOSE
      :: p > WORKERS -> run Closer(p)
#endif
      fi
    };
#ifdef VIEWER
    run Viewer();
#endif
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
#if PROCESSES > 3
  :: atomic { kills < KILLS && life[4] == RUNNING -> Kill(4) }
#endif
#endif
  :: timeout -> break
  od;
  atomic {
    for (p : 1 .. WORKERS) {
      assert(!asleep[p] || !closed && produced - consumed == (p <= PRODUCERS -> SLOTS : 0)) /* Q4 */
    };
    assert(produced == delivered + lost + len(order) && lost <= KILLS) /* Q3 */
  }
}
