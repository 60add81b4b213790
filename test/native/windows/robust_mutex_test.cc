// The mutex on Windows: exclusive between processes and threads. When an owner is killed, or its thread ends, the next owner gets
// kAbandoned.

#include <atomic>
#include <thread>
#include <vector>

#include "awaiting.h"
#include "program.h"
#include "shm/shared_lock.h"

namespace procshare::testing {
namespace {

constexpr uint32_t kWorkers = 3;
constexpr double kSoonMs = 1000;

struct Arena {
  LockCell cell{};
  uint64_t counter = 0;  // plain: no atomic hides a missing lock
  uint64_t left = 0, right = ~uint64_t{0};
  uint64_t turns[kWorkers] = {};
  std::atomic<uint64_t> abandoned{0};
  std::atomic<uint32_t> holding{0};
};

void TakeTurns(Arena* arena, bool awaits, uint32_t turns) {
  SharedLock lock(&arena->cell, nullptr);
  for (uint32_t turn = 0; turn < turns; ++turn) {
    if (awaits) {
      uint32_t expected;
      while (TryAcquireOrAwait(&lock, 1, &expected) != MutexOutcome::kAcquired) {
        CHECK(FutexWait(lock.release_word(), expected, Deadline::AfterMs(kPatienceMs)) != WaitOutcome::kTimedOut);
      }
    } else {
      CHECK_EQ(lock.Acquire(1, Deadline::Never()), MutexOutcome::kAcquired);
    }
    CHECK_EQ(arena->left, ~arena->right);
    arena->left = ++arena->counter * 0x9e3779b97f4a7c15;
    arena->right = ~arena->left;
    lock.Release();
  }
}

void Turns(const std::vector<std::string>& arguments) {
  const Board<Arena> board(arguments[0]);
  TakeTurns(&*board, arguments[1] == "awaits", static_cast<uint32_t>(std::stoul(arguments[2])));
}

void HoldIt(const std::vector<std::string>& arguments) {
  const Board<Arena> board(arguments[0]);
  CHECK(IsAcquired(SharedLock(&board->cell, nullptr).Acquire(2, Deadline::Never())));
  board->holding = 1;
  Sleep(INFINITE);
}

void WorkForEver(const std::vector<std::string>& arguments) {
  const Board<Arena> board(arguments[0]);
  SharedLock lock(&board->cell, nullptr);
  const size_t index = std::stoul(arguments[1]);
  for (;;) {
    const MutexOutcome outcome = lock.Acquire(1, Deadline::Never());
    CHECK(IsAcquired(outcome));
    if (outcome == MutexOutcome::kAbandoned) {
      ++board->abandoned;
      uint64_t sum = 0;
      for (const uint64_t turns : board->turns) sum += turns;
      CHECK(board->counter == sum || board->counter == sum + 1);
      board->counter = sum;
    }
    board->counter += 1;
    for (int i = 0; i < 20'000; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
    board->turns[index] += 1;
    lock.Release();
  }
}

void Exact(bool processes) {
  constexpr uint32_t kTurns = 20'000;
  const Board<Arena> board;
  CHECK(SharedLock(&board->cell, nullptr).Init(DefaultMutexKind()));
  std::vector<Child> children;
  std::vector<std::thread> threads;
  for (const bool awaits : {true, false, true, false}) {
    if (processes) {
      children.emplace_back("turns",
                            std::vector<std::string>{board.name(), awaits ? "awaits" : "blocks", std::to_string(kTurns)});
    } else {
      threads.emplace_back([&board, awaits] { TakeTurns(&*board, awaits, kTurns); });
    }
  }
  for (Child& child : children) child.ExpectEnd();
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(board->counter, 4 * kTurns);
  CHECK_EQ(SharedLock(&board->cell, nullptr).Peek(), MutexState::kFree);
}
void ExactBetweenProcesses() { Exact(true); }
void ExactBetweenThreads() { Exact(false); }

void AKilledOwnerIsToldOf() {
  const Board<Arena> board;
  SharedLock lock(&board->cell, nullptr);
  CHECK(lock.Init(DefaultMutexKind()));
  for (int round = 0; round < 6; ++round) {
    board->holding = 0;
    Child owner("hold", {board.name()});
    Eventually([&] { return board->holding == 1; });
    CHECK_EQ(lock.Peek(), MutexState::kHeld);
    CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kBusy);
    if (round % 2 == 0) {
      owner.Kill();
      if (round == 0) CHECK_EQ(lock.Peek(), MutexState::kOwnerDied);
      CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAbandoned);
    } else {
      // The death itself wakes a blocked thread.
      std::atomic<bool> got{false};
      double killed_at = 0;
      const Stopwatch watch;
      std::thread blocked([&] {
        CHECK_EQ(lock.Acquire(3, Deadline::Never()), MutexOutcome::kAbandoned);
        got = true;
        CHECK(watch.ms() - killed_at < kSoonMs);
        lock.Release();
      });
      Sleep(30);
      CHECK(!got);
      killed_at = watch.ms();
      owner.Kill();
      blocked.join();
      CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
    }
    lock.Release();
    CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
    lock.Release();
  }
}

void AThreadThatEndsIsToldOf() {
  const Board<Arena> board;
  SharedLock lock(&board->cell, nullptr);
  CHECK(lock.Init(DefaultMutexKind()));
  for (int round = 0; round < 50; ++round) {
    std::thread([&] { CHECK(IsAcquired(lock.TryAcquire(1))); }).join();
    CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAbandoned);
    lock.Release();
  }
}

void ExactInSpiteOfKills() {
  constexpr int kKills = 25;
  const Board<Arena> board;
  SharedLock lock(&board->cell, nullptr);
  CHECK(lock.Init(DefaultMutexKind()));
  std::vector<Child> workers;
  const auto start = [&](int index) {
    workers.emplace_back("work", std::vector<std::string>{board.name(), std::to_string(index)});
  };
  for (int i = 0; i < static_cast<int>(kWorkers); ++i) start(i);
  std::atomic<uint64_t>* const counter = reinterpret_cast<std::atomic<uint64_t>*>(&board->counter);
  for (int kill = 0; kill < kKills; ++kill) {
    const uint64_t before = *counter;
    Eventually([&] { return *counter >= before + 20; });
    workers[static_cast<size_t>(kill)].Kill();
    start(kill % static_cast<int>(kWorkers));
  }
  for (size_t i = kKills; i < workers.size(); ++i) workers[i].Kill();
  const MutexOutcome outcome = lock.Acquire(1, Deadline::AfterMs(kPatienceMs));
  CHECK(IsAcquired(outcome));
  uint64_t sum = 0;
  for (const uint64_t turns : board->turns) sum += turns;
  CHECK(board->counter == sum || (outcome == MutexOutcome::kAbandoned && board->counter == sum + 1));
  lock.Release();
  printf("     %llu turns, %llu times abandoned\n", static_cast<unsigned long long>(sum),
         static_cast<unsigned long long>(board->abandoned.load()));
  CHECK(board->abandoned > 0);
}

void DamagedStorageIsBrokenOrTaken() {
  const Board<Arena> board;
  SharedLock lock(&board->cell, nullptr);
  CHECK(!lock.LooksSound());
  CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kBroken);
  CHECK(lock.Init(DefaultMutexKind()) && lock.LooksSound());
  auto* const owner = reinterpret_cast<std::atomic<uint64_t>*>(board->cell.mutex.bytes);
  for (const uint64_t damaged : {uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{4711 * 4}, UINT64_MAX}) {
    *owner = damaged;
    CHECK_EQ(lock.Acquire(1, Deadline::AfterMs(kPatienceMs)), MutexOutcome::kAbandoned);
    lock.Release();
  }
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Role roles[] = {{"turns", Turns}, {"hold", HoldIt}, {"work", WorkForEver}};
  const Test tests[] = {
      {"it is exact between processes that block and await", ExactBetweenProcesses},
      {"it is exact between threads that block and await", ExactBetweenThreads},
      {"a killed owner is told of, also to one who blocks", AKilledOwnerIsToldOf},
      {"an owner whose thread ends is told of", AThreadThatEndsIsToldOf},
      {"it is exact in spite of kills", ExactInSpiteOfKills},
      {"damaged storage is broken, or abandoned by nobody", DamagedStorageIsBrokenOrTaken},
  };
  return RunProgram(argc, argv, roles, tests);
}
