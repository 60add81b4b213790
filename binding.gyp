{
  # Linux can be built with what other systems have to make do with, so that it is tested there:
  #   node-gyp configure -- -Dprocshare_wait=polling -Dprocshare_mutex=members -Dprocshare_memory=sidecar
  "variables": {
    "procshare_wait%": "system",
    "procshare_mutex%": "threads",
    "procshare_memory%": "system",
  },
  "targets": [
    {
      "target_name": "procshare",
      "sources": [
        "native/binding.cc",
        "native/js/addon_state.cc",
        "native/js/barrier_functions.cc",
        "native/js/collected.cc",
        "native/js/event_functions.cc",
        "native/js/external_buffer.cc",
        "native/js/js_error.cc",
        "native/js/lock_binding.cc",
        "native/js/parking_functions.cc",
        "native/js/process_functions.cc",
        "native/js/queue_functions.cc",
        "native/js/segment_functions.cc",
        "native/js/semaphore_functions.cc",
        "native/js/sync_object.cc",
        "native/js/wait_functions.cc",
        "native/shm/barrier.cc",
        "native/shm/guarded.cc",
        "native/shm/ledger.cc",
        "native/shm/parking.cc",
        "native/shm/ends.cc",
        "native/shm/ring_queue.cc",
        "native/shm/segment.cc",
        "native/shm/semaphore.cc",
        "native/shm/shared_lock.cc",
        "native/shm/waits.cc",
      ],
      "include_dirs": ["native", "<!(node -p \"require('node-addon-api').include_dir\")"],
      # SWALLOW: node-addon-api ends the process when it cannot throw, which nobody can in a worker that is being terminated.
      "defines": [
        "NAPI_VERSION=8",
        "NAPI_DISABLE_CPP_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
      ],
      "conditions": [
        ["OS=='linux'", {
          "sources": [
            "native/platform/posix/file_lock.cc",
            "native/platform/posix/member_mutex.cc",
            "native/platform/linux/memory_object.cc",
            "native/platform/linux/process_identity.cc",
            "native/platform/posix/process_identity.cc",
            "native/platform/posix/symbol_lookup.cc",
            "native/platform/posix/thread.cc",
          ],
          "conditions": [
            ["procshare_wait=='polling'", { "sources": ["native/platform/fallback/futex.cc"] },
              { "sources": ["native/platform/linux/futex.cc"] }],
            ["procshare_mutex=='members'", { "sources": ["native/platform/fallback/robust_mutex.cc"] },
              { "sources": ["native/platform/linux/robust_mutex.cc"] }],
            ["procshare_memory=='sidecar'", {
              "sources": ["native/platform/fallback/memory_sidecar.cc", "native/platform/fallback/named_memory.cc"],
            },
              { "sources": ["native/platform/linux/named_memory.cc"] }],
          ],
          # -flto: the fast path crosses three source files; a twentieth of a lock and unlock. In one partition, because the
          # compiler warns when it links several one after another. -fno-plt: two calls through a stub less in each.
          "cflags_cc": [
            "-std=c++17", "-Wall", "-Wextra", "-fvisibility=hidden", "-fno-plt", "-flto", "-flto-partition=one",
          ],
          "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
          # nodelete: a SharedArrayBuffer may outlive the worker that loaded the addon, and calls into it at its end.
          "ldflags": ["-Wl,-z,nodelete", "-flto", "-flto-partition=one"],
          "libraries": ["-lrt", "-pthread"],
        }],
        ["OS=='mac'", {
          "sources": [
            "native/platform/posix/file_lock.cc",
            "native/platform/darwin/futex.cc",
            "native/platform/posix/member_mutex.cc",
            "native/platform/darwin/memory_object.cc",
            "native/platform/fallback/memory_sidecar.cc",
            "native/platform/fallback/named_memory.cc",
            "native/platform/darwin/process_identity.cc",
            "native/platform/posix/process_identity.cc",
            "native/platform/fallback/robust_mutex.cc",
            "native/platform/darwin/stay_loaded.cc",
            "native/platform/posix/symbol_lookup.cc",
            "native/platform/posix/thread.cc",
          ],
          "xcode_settings": {
            "MACOSX_DEPLOYMENT_TARGET": "11.0",
            "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
            "CLANG_CXX_LIBRARY": "libc++",
            "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
            "GCC_ENABLE_CPP_RTTI": "NO",
            "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
            "LLVM_LTO": "YES",
            "WARNING_CFLAGS": ["-Wall", "-Wextra"],
          },
        }],
        ["OS=='win'", {
          "sources": [
            "native/platform/windows/futex.cc",
            "native/platform/windows/kernel_object.cc",
            "native/platform/windows/mapping_registry.cc",
            "native/platform/windows/memory_file.cc",
            "native/platform/windows/memory_name.cc",
            "native/platform/windows/named_memory.cc",
            "native/platform/windows/parking_table.cc",
            "native/platform/windows/process_identity.cc",
            "native/platform/windows/robust_mutex.cc",
            "native/platform/windows/symbol_lookup.cc",
            "native/platform/windows/thread_token.cc",
            "native/platform/windows/thread.cc",
          ],
          "defines": ["NOMINMAX", "WIN32_LEAN_AND_MEAN", "_WIN32_WINNT=0x0A00"],
          "libraries": ["advapi32.lib", "bcrypt.lib"],
          # Node's own settings choose the language version: C++17, and C++20 since Node 22.
          "msvs_settings": {
            "VCCLCompilerTool": {
              "AdditionalOptions": ["/permissive-", "/utf-8", "/Zc:__cplusplus"],
            },
          },
        }],
      ],
    },
  ],
}
