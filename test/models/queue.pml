/*
 * A bounded ring in shared memory, with many producers and consumers, under a robust mutex with an undo journal. What
 * the lock does for those who wait for it is in lock.pml; here whoever wants the mutex goes on when it is not held.
 *
 *   mutex          FREE, the owner's number, DIED
 *   state[]        head, tail, items, unfinished. They change under the mutex only, and through the journal only
 *   journal, count Set(word, value) = entry {word, old value}; count++; the word itself. Commit = count := 0
 *   front, back    the ring: an item is two cells, written one after the other
 *   wake[w]        the wake words, "items" for consumers and "room" for producers: number and flag, as in the lock
 *
 *   producer   lock - room? - both cells into free space - tail, items, unfinished - commit - unlock - flag of "items"?
 *   consumer   lock - items? - copy both cells - head, items - commit - unlock - flag of "room"? - deliver
 *   next owner of a mutex whose owner died: restore entries count-1 .. 0, count := 0; then its own business
 *   waiter     attempt; announce on the wake word (number, flag); look again; sleep; attempt ...
 *
 * Waiters look again without the mutex (WORTH), so they see words that are not committed and may be rolled back; with
 * -DATTEMPT they take the mutex for it. head and tail count on for ever, so they are numbers of items, too.
 *
 * The order in which items are committed is the truth: `order` has them. `timeout` is the moment when nobody can go on.
 * A waiter gets one beat after each kill, and it has to be enough, as in lock.pml. In a ring of one item it is not: if
 * it falls between a new owner's taking of the mutex and its rollback, it sees what is about to be rolled back. The
 * next beat sees the truth (-DMORE_BEATS); or who has rolled back wakes both sides (-DALSO_WAKE_AFTER_ROLLBACK).
 *
 *   Q1  A consumer delivers what was next in `order` at its commit, whole: nothing twice, half, skipped or overtaken.
 *   Q2  Whoever gets the mutex, and has rolled back if need be, finds count = 0 and words that fit each other.
 *   Q3  In the end every committed item was delivered or is in the ring, but for those whose consumer was killed
 *       between commit and delivery, one per kill at most.
 *   Q4  Nobody sleeps for ever: in the end the ring is empty if a consumer sleeps and full if a producer does. Who is
 *       stuck elsewhere is in an invalid end state.
 *
 *   -DPRODUCERS=n -DCONSUMERS=n -DITEMS=n (each producer's) -DSLOTS=n
 *   -DKILLS=n -DBEATS       as in lock.pml
 *   -DMORE_BEATS            whom the next beat would wake does not sleep for ever
 *   -DALSO_...              another order of the steps, or one more step, that is right as well
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

#define PROCESSES (PRODUCERS + CONSUMERS)
#define FREE 0 /* processes are numbered from 1, producers first */
#define DIED 255
#define HELD(mutex) (mutex != FREE && mutex != DIED)

#define HEAD 0
#define TAIL 1
#define COUNT 2
#define UNFINISHED 3
#define FIT(head, tail, items, unfinished) (items == tail - head && items <= SLOTS && unfinished == tail)

/* What is in shared memory. */
byte mutex = FREE;
byte state[4];
typedef Entry { byte word; byte old };
Entry journal[3];
byte count;
byte front[SLOTS];
byte back[SLOTS];
#define FOR_ITEMS 0
#define FOR_ROOM 1
typedef WakeWord { byte number; bool awaited };
WakeWord wake[2];

/* What the kernel knows. */
bool asleep[PROCESSES + 1];

/* Bookkeeping of the model. */
mtype = { RUNNING, KILLED, DONE };
mtype life[PROCESSES + 1];
bool beat[PROCESSES + 1];
bool carrying[PROCESSES + 1];
chan order = [SLOTS + 1] of { byte };
byte committed;
byte delivered;
byte lost;
byte kills;

/* The entry is one step: nobody reads it before it counts. */
inline Set(which, value) {
  d_step { journal[count].word = which; journal[count].old = state[which] };
#ifdef BREAK_WORD_FIRST
  state[which] = value;
  count++
#else
  count++;
  state[which] = value
#endif
}

inline WakeSleepers(w) {
  if
  :: wake[w].awaited ->
    wake[w].awaited = false;
    wake[w].number++;
    d_step {
      for (other : 1 .. PROCESSES) {
        if
        :: (w == FOR_ROOM) == (other <= PRODUCERS) -> asleep[other] = false
        :: else
        fi
      };
      other = 0
    }
  :: else
  fi
}

inline Lock() {
  atomic { !HELD(mutex) -> died = (mutex == DIED); mutex = me };
#ifndef BREAK_NO_ROLLBACK
  if
  :: atomic { died -> died = false; undo = count };
#ifdef BREAK_ROLLBACK_FORGETS
    count = 0;
#endif
    do
    :: atomic { undo > 0 -> undo--; state[journal[undo].word] = journal[undo].old }
    :: else -> break
    od;
    count = 0;
#ifdef ALSO_WAKE_AFTER_ROLLBACK
    WakeSleepers(FOR_ITEMS);
    WakeSleepers(FOR_ROOM)
#endif
  :: else
  fi
#endif
}

inline Unlock() { atomic { assert(mutex == me); mutex = FREE } }

#define POSSIBLE(w) (w == FOR_ITEMS -> state[COUNT] > 0 : state[COUNT] < SLOTS)
#ifdef BREAK_BLIND_TO_DEATH
#define WORTH(w) POSSIBLE(w)
#else
#define WORTH(w) (POSSIBLE(w) || mutex == DIED) /* what a dead owner has left may be rolled back */
#endif

/* Ends with the mutex held, what is wanted possible, and `at` its place in the ring. */
inline LockWhenPossible(w) {
  do
  ::
    if
    :: atomic { announced -> expected = wake[w].number };
      wake[w].awaited = true;
#ifndef ATTEMPT
      goto look
#endif
    :: else
    fi;
attempt:
#ifdef BREAK_BUSY_IS_EMPTY
    if
    :: announced && HELD(mutex) -> goto sleep
    :: else
    fi;
#endif
    Lock();
    atomic {
      assert(count == 0 && FIT(state[HEAD], state[TAIL], state[COUNT], state[UNFINISHED])); /* Q2 */
      if
      :: POSSIBLE(w) ->
        at = state[(w == FOR_ITEMS -> HEAD : TAIL)] % SLOTS;
        announced = false;
        expected = 0;
        break
      :: else
      fi
    };
    atomic {
      Unlock();
#ifdef ATTEMPT
      if
      :: announced -> goto sleep
      :: else
      fi;
#endif
      announced = true;
      goto next
    };
look:
#ifndef BREAK_NO_LOOK
    if
    :: WORTH(w) -> goto attempt
    :: else
    fi;
#endif
sleep:
    atomic {
      if
      :: wake[w].number == expected -> asleep[me] = true
      :: else
      fi
    };
endAsleep:
    if
    :: !asleep[me] -> skip
    :: atomic { asleep[me] && beat[me] -> asleep[me] = false; beat[me] = false };
      wake[w].awaited = true;
#ifndef ATTEMPT
      goto look /* and sleeps again, expecting what it did */
#endif
    fi;
next:
    skip
  od
}

inline WriteItem() {
  front[at] = item;
  back[at] = item
}

inline CopyItem() {
  first = front[at];
  second = back[at]
}

/* What a dead process had in its own memory does not tell states apart. */
#define FORGET expected = 0; other = 0; undo = 0; at = 0; announced = false; died = false

proctype Producer(byte me) {
  byte item;
  byte made;
  byte expected;
  byte other;
  byte undo;
  byte at;
  bool announced;
  bool died;
  {
    do
    :: atomic { made < ITEMS -> made++; item = 16 * me + made; at = 0 };
      LockWhenPossible(FOR_ROOM);
#ifdef BREAK_WAKE_FIRST
      WakeSleepers(FOR_ITEMS);
#endif
#if !defined(BREAK_BYTES_LAST) && !defined(ALSO_BYTES_BEFORE_COMMIT)
      WriteItem();
#endif
      Set(TAIL, state[TAIL] + 1);
      Set(COUNT, state[COUNT] + 1);
#ifndef BREAK_EARLY_COMMIT
      Set(UNFINISHED, state[UNFINISHED] + 1);
#endif
#ifdef ALSO_BYTES_BEFORE_COMMIT
      WriteItem();
#endif
#ifndef BREAK_NO_COMMIT
      atomic { count = 0; order!item; committed++ };
#endif
#ifdef BREAK_EARLY_COMMIT
      Set(UNFINISHED, state[UNFINISHED] + 1);
      count = 0;
#endif
#ifdef BREAK_BYTES_LAST
      WriteItem();
#endif
#ifdef ALSO_WAKE_BEFORE_UNLOCK
      WakeSleepers(FOR_ITEMS);
#endif
      Unlock();
#if !defined(BREAK_WAKE_FIRST) && !defined(ALSO_WAKE_BEFORE_UNLOCK)
      WakeSleepers(FOR_ITEMS)
#endif
    :: else -> break
    od;
    life[me] = DONE
  } unless {
    d_step { life[me] == KILLED -> item = 0; made = 0; FORGET }
  }
}

proctype Consumer(byte me) {
  byte first;
  byte second;
  byte truth;
  byte expected;
  byte other;
  byte undo;
  byte at;
  bool announced;
  bool died;
  {
    do
    ::
      LockWhenPossible(FOR_ITEMS);
#if !defined(BREAK_COPY_LAST) && !defined(ALSO_COPY_BEFORE_UNLOCK)
      CopyItem();
#endif
      Set(HEAD, state[HEAD] + 1);
      Set(COUNT, state[COUNT] - 1);
#ifndef BREAK_NO_COMMIT
      atomic { count = 0; order?truth; carrying[me] = true };
#endif
#ifdef ALSO_COPY_BEFORE_UNLOCK
      CopyItem();
#endif
      Unlock();
#ifdef BREAK_COPY_LAST
      WakeSleepers(FOR_ROOM);
      CopyItem();
#endif
#ifndef BREAK_COPY_LAST
      WakeSleepers(FOR_ROOM);
#endif
      atomic {
        assert(first == truth && second == truth); /* Q1 */
        first = 0; second = 0; truth = 0; at = 0;
        carrying[me] = false;
        delivered++
      }
    od
  } unless {
    d_step { life[me] == KILLED -> first = 0; second = 0; truth = 0; FORGET }
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
  if
  :: carrying[victim] -> carrying[victim] = false; lost++
  :: else
  fi;
#ifdef BEATS
  for (p : 1 .. PROCESSES) { beat[p] = true };
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
      :: else -> run Consumer(p)
      fi
    };
    p = 0
  };
  do
#if KILLS > 0
  :: kills < KILLS -> kills = KILLS /* no more: as long as it may kill, nobody is stuck to spin */
  :: atomic { kills < KILLS && life[1] == RUNNING -> Kill(1) }
  :: atomic { kills < KILLS && life[2] == RUNNING -> Kill(2) }
#if PROCESSES > 2
  :: atomic { kills < KILLS && life[3] == RUNNING -> Kill(3) }
#endif
#endif
  :: timeout -> break
  od;
  atomic {
#ifdef MORE_BEATS
    for (p : 1 .. PROCESSES) {
      if
      :: p <= PRODUCERS && WORTH(FOR_ROOM) || p > PRODUCERS && WORTH(FOR_ITEMS) -> asleep[p] = false
      :: else
      fi
    };
#endif
    do /* as the next owner would */
    :: count > 0 -> count--; state[journal[count].word] = journal[count].old
    :: else -> break
    od;
    assert(FIT(state[HEAD], state[TAIL], state[COUNT], state[UNFINISHED])); /* Q2 */
    for (p : 1 .. PROCESSES) {
      assert(!asleep[p] || state[COUNT] == (p <= PRODUCERS -> SLOTS : 0)) /* Q4 */
    };
    assert(committed == delivered + lost + state[COUNT] && len(order) == state[COUNT] && lost <= KILLS) /* Q3 */
  }
}
