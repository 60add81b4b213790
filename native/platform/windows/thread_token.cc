#include "platform/windows/thread_token.h"

#include "platform/compiler.h"
#include "platform/process_identity.h"

namespace procshare {
namespace {

thread_local ThreadToken* current = nullptr;

// Runs at the end of the thread. Nothing runs on the thread afterwards that could own a mutex or wait.
void WINAPI AtThreadEnd(void* token) {
  delete static_cast<ThreadToken*>(token);
  current = nullptr;
}

bool Exists(const Handle& made) { return made.valid() && GetLastError() != ERROR_ALREADY_EXISTS; }

PROCSHARE_COLD const ThreadToken* MakeToken() {
  static const DWORD slot = FlsAlloc(AtThreadEnd);
  if (slot == FLS_OUT_OF_INDEXES) return nullptr;
  const uint64_t id = RandomId() & ~uint64_t{3};
  if (id == 0) return nullptr;
  Handle alive(CreateMutexW(SecurityOfMutexes(), TRUE, ObjectName('t', id).get()));
  if (!Exists(alive)) return nullptr;
  Handle wake(CreateEventW(SecurityOfEvents(), FALSE, FALSE, ObjectName('e', id).get()));
  if (!Exists(wake)) return nullptr;
  ThreadToken* const token = new ThreadToken{id, std::move(alive), std::move(wake)};
  FlsSetValue(slot, token);
  current = token;
  return token;
}

bool IsMissing(DWORD error) {
  return error == ERROR_FILE_NOT_FOUND || error == ERROR_INVALID_HANDLE;  // or an object of another kind has the name
}

}  // namespace

const ThreadToken* CurrentThread() { return Likely(current != nullptr) ? current : MakeToken(); }

Handle OpenLifeOf(uint64_t id, bool* ended) {
  Handle life(OpenMutexW(SYNCHRONIZE | MUTEX_MODIFY_STATE, FALSE, ObjectName('t', id).get()));
  *ended = !life.valid() && IsMissing(GetLastError());
  return life;
}

bool HasEnded(uint64_t id) {
  bool ended;
  const Handle life = OpenLifeOf(id, &ended);
  if (!life.valid()) return ended;
  const DWORD outcome = WaitForSingleObject(life.get(), 0);
  if (outcome != WAIT_OBJECT_0 && outcome != WAIT_ABANDONED) return false;
  ReleaseMutex(life.get());
  return true;
}

bool WakeThread(uint64_t id) {
  const Handle wake(OpenEventW(EVENT_MODIFY_STATE, FALSE, ObjectName('e', id).get()));
  if (!wake.valid()) return !IsMissing(GetLastError());
  SetEvent(wake.get());
  return true;
}

}  // namespace procshare
