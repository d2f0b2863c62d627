// Threads that wait without burning a core: a short spin, then sleep.
#pragma once
#include <stdint.h>

constexpr int MAX_THREADS = 256;

// Calls work(context, begin, end) for pieces that cover [0, items), on up to `threads` threads, this one included.
// Every thread starts with its own share and then helps the others, so a core that is busy elsewhere costs little.
// Who does a piece is open, so no result may depend on it. Pieces are at most `grain` items.
// May be called from several threads and after fork(): if the pool is taken, the caller works alone.
void share_work(int threads, int64_t items, int64_t grain, void (*work)(void* context, int64_t begin, int64_t end),
                void* context);

template <class Work>
void share(int threads, int64_t items, int64_t grain, Work& work) {
    share_work(
        threads, items, grain, [](void* w, int64_t begin, int64_t end) { (*(Work*)w)(begin, end); }, &work);
}
