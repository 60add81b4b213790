/*
 * Models the transactions of shm/guarded.h in a semaphore: words that change together under a robust mutex, with a journal. After
 * any kill, either all of them are old or all are new. docs/internals/waiting-protocol.md has the argument.
 *
 *   here             in the code
 *   mutex            the robust mutex of the cell: FREE, the owner's number, DIED
 *   state[]          value (free units) and taken (units that processes have)
 *   journal, count   Set(word, value) = entry {word, old value}; count++; the word itself. Commit = count := 0
 *   number, awaited  the wake word
 *   Lock             Guard's constructor: the mutex; entries count-1 .. 0 restored; count := 0
 *   Repair           RepairIfTorn, with a brief wait: a mutex that is held is left alone
 *
 *   process    TryAcquire: value? (or not settled) - lock - value? - Set, Set, Set - commit - unlock
 *              Release: lock - Set, Set - commit - unlock - flag?
 *   waiter     attempt; expected = number; flag; look; sleep; attempt ... At a beat: tend; flag; look; sleep
 *
 * `taken` is set twice in one acquisition, like a record of a ledger that is first taken and then filled. So the order of undoing
 * matters. Reads without the mutex see words that are not committed and may be undone.
 *
 * As in queue.pml, a waiter has one beat after each kill, at any time after it. `timeout` is the moment at which no process can
 * continue.
 *
 *   T1  A process that gets the mutex, and has undone an interrupted transaction, finds an empty journal and consistent words:
 *       all units are free or taken. The same holds in the end.
 *   T2  No two processes have the same unit: the taken units are those that living processes have, or dead ones had.
 *   T3  No process sleeps for ever: if a process sleeps in the end, no unit is free, even after an interrupted transaction is
 *       undone.
 *   T4  No process is stuck elsewhere: that would be an invalid end state.
 *
 *   -DPROCESSES=n -DUNITS=n -DROUNDS=n
 *   -DKILLS=n               up to n processes are killed
 *   -DBEATS                 waiters have a heartbeat
 *   -DBREAK_...             a mistake that has to be found
 */
#ifndef PROCESSES
#define PROCESSES 2
#endif
#ifndef UNITS
#define UNITS 1
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef KILLS
#define KILLS 0
#endif

#define FREE 0 /* processes are numbered from 1 */
#define DIED 255
#define HELD(mutex) (mutex != FREE && mutex != DIED)

#define VALUE 0
#define TAKEN 1
#define CLAIMED 99 /* the value of a record after it is taken and before it is filled */
#define FIT (state[VALUE] + state[TAKEN] == UNITS)

/* The contents of shared memory. */
byte mutex = FREE;
byte state[2];
typedef Entry { byte word; byte old };
Entry journal[3];
byte count;
byte number;
bool awaited;

/* The state of the kernel. */
bool asleep[PROCESSES + 1];

/* Bookkeeping of the model. */
mtype = { RUNNING, KILLED, DONE };
mtype life[PROCESSES + 1];
bool beat[PROCESSES + 1];
byte units; /* that living processes have, or dead ones had */
byte kills;

/* Writing the entry is one step: no process reads it before the count includes it. */
inline Set(which, value) {
#ifdef BREAK_COUNT_FIRST
  count++;
  d_step { journal[count - 1].word = which; journal[count - 1].old = state[which] };
  state[which] = value
#else
  d_step { journal[count].word = which; journal[count].old = state[which] };
#ifdef BREAK_WORD_FIRST
  state[which] = value;
  count++
#else
  count++;
  state[which] = value
#endif
#endif
}

/* Runs under the mutex. It does not matter whether the last owner died: only the journal does. */
inline Undo() {
#ifndef BREAK_NO_UNDO
  undo = count;
#ifdef BREAK_UNDO_FORGETS
  count = 0;
#endif
#ifdef BREAK_UNDO_FORWARD
  at = 0;
  do
  :: atomic { at < undo -> state[journal[at].word] = journal[at].old; at++ }
  :: atomic { else -> at = 0; undo = 0; break }
  od;
#else
  do
  :: atomic { undo > 0 -> undo--; state[journal[undo].word] = journal[undo].old }
  :: else -> break
  od;
#endif
  count = 0;
#endif
  assert(count == 0 && FIT) /* T1 */
}

inline Lock() {
#ifdef BREAK_NOT_ROBUST
  atomic { mutex == FREE -> mutex = me };
#else
  atomic { !HELD(mutex) -> mutex = me };
#endif
  Undo()
}

inline Unlock() { atomic { assert(mutex == me); mutex = FREE } }

inline Repair() {
  if
  :: count == 0
  :: else ->
    if
    :: atomic { !HELD(mutex) -> mutex = me };
      Undo();
      Unlock()
    :: HELD(mutex)
    fi
  fi
}

inline WakeAnnounced() {
  if
  :: awaited ->
    awaited = false;
    number++;
    d_step {
      for (other : 1 .. PROCESSES) { asleep[other] = false };
      other = 0
    }
  :: else
  fi
}

inline Commit() { count = 0 }

/* Clears the private memory of a dead process, so that it does not distinguish states. */
#define FORGET expected = 0; other = 0; undo = 0; at = 0; round = 0

proctype Process(byte me) {
  byte round;
  byte expected;
  byte other;
  byte undo;
  byte at;
  {
    do
    :: round < ROUNDS ->
      round++;
attempt:
      if
      :: state[VALUE] > 0 || count > 0
      :: else -> goto announce
      fi;
      Lock();
      if
      :: state[VALUE] == 0 -> Unlock(); goto announce
      :: else
      fi;
      Set(TAKEN, CLAIMED);
      Set(VALUE, state[VALUE] - 1);
#ifdef BREAK_EARLY_COMMIT
      Commit();
#endif
      Set(TAKEN, UNITS - state[VALUE]);
#ifdef BREAK_NO_COMMIT
      units++;
#else
      atomic { Commit(); units++ };
#endif
      Unlock();
      assert(units <= UNITS); /* T2 */
      Lock();
      assert(state[TAKEN] == units); /* T2 */
      Set(VALUE, state[VALUE] + 1);
      Set(TAKEN, state[TAKEN] - 1);
      atomic { Commit(); units-- };
      Unlock();
      WakeAnnounced()
    :: else -> goto finished
    od;
announce:
    expected = number;
    awaited = true;
#ifndef BREAK_NO_LOOK
    if
    :: state[VALUE] > 0 -> goto awake
    :: else
    fi;
#endif
    atomic {
      if
      :: number == expected -> asleep[me] = true
      :: else -> goto awake
      fi
    };
endAsleep:
    if
    :: !asleep[me] -> goto awake
    :: atomic { asleep[me] && beat[me] -> asleep[me] = false; beat[me] = false };
#ifndef BREAK_NO_TEND
      Repair();
#endif
      goto announce
    fi;
awake:
    expected = 0;
    goto attempt;
finished:
    atomic { life[me] = DONE; FORGET }
  } unless {
    d_step { life[me] == KILLED -> FORGET }
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
  for (p : 1 .. PROCESSES) { beat[p] = true };
#endif
  p = 0
}

init {
  byte p;
  atomic {
    state[VALUE] = UNITS;
    for (p : 1 .. PROCESSES) {
      life[p] = RUNNING;
      run Process(p)
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
    do /* undoes, as the next owner would */
    :: count > 0 -> count--; state[journal[count].word] = journal[count].old
    :: else -> break
    od;
    assert(FIT && state[TAKEN] == units); /* T1, T2 */
    for (p : 1 .. PROCESSES) {
      assert(!asleep[p] || state[VALUE] == 0) /* T3 */
    }
  }
}
