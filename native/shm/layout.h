// Layout of a segment: the structs as they lie in memory, and nothing else. History and rules: docs/internals/segment-layout.md.
//
//   0                                                                                 total_bytes (whole pages)
//   | payload          | cells               | description     | gap | ControlBlock |
//   | the user's bytes | locks, counters ... | JSON text       |     | 512 bytes    |
//
// The payload comes first, so that a program in another language that maps the name finds the data at offset 0. The control block
// is located from the end. JavaScript sees only the payload.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "platform/robust_mutex_storage.h"

namespace procshare {

constexpr uint32_t kLayoutMajor = 2;  // an attacher must have the same
constexpr uint32_t kLayoutMinor = 0;  // a minor version gives reserved bytes a meaning; only a major one moves a field
constexpr uint32_t kLayoutVersion = kLayoutMajor << 16 | kLayoutMinor;

// The magic number detects damage: a conversion of line ends changes the \r\n, and another byte order reverses the number. A page
// of zeros or ones differs from it.
constexpr uint64_t kMagic = 0x1a0a0d5268635350;  // "PSchR\r\n\x1a" read as a little-endian number

constexpr uint32_t kBuilding = 0;        // as in a fresh page
constexpr uint32_t kReady = 0x79646552;  // "Redy"

constexpr uint32_t kAnyPidNamespace = 1;  // a flag of ControlBlock: the owners of its mutexes are members

constexpr size_t kCellAlignment = 64;  // one cache line
constexpr size_t kMaxDescriptionBytes = 64 * 1024;
constexpr size_t kMaxNameBytes = 255;

// ControlBlock - the last 512 bytes of every segment.
//
//   0       8        12   16     20     24     32       40     48     56           64            72  80       88
//   | magic | layout | abi| ready| flags| total| payload| cells| cells| description| description | id| creator| creator
//                                                        offset  bytes  offset       bytes              pid      start
//   96         104           112                368                            496             504
//   | created  | name_bytes  | name             | reserved                     | pid_namespace | checksum |
//
//   C1  The creator writes every other field once, before `ready` becomes kReady.
//   C2  An attacher reads nothing but `ready` until it sees kReady.
//   C3  `checksum` covers all of the block but `ready`, `pid_namespace` and itself, and the description. A single changed
//       byte never keeps the checksum.
//   C4  `reserved` is zero.
//   C5  `pid_namespace` is written by a builder: the creator, or an attacher that was the only member of a persistent segment and
//       became its builder again.
// Crash: a creator that dies before it publishes leaves kBuilding, in memory that the platform layer recognises as stale.
struct alignas(8) ControlBlock {
  uint64_t magic;
  uint32_t layout;  // major << 16 | minor; not the version of the npm package
  uint32_t abi;     // RobustMutexAbi(): peers must be equal
  std::atomic<uint32_t> ready;
  uint32_t flags;  // kAnyPidNamespace
  uint64_t total_bytes;
  uint64_t payload_bytes;
  uint64_t cells_offset;
  uint64_t cells_bytes;
  uint64_t description_offset;
  uint64_t description_bytes;
  uint64_t id;  // random: distinguishes a segment from a later one of the same name
  uint64_t creator_pid;
  uint64_t creator_start_time;
  uint64_t created_at_ms;  // Unix time
  uint64_t name_bytes;
  char name[256];
  uint8_t reserved[128];
  std::atomic<uint64_t> pid_namespace;  // of all processes that use its mutexes; 0 with kAnyPidNamespace
  uint64_t checksum;
};
static_assert(sizeof(ControlBlock) == 512);
static_assert(offsetof(ControlBlock, ready) == 16 && offsetof(ControlBlock, total_bytes) == 24);
static_assert(offsetof(ControlBlock, id) == 72 && offsetof(ControlBlock, name) == 112);
static_assert(offsetof(ControlBlock, pid_namespace) == 496 && offsetof(ControlBlock, checksum) == 504);
static_assert(std::atomic<uint32_t>::is_always_lock_free);  // a lock table would exist in one process only
static_assert(std::atomic<uint64_t>::is_always_lock_free);

// LockCell - one lock in the cells of a segment. States and crash argument: docs/internals/lock-protocol.md.
//
//   0              4       8       16               112            120              128
//   | release_word | flags | owner | mutex          | reserved_for | reserved_until |
//
// The first four fields share a cache line (the mutex of glibc has 40 bytes), so a lock and unlock touches one line.
struct alignas(kCellAlignment) LockCell {
  std::atomic<uint32_t> release_word;  // asynchronous acquirers sleep on it; bumped when kAwaited is cleared
  std::atomic<uint32_t> flags;         // kAwaited | kLockAbandoned | kLockReserved
  std::atomic<uint64_t> owner;         // pid << 32 | Node thread id of the last owner; informational
  RobustMutexStorage mutex;
  std::atomic<uint64_t> reserved_for;    // the next owner, as in `owner`; 0 without a reservation
  std::atomic<uint64_t> reserved_until;  // monotonic clock in nanoseconds; the reservation is void afterwards
};
static_assert(sizeof(LockCell) == 128);
static_assert(offsetof(LockCell, flags) == 4 && offsetof(LockCell, owner) == 8 && offsetof(LockCell, mutex) == 16);

constexpr uint32_t kAwaited = 1;        // a waiter may sleep on the word next to the flags
constexpr uint32_t kLockAbandoned = 2;  // the last owner ended its ownership without a release, but its thread lives
constexpr uint32_t kLockReserved = 4;   // a waiter has reserved the lock: see `reserved_for`

// WakeWord - the word on which waiters for one state ("there is an item") sleep. Protocol: shm/wake_word.h.
struct WakeWord {
  std::atomic<uint32_t> word;   // bumped by a waker that finds kAwaited
  std::atomic<uint32_t> flags;  // kAwaited
};
static_assert(sizeof(WakeWord) == 8);

// GuardedCell - the beginning of every object whose state changes by transactions: shm/guarded.h.
//
//   0      8               16      112       240        256
//   | wake | journal_count | mutex | journal | reserved |
constexpr size_t kJournalEntries = 8;
struct JournalEntry {
  std::atomic<uint64_t> offset;     // of the word, from the beginning of the cell
  std::atomic<uint64_t> old_value;  // the value of the word after an interrupted transaction is undone
};
struct alignas(kCellAlignment) GuardedCell {
  WakeWord wake;
  std::atomic<uint64_t> journal_count;
  RobustMutexStorage mutex;
  JournalEntry journal[kJournalEntries];
  uint8_t reserved[16];
};
static_assert(sizeof(GuardedCell) == 256);

// LedgerRecord - the waits of one member for an object, or its part of the object. See shm/ledger.h.
struct LedgerRecord {
  std::atomic<uint64_t> member;      // 0: the record is free
  std::atomic<uint64_t> key;         // to which of several waits of the object the record belongs
  std::atomic<uint64_t> count;       // waits, or units that the member has
  std::atomic<uint64_t> granted;     // waits that are over and were not taken yet: at most `count`
  std::atomic<uint64_t> outcome;     // how they ended
  std::atomic<uint32_t> grant_word;  // bumped with each grant; the waits sleep on it
  std::atomic<uint32_t> reserved;    // zero
};
static_assert(sizeof(LedgerRecord) == 48);

// Ledger - which members wait for an object, or have a part of it. `capacity` records follow.
struct Ledger {
  std::atomic<uint64_t> capacity;
  std::atomic<uint64_t> used;       // all records from this index on are free
  std::atomic<uint64_t> next;       // the record at which the next grant begins; a hint
  std::atomic<uint64_t> reaped_at;  // when a waiter last reaped dead members (monotonic, nanoseconds); a hint
};
static_assert(sizeof(Ledger) == 32);

// SemaphoreCell - a counter that does not go below zero. A recoverable one has a ledger of the units that members have acquired.
struct SemaphoreCell {
  GuardedCell guarded;
  std::atomic<uint64_t> value;
  std::atomic<uint64_t> limit;  // the value that no release exceeds
  std::atomic<uint64_t> reserved[2];
  Ledger ledger;
};

// EventCell - a flag. Bit 0 of the word is the flag, the other bits count how often it was set.
struct alignas(kCellAlignment) EventCell {
  WakeWord state;
  uint8_t reserved[56];
};

// ParkingCell - waits that end by a notification: of a condition, or for words of the payload.
struct ParkingCell {
  GuardedCell guarded;
  std::atomic<uint64_t> reserved[4];
  Ledger ledger;
};

// BarrierCell - a meeting point. `key` of the ledger is the generation.
struct BarrierCell {
  GuardedCell guarded;
  std::atomic<uint64_t> parties;
  std::atomic<uint64_t> phase;       // BarrierPhase
  std::atomic<uint64_t> generation;  // the one that fills now
  std::atomic<uint64_t> timeout_ns;  // the timeout of waits that have no timeout of their own; 0: none
  Ledger ledger;
};

// QueueSide - one side of a ring: the producers or the consumers. Each part has a cache line of its own, because the other side
// reads `position` while this one uses the mutex.
//
//   0       96     104        128        136        192    200
//   | mutex | cached peer position | reserved | position | reserved | wake | reserved |
struct alignas(kCellAlignment) QueueSide {
  RobustMutexStorage mutex;
  std::atomic<uint64_t> cached_peer_position;  // the other side's position when this side last read it; under the mutex
  uint8_t reserved[24];
  std::atomic<uint64_t> position;  // of the producers: the tail; of the consumers: the head. Format: shm/ring_queue.h
  uint8_t reserved2[56];
  WakeWord wake;  // woken by this side: there are items, or there is room, or the queue was closed
  uint8_t reserved3[56];
};
static_assert(sizeof(QueueSide) == 256);

// QueueCell - a ring of items. The ring's bytes follow the cell.
struct alignas(kCellAlignment) QueueCell {
  std::atomic<uint64_t> capacity;  // bytes of the ring: a multiple of 8
  std::atomic<uint64_t> max_items;
  std::atomic<uint64_t> closed;  // 1: the queue takes no more items
  // The number of items that had been reported as done when last no item was unfinished, << 32 | the number of items that have
  // been reported by now. Both are modulo 2^32.
  std::atomic<uint64_t> done;
  WakeWord done_wake;  // no item is unfinished
  uint8_t reserved[24];
  QueueSide producers;
  QueueSide consumers;
};
static_assert(sizeof(QueueCell) == 576);

// EndsCell - which members have which end of a pipe open. `key` of the ledger is the end.
struct EndsCell {
  GuardedCell guarded;
  std::atomic<uint64_t> reserved[4];
  Ledger ledger;
};

}  // namespace procshare
