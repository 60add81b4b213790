// Guard alone: the remains of a killed transaction are undone as a whole, and an invalid journal is refused.

#include "shm/guarded.h"

#include <cstdlib>

#include "check.h"
#include "thread_members.h"

namespace procshare::testing {
namespace {

constexpr size_t kWords = kJournalEntries;

struct Cell {
  GuardedCell guarded;
  std::atomic<uint64_t> words[kWords];
};

class Fresh {
 public:
  Fresh() : cell_(static_cast<Cell*>(aligned_alloc(kCellAlignment, sizeof(Cell)))) {
    CHECK(cell_ != nullptr);
    memset(static_cast<void*>(cell_), 0, sizeof(Cell));
    CHECK(InitGuarded(&cell_->guarded, TestKind()));
    for (size_t i = 0; i < kWords; ++i) cell_->words[i] = i + 1;
  }
  ~Fresh() { free(cell_); }
  Fresh(const Fresh&) = delete;
  Fresh& operator=(const Fresh&) = delete;
  Cell* operator->() const { return cell_; }
  GuardedCell* guarded() const { return &cell_->guarded; }

  void CheckUntouched() const {
    for (size_t i = 0; i < kWords; ++i) CHECK_EQ(cell_->words[i].load(), i + 1);
  }

 private:
  Cell* const cell_;
};

uint64_t OffsetOfWord(size_t index) { return offsetof(Cell, words) + index * sizeof(uint64_t); }

// A transaction that ends without a commit leaves the same as a killed one: a free mutex, and the journal.
void AWordSetTwice() {
  Fresh cell;
  {
    Guard guard(cell.guarded(), sizeof(Cell), TestOwners());
    CHECK(guard.held());
    guard.Set(&cell->words[0], 100);
    guard.Set(&cell->words[1], 200);
    guard.Set(&cell->words[0], 300);
  }
  CHECK(!JournalIsEmpty(cell.guarded()));
  CHECK_EQ(cell->words[0].load(), 300u);
  RepairIfTorn(cell.guarded(), sizeof(Cell), TestOwners());
  CHECK(JournalIsEmpty(cell.guarded()));
  cell.CheckUntouched();
}

void WhatWasCommittedStays() {
  Fresh cell;
  {
    Guard guard(cell.guarded(), sizeof(Cell), TestOwners());
    guard.Set(&cell->words[0], 100);
    guard.Commit();
    guard.Set(&cell->words[1], 200);
  }
  const Guard guard(cell.guarded(), sizeof(Cell), TestOwners());
  CHECK(guard.held());
  CHECK_EQ(cell->words[0].load(), 100u);
  CHECK_EQ(cell->words[1].load(), 2u);
}

void AFullJournal() {
  Fresh cell;
  {
    Guard guard(cell.guarded(), sizeof(Cell), TestOwners());
    for (size_t i = 0; i < kJournalEntries; ++i) guard.Set(&cell->words[i], 1000 + i);
    CHECK_EQ(cell->guarded.journal_count.load(), kJournalEntries);
  }
  RepairIfTorn(cell.guarded(), sizeof(Cell), TestOwners());
  cell.CheckUntouched();
}

// A word whose change is in the journal, but was not made before the kill.
void AnEntryWithoutItsChange() {
  Fresh cell;
  cell->guarded.journal[0].offset = OffsetOfWord(3);
  cell->guarded.journal[0].old_value = 4;
  cell->guarded.journal_count = 1;
  RepairIfTorn(cell.guarded(), sizeof(Cell), TestOwners());
  CHECK(JournalIsEmpty(cell.guarded()));
  cell.CheckUntouched();
}

// An entry that was written, but is not in the count yet.
void AnEntryThatDoesNotCount() {
  Fresh cell;
  cell->guarded.journal[0].offset = OffsetOfWord(3);
  cell->guarded.journal[0].old_value = 77;
  CHECK(Guard(cell.guarded(), sizeof(Cell), TestOwners()).held());
  cell.CheckUntouched();
}

void OffsetsOutsideOfTheCell() {
  const uint64_t bad[] = {0,
                          8,
                          offsetof(GuardedCell, mutex),
                          sizeof(GuardedCell) - 8,
                          sizeof(GuardedCell) + 1,
                          sizeof(Cell) - 7,
                          sizeof(Cell),
                          sizeof(Cell) + 8,
                          uint64_t{1} << 63,
                          UINT64_MAX,
                          UINT64_MAX - 7};
  for (const uint64_t offset : bad) {
    Context() = "offset " + std::to_string(offset);
    Fresh cell;
    cell->guarded.journal[0].offset = offset;
    cell->guarded.journal[0].old_value = 77;
    cell->guarded.journal_count = 1;
    CHECK(!Guard(cell.guarded(), sizeof(Cell), TestOwners()).held());
    cell.CheckUntouched();
    CHECK(RobustMutexTryAcquire(&cell->guarded.mutex, TestOwners()) != MutexOutcome::kBusy);  // it was released
    RobustMutexRelease(&cell->guarded.mutex, TestOwners());
  }
  Fresh cell;
  cell->guarded.journal_count = 1;
  cell->guarded.journal[0].offset = sizeof(Cell) - 8;  // the last word is valid
  cell->guarded.journal[0].old_value = 77;
  CHECK(Guard(cell.guarded(), sizeof(Cell), TestOwners()).held());
  CHECK_EQ(cell->words[kWords - 1].load(), 77u);
}

void TooLongAJournal() {
  for (const uint64_t count : {uint64_t{kJournalEntries + 1}, uint64_t{1} << 32, UINT64_MAX}) {
    Fresh cell;
    cell->guarded.journal_count = count;
    CHECK(!Guard(cell.guarded(), sizeof(Cell), TestOwners()).held());
    cell.CheckUntouched();
  }
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"a word that was set twice gets back what it held before", AWordSetTwice},
      {"what was committed stays, what came after it is undone", WhatWasCommittedStays},
      {"a full journal is undone", AFullJournal},
      {"an entry whose change was not made is undone to the same", AnEntryWithoutItsChange},
      {"an entry that the count leaves out is not undone", AnEntryThatDoesNotCount},
      {"a journal with offsets outside of the cell is refused", OffsetsOutsideOfTheCell},
      {"a journal with too many entries is refused", TooLongAJournal},
  };
  return RunTests(argc, argv, tests);
}
