// Processes of a test on Windows, which has no fork: the same program again, in a role that its command line names.
#pragma once

#include <windows.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "check.h"
#include "platform/named_memory.h"
#include "platform/windows/kernel_object.h"

namespace procshare::testing {

// The memory that parent and children share: named memory with a T in it.
template <class T>
class Board {
 public:
  // The parent's.
  Board() : name_(TestName("board")) {
    Result<NamedMemory> made = NamedMemory::Create(name_, (sizeof(T) + 4095) / 4096 * 4096, 0600);
    CHECK(made.ok());
    memory_ = std::make_unique<NamedMemory>(std::move(made.value()));
    new (memory_->mapping()->data()) T();
    CHECK(memory_->Publish().ok());
  }
  // A child's, or another view of it.
  explicit Board(const std::string& name) : name_(name) {
    Result<NamedMemory> attached = NamedMemory::Attach(name, false, Deadline::AfterMs(kPatienceMs));
    CHECK(attached.ok());
    memory_ = std::make_unique<NamedMemory>(std::move(attached.value()));
  }
  const std::string& name() const { return name_; }
  T* operator->() const { return reinterpret_cast<T*>(memory_->mapping()->data()); }
  T& operator*() const { return *operator->(); }

 private:
  std::string name_;
  std::unique_ptr<NamedMemory> memory_;
};

class Child {
 public:
  Child(const std::string& role, const std::vector<std::string>& arguments) {
    wchar_t program[MAX_PATH];
    GetModuleFileNameW(nullptr, program, MAX_PATH);
    std::wstring line = L"\"" + std::wstring(program) + L"\" --role " + std::wstring(role.begin(), role.end());
    for (const std::string& argument : arguments) line += L" " + std::wstring(argument.begin(), argument.end());
    STARTUPINFOW startup = {};
    startup.cb = sizeof startup;
    PROCESS_INFORMATION made;
    // On a busy machine, Wine sometimes reports this for a process that ended before it had loaded anything.
    DWORD error = ERROR_INTERNAL_ERROR;
    for (int attempts = 0; error == ERROR_INTERNAL_ERROR && attempts < 5; ++attempts) {
      const BOOL started =
          CreateProcessW(program, line.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &startup, &made);
      error = started ? 0 : GetLastError();
    }
    CHECK_EQ(error, 0u);
    CloseHandle(made.hThread);
    process_ = Handle(made.hProcess);
  }
  ~Child() {
    if (process_.valid()) Kill();
  }
  Child(Child&&) = default;
  Child& operator=(Child&&) = delete;

  void Kill() {
    TerminateProcess(process_.get(), 9);
    WaitForSingleObject(process_.get(), INFINITE);
    process_.Reset();
  }
  void ExpectEnd() {
    CHECK_EQ(WaitForSingleObject(process_.get(), static_cast<DWORD>(kPatienceMs) * 3), WAIT_OBJECT_0);
    DWORD code = 1;
    GetExitCodeProcess(process_.get(), &code);
    CHECK_EQ(code, 0u);
    process_.Reset();
  }

 private:
  Handle process_;
};

struct Role {
  const char* name;
  void (*run)(const std::vector<std::string>& arguments);
};

// Runs the role that the command line names, or the tests.
template <size_t kRoles, size_t kTests>
int RunProgram(int argc, char** argv, const Role (&roles)[kRoles], const Test (&tests)[kTests]) {
  if (argc < 3 || strcmp(argv[1], "--role") != 0) return RunTests(argc, argv, tests);
  LimitProgram(120);
  for (const Role& role : roles) {
    if (strcmp(argv[2], role.name) != 0) continue;
    role.run({argv + 3, argv + argc});
    return 0;
  }
  return 2;
}

}  // namespace procshare::testing
