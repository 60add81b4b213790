/*
 * Models the lock of a LockCell: its robust mutex, its release word and its announced waiters. docs/internals/lock-protocol.md
 * has the argument in prose; `node scripts/check-models.mjs` checks this model.
 *
 *   here                    in the code
 *   mutex                   the futex word of the robust mutex: FREE, the owner's number, DIED (FUTEX_OWNER_DIED)
 *   word                    release_word
 *   awaited, givenUp        kAwaited, kLockAbandoned: two bits of `flags`
 *   asleep[p]               p sleeps on release_word, in the kernel; only a wake ends the sleep, a bump does not
 *   Try, Settle             RobustMutexTryAcquire, SharedLock::CheckFlags and TakeAbandoned
 *   AcquireBlocking         SharedLock::Acquire. The sleep is left out: a process continues when the mutex is not held
 *   AcquireAsync            LockState.acquire: an attempt, then an announcement and another attempt (a1-a3), then the sleep of a
 *                           waiting thread (a4): shm/waits.h
 *   Beat                    the heartbeat of a waiting thread
 *   Release                 SharedLock::Release (r1-r6), or ReleaseAbandoned when it hands on
 *   Kill                    SIGKILL between any two steps, and the change of the mutex by the kernel
 *
 * Memory is sequentially consistent: in the code, both fences of L2 ensure that for the flag and the mutex. Without the
 * releaser's fence, r3 could come before r1 (BREAK_LOOK_FIRST). Without the acquirer's fence, a3 could come before a2
 * (BREAK_NO_RETRY).
 *
 * Each process acquires ROUNDS times and ends, so a stuck process shows as an invalid end state. Unlimited beats would hide that.
 * So a waiter gets one beat at any time, and another one after each kill. The first beat after the last kill has to be enough, at
 * whatever moment it comes.
 *
 *   X1  Only the owner of the mutex is in the critical section.
 *   X2  An acquisition returns `abandoned` exactly when an owner has died or given the lock up since the last such result. At the
 *       end, news that no acquisition has returned is still recorded.
 *   X3  No process is stuck: without kills and beats, and with both.
 *
 *   -DASYNC=n -DBLOCKING=n  processes of each kind
 *   -DKILLS=n               up to n processes are killed
 *   -DBEATS                 waiters have a heartbeat
 *   -DBREAK_...             a mistake that has to be found
 */
#ifndef ASYNC
#define ASYNC 2
#endif
#ifndef BLOCKING
#define BLOCKING 1
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef KILLS
#define KILLS 0
#endif

#define PROCESSES (ASYNC + BLOCKING)
#define FREE 0 /* processes are numbered from 1 */
#define DIED 255
#define HELD(mutex) (mutex != FREE && mutex != DIED)

mtype = { RUNNING, KILLED, DONE };

/* The cell, and the sleepers on its word. */
byte mutex = FREE;
byte word;
bool awaited;
bool givenUp;
bool asleep[PROCESSES + 1];

/* Bookkeeping of the model. */
mtype life[PROCESSES + 1];
bool beat[PROCESSES + 1];
byte inside;    /* the process in the critical section */
bool news;      /* the next acquisition returns `abandoned` */
bool mayGiveUp; /* one owner may do so */
byte kills;

inline Try() {
  atomic {
    if
    :: HELD(mutex) -> skip
    :: else -> told = (mutex == DIED); mutex = me; got = true
    fi
  }
}

/* The end of every acquisition; the process has the mutex. */
inline Settle() {
  if
  :: told || givenUp ->
    told = true;
#ifndef BREAK_KEEP_NEWS
    givenUp = false
#endif
  :: else
  fi;
  atomic {
    assert(told == news); /* X2 */
    news = false; told = false; got = false;
    assert(inside == 0); /* X1 */
    inside = me
  }
}

inline AcquireBlocking() {
  atomic { !HELD(mutex); Try() };
  Settle()
}

inline Announce() { awaited = true }

inline Sleep() {
  atomic {
    if
    :: word == expected -> asleep[me] = true
    :: else
    fi
  }
}

inline AcquireAsync() {
  Try();
  do
  :: got -> break
  :: else ->
#ifdef BREAK_EXPECTED_LATE
    Announce();
    expected = word;
#else
    expected = word; /* a1 */
    Announce();      /* a2 */
#endif
#ifndef BREAK_NO_RETRY
    Try();           /* a3 */
#endif
    do
    :: got -> break
    :: else ->
      Sleep();       /* a4 */
      if
      :: !asleep[me] -> break
      :: atomic { asleep[me] && beat[me] -> asleep[me] = false; beat[me] = false };
#ifndef BREAK_SILENT_BEAT
        Announce();
#endif
#ifndef BREAK_BLIND_BEAT
        if
        :: HELD(mutex) -> skip /* sleeps again, with the same expected value */
        :: else -> break
        fi
#endif
      fi
    od;
    expected = 0;
#ifdef BREAK_NO_RETRY
    Try()
#endif
#ifdef BREAK_WAKE_GRANTS
    got = true
#endif
  od;
  Settle()
}

inline WakeSleepers() {
#ifdef BREAK_BUMP_FIRST
  word++;
  awaited = false;
#else
  awaited = false; /* r4 */
#ifndef BREAK_NO_BUMP
  word++;          /* r5 */
#endif
#endif
  d_step {         /* r6 */
    for (other : 1 .. PROCESSES) { asleep[other] = false };
    other = 0
  }
}

inline Release() {
#ifdef BREAK_LOOK_FIRST
  look = awaited;
#endif
  atomic {         /* r1 */
    assert(mutex == me); /* X1 */
    mutex = FREE;
    news = handOn;
    handOn = false
  };
#ifndef BREAK_LOOK_FIRST
  look = awaited;  /* r3 */
#endif
  if
  :: look -> look = false; WakeSleepers()
  :: else
  fi
}

/* One acquisition after the other, each ended by a release or by giving up. */
proctype Process(byte me; bool async) {
  byte round;
  byte expected;
  byte other;
  bool got;
  bool told;
  bool look;
  bool handOn;
  {
    do
    :: round < ROUNDS ->
      round++;
      if
      :: async -> AcquireAsync()
      :: else -> AcquireBlocking()
      fi;
      atomic { assert(inside == me && mutex == me); inside = 0 }; /* X1 */
      if
      :: skip
      :: atomic { mayGiveUp -> mayGiveUp = false; handOn = true };
        givenUp = true
      fi;
      Release()
    :: else -> break
    od;
    life[me] = DONE
  } unless { life[me] == KILLED }
}

#define ENDED(p) (life[p] != RUNNING)

inline Kill(victim) {
  kills++;
  life[victim] = KILLED;
  asleep[victim] = false;
  if
  :: mutex == victim -> mutex = DIED; news = true
  :: else
  fi;
  if
  :: inside == victim -> inside = 0
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
    mayGiveUp = true;
    for (p : 1 .. PROCESSES) {
      life[p] = RUNNING;
#ifdef BEATS
      beat[p] = true;
#endif
      run Process(p, p <= ASYNC)
    };
    p = 0
  };
  do
#if KILLS > 0
  :: kills < KILLS -> kills = KILLS /* no more kills: spin finds no stuck process while kills may come */
  :: atomic { kills < KILLS && !ENDED(1) -> Kill(1) }
  :: atomic { kills < KILLS && !ENDED(2) -> Kill(2) }
#if PROCESSES > 2
  :: atomic { kills < KILLS && !ENDED(3) -> Kill(3) }
#endif
#endif
  :: atomic {
      ENDED(1) && ENDED(2) && ENDED(PROCESSES) ->
      assert(!HELD(mutex) && news == (mutex == DIED || givenUp)); /* X2 */
      break
    }
  od
}
