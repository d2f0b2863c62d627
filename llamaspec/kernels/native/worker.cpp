#include "worker.h"

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#include <time.h>

int64_t computed(const Worker* workers, int n) {
    int64_t all = 0;
    for (int i = 0; i < n; i++) {
        clockid_t clock;
        timespec spent;
        if (pthread_getcpuclockid(workers[i].thread, &clock) || clock_gettime(clock, &spent)) return -1;
        all += (int64_t)spent.tv_sec * 1000000 + spent.tv_nsec / 1000;
    }
    return all;
}

void move_off_this_core(const Worker& worker) {
    cpu_set_t allowed, others;
    int here = sched_getcpu();
    if (here < 0 || pthread_getaffinity_np(worker.thread, sizeof(allowed), &allowed)) return;
    others = allowed;
    CPU_CLR(here, &others);
    if (CPU_COUNT(&others) == 0 || pthread_setaffinity_np(worker.thread, sizeof(others), &others)) return;
    pthread_setaffinity_np(worker.thread, sizeof(allowed), &allowed);  // it stays where it is, but may be moved again
}

#else

int64_t computed(const Worker*, int) { return -1; }

void move_off_this_core(const Worker&) {}

#endif
