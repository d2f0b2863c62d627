// A thread of the pool as others see it: where it runs, and what it has computed.
#pragma once
#include <stdint.h>

#include <atomic>
#include <thread>

struct alignas(64) Worker {
    std::thread::native_handle_type thread;
    std::atomic<uint64_t> last{0};  // number of the job that it took part in last
    int64_t absent = 0;             // microseconds of jobs that were done without it since then
};

// CPU time of all of them, in microseconds. A worker that is slow for another reason than a busy core (a page that has
// to be found first) goes on computing. -1: not known on this system.
int64_t computed(const Worker* workers, int n);

// Moves the worker from the core that the caller runs on to another one that it may use, if there is one. Systems can
// put a thread that wakes up onto the core of the one that woke it, beside an idle one, and leave it there for long.
void move_off_this_core(const Worker& worker);
