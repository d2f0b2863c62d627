// Memory aligned to cache lines, and memory that is kept between calls.
#pragma once
#include <stdint.h>
#include <stdlib.h>
#if defined(_WIN32)
#include <malloc.h>
#endif

inline void* aligned_reserve(size_t alignment, size_t bytes) {  // null: no memory
#if defined(_WIN32)
    return _aligned_malloc(bytes, alignment);
#else
    void* at = nullptr;
    return posix_memalign(&at, alignment, bytes) == 0 ? at : nullptr;
#endif
}

inline void aligned_release(void* at) {
#if defined(_WIN32)
    _aligned_free(at);
#else
    free(at);
#endif
}

// It only grows: the decode path allocates nothing. One per thread and purpose.
struct Buffer {
    void* data = nullptr;
    size_t bytes = 0;
    bool need(int64_t n) {  // false: no memory
        if ((size_t)n <= bytes) return true;
        aligned_release(data);
        size_t more = (size_t)n + (size_t)n / 4;  // a context that grows by a token is not to allocate for each
        data = aligned_reserve(64, more), bytes = data ? more : 0;
        return data != nullptr;
    }
    uint8_t* raw(int64_t n) { return need(n) ? (uint8_t*)data : nullptr; }
    float* floats(int64_t n) { return need(n * (int64_t)sizeof(float)) ? (float*)data : nullptr; }
    int64_t* numbers(int64_t n) { return need(n * (int64_t)sizeof(int64_t)) ? (int64_t*)data : nullptr; }
    ~Buffer() { aligned_release(data); }
};
