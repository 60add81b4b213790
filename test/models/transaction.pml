/*
 * Transactions on shared state, as shm/guarded.h makes them, in a semaphore: words that change together under a robust mutex,
 * through a journal, so that they are all old or all new whoever is killed when. docs/internals/waiting-protocol.md has the argument.
 *
 *   here             in the code
 *   mutex            the robust mutex of the cell: FREE, the owner's number, DIED
 *   state[]          value (free units) and taken (units that somebody has)
 *   journal, count   Set(word, value) = entry {word, old value}; count++; the word itself. Commit = count := 0
 *   number, awaited  the wake word
 *   Lock             Guard's constructor: the mutex; entries count-1 .. 0 restored; count := 0
 *   Repair           RepairIfTorn, with a brief wait: a mutex that is held is left alone
 *
 *   process    TryAcquire: value? (or not settled) - lock - value? - Set, Set, Set - commit - unlock
 *              Release: lock - Set, Set - commit - unlock - flag?
 *   waiter     attempt; expected = number; flag; look; sleep; attempt ... At a beat: tend; flag; look; sleep
 *
 * `taken` is set twice in one acquisition, as a record of a ledger is that is taken and filled: so the order of undoing
 * matters. Looks see words that are not committed and may be undone.
 *
 * As in queue.pml, a waiter has one beat after each kill, at any time after it. `timeout` is when nobody can go on.
 *
 *   T1  Whoever gets the mutex, and has undone if need be, finds an empty journal and words that fit each other: all units
 *       are free or taken. So do all in the end.
 *   T2  Who has a unit is alone with it: free and taken units are those that processes have, or died with.
 *   T3  Nobody sleeps for ever: in the end, what a sleeper wants is not there, and nobody could undo that.
 *   T4  Nobody is stuck elsewhere: that would be an invalid end state.
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
#define CLAIMED 99 /* what a record says between its taking and its filling */
#define FIT (state[VALUE] + state[TAKEN] == UNITS)

/* What is in shared memory. */
byte mutex = FREE;
byte state[2];
typedef Entry { byte word; byte old };
Entry journal[3];
byte count;
byte number;
bool awaited;

/* What the kernel knows. */
bool asleep[PROCESSES + 1];

/* Bookkeeping of the model. */
mtype = { RUNNING, KILLED, DONE };
mtype life[PROCESSES + 1];
bool beat[PROCESSES + 1];
byte units; /* that processes have, or died with */
byte kills;

/* The entry is one step: nobody reads it before it counts. */
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

/* Behind the mutex. Whether its last owner died does not matter: only the journal does. */
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

/* What a dead process had in its own memory does not tell states apart. */
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
    do /* as the next owner would */
    :: count > 0 -> count--; state[journal[count].word] = journal[count].old
    :: else -> break
    od;
    assert(FIT && state[TAKEN] == units); /* T1, T2 */
    for (p : 1 .. PROCESSES) {
      assert(!asleep[p] || state[VALUE] == 0) /* T3 */
    }
  }
}
