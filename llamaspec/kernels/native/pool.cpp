#include "pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "worker.h"

namespace {

constexpr uint64_t OPEN = 1 << 15, INSIDE = OPEN - 1, THREAD = 1 << 16, NUMBER = (uint64_t)1 << 32;
constexpr int64_t STALL = 700, SHORTEST_HOLD = 4000, LONGEST_HOLD = 512000;  // microseconds
constexpr int64_t ABSENT = 300, MOVE_PAUSE = 2000;                             // of work
constexpr int SPIN_MICROSECONDS = 40;  // longer than the glue between two calls, far shorter than a time slice

inline void relax() {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

int64_t microseconds() {
    auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

template <class Done>
bool spin(Done done) {
    int64_t end = microseconds() + SPIN_MICROSECONDS;
    for (;;) {
        for (int i = 0; i < 64; i++) {
            if (done()) return true;
            relax();
        }
        if (microseconds() >= end) return done();
    }
}

// A worker that is taken off its core in the middle of a piece holds everybody up for a time slice. After such a stall
// its place stays empty for a while, longer each time it happens again soon.
struct StallBackoff {
    int most = MAX_THREADS;  // may take part until `until`
    int64_t until = 0, hold = SHORTEST_HOLD;

    int allowed(int threads) const { return threads <= most || microseconds() >= until ? threads : most; }
    void stalled(int threads, int late) {
        int64_t now = microseconds();
        hold = now < until + 2 * hold ? (2 * hold < LONGEST_HOLD ? 2 * hold : LONGEST_HOLD) : SHORTEST_HOLD;
        most = threads - late > 1 ? threads - late : 1;
        until = now + hold;
    }
};

struct alignas(64) Share {
    std::atomic<int64_t> next;
    int64_t end;
};

struct Pool {
    std::mutex taken;  // one job at a time
    StallBackoff backoff;
    int n_workers = 0;  // threads started, all but the caller's
    Worker workers[MAX_THREADS];
    Share shares[MAX_THREADS];
    void (*work)(void*, int64_t, int64_t) = nullptr;
    void* context = nullptr;
    int64_t grain = 1;

    // Number of the job * NUMBER + threads that may take part * THREAD + OPEN + workers inside. A worker that comes
    // late, because its core is busy elsewhere, finds the job closed and is not waited for.
    alignas(64) std::atomic<uint64_t> job{0};
    alignas(64) std::atomic<int> sleepers{0};
    std::atomic<bool> owner_sleeps{false};
    std::mutex door;
    std::condition_variable wake, finished;

    bool enter(int self, uint64_t number) {
        uint64_t now = job.load(std::memory_order_relaxed);
        while (now / NUMBER == number && (now & OPEN))
            if (job.compare_exchange_weak(now, now + 1, std::memory_order_acquire, std::memory_order_relaxed)) {
                workers[self - 1].last.store(number, std::memory_order_relaxed);
                return true;
            }
        return false;
    }

    void leave() {
        uint64_t before = job.fetch_sub(1);
        if ((before & INSIDE) == 1 && !(before & OPEN) && owner_sleeps.load()) {
            std::lock_guard<std::mutex> lock(door);
            finished.notify_one();
        }
    }

    int64_t take_part(int self, int threads) {  // returns the longest piece's microseconds
        int64_t longest = 0, before = microseconds();
        for (int i = 0; i < threads; i++) {
            Share& share = shares[(self + i) % threads];
            for (;;) {
                if (share.next.load(std::memory_order_relaxed) >= share.end) break;
                int64_t begin = share.next.fetch_add(grain, std::memory_order_relaxed);
                if (begin >= share.end) break;
                work(context, begin, begin + grain < share.end ? begin + grain : share.end);
                int64_t now = microseconds();
                longest = now - before > longest ? now - before : longest;
                before = now;
            }
        }
        return longest;
    }

    void live(int self) {
        uint64_t seen = 0;
        for (;;) {
            auto called = [&] { return job.load() / NUMBER != seen; };
            if (!spin(called)) {
                std::unique_lock<std::mutex> lock(door);
                sleepers++;
                wake.wait(lock, called);
            }
            uint64_t now = job.load();
            seen = now / NUMBER;
            int threads = (int)(now % NUMBER / THREAD);
            if (self >= threads || !enter(self, seen)) continue;
            take_part(self, threads);
            leave();
        }
    }

    int grow(int threads) {  // returns how many can take part
        while (n_workers < threads - 1) {
            try {
                int self = n_workers + 1;
                std::thread worker([this, self] { live(self); });
                workers[n_workers].thread = worker.native_handle();
                worker.detach();
            } catch (const std::system_error&) { break; }
            n_workers++;
        }
        return threads < n_workers + 1 ? threads : n_workers + 1;
    }

    // A worker that has missed several jobs probably waits for the core that this thread computes on.
    void fetch_the_absent(int threads, int64_t duration) {
        uint64_t number = job.load(std::memory_order_relaxed) / NUMBER;
        for (int i = 0; i < threads - 1; i++) {
            Worker& worker = workers[i];
            worker.absent = worker.last.load(std::memory_order_relaxed) == number ? 0 : worker.absent + duration;
            if (worker.absent < ABSENT) continue;
            move_off_this_core(worker);
            worker.absent = -MOVE_PAUSE;
        }
    }

    void run(int threads, int64_t items, int64_t grain_, void (*work_)(void*, int64_t, int64_t), void* context_) {
        threads = grow(threads);
        work = work_, context = context_, grain = grain_;
        for (int i = 0; i < threads; i++) {
            shares[i].next.store(items * i / threads, std::memory_order_relaxed);
            shares[i].end = items * (i + 1) / threads;
        }
        job.store((job.load() / NUMBER + 1) * NUMBER + (uint64_t)threads * THREAD + OPEN);
        if (sleepers.load() > 0) {
            std::lock_guard<std::mutex> lock(door);
            sleepers.store(0);
            wake.notify_all();
        }
        int64_t start = microseconds(), longest = take_part(0, threads);
        job.fetch_and(~OPEN);
        fetch_the_absent(threads, microseconds() - start);
        wait_for_the_late(threads, longest);
    }

    void wait_for_the_late(int threads, int64_t longest) {
        auto alone = [&] { return (job.load() & INSIDE) == 0; };
        if (spin(alone)) return;
        int late = (int)(job.load() & INSIDE);
        int64_t start = microseconds(), before = computed(workers, n_workers);
        sleep_until(alone);
        int64_t waited = microseconds() - start;
        if (late == 0 || waited <= STALL + 2 * longest) return;
        if (before < 0 || computed(workers, n_workers) - before < waited * late / 2) backoff.stalled(threads, late);
    }

    template <class Done>
    void sleep_until(Done alone) {
        std::unique_lock<std::mutex> lock(door);
        owner_sleeps.store(true);
        finished.wait(lock, alone);
        owner_sleeps.store(false);
    }
};

std::atomic<Pool*> current{nullptr};

// The child of a fork has the memory of the threads but not the threads: it starts a pool of its own.
void forget() { current.store(nullptr); }

Pool* pool() {
    Pool* existing = current.load();
    if (existing) return existing;
    Pool* fresh = new (std::nothrow) Pool;
    if (!fresh || current.compare_exchange_strong(existing, fresh)) {
#if defined(__unix__) || defined(__APPLE__)
        static int once = pthread_atfork(nullptr, nullptr, forget);
        (void)once;
#endif
        return fresh;
    }
    delete fresh;
    return existing;
}

}  // namespace

void share_work(int threads, int64_t items, int64_t grain, void (*work)(void*, int64_t, int64_t), void* context) {
    if (items <= 0) return;
    int64_t pieces = (items + grain - 1) / grain;
    if (threads > pieces) threads = (int)pieces;
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    Pool* shared = threads > 1 ? pool() : nullptr;
    if (shared && shared->taken.try_lock()) {
        threads = shared->backoff.allowed(threads);
        if (threads > 1) shared->run(threads, items, grain, work, context);
        shared->taken.unlock();
        if (threads > 1) return;
    }
    work(context, 0, items);
}
