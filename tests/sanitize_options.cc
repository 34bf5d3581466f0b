// What the sanitizers do in programs built with SANITIZE=1.

// The leak check at exit stops all threads with ptrace(2), which a seccomp filter, a dropped capability or a process that
// is not dumpable forbids: it would fail programs that are right. Unit tests link without this file and do check for leaks.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
