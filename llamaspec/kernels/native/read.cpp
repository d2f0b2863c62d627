#include "api.h"
#include "pool.h"

float llamaspec_read(const uint8_t* bytes, int64_t n, int threads) {
    constexpr int64_t PIECE = 128 << 10;
    const Kernels* kernels = llamaspec_kernels();
    float highest = 0;
    auto work = [&](int64_t begin, int64_t end) {
        int64_t last = end * PIECE < n ? end * PIECE : n;
        float found = kernels->read(bytes + begin * PIECE, last - begin * PIECE);
        if (found > highest) highest = found;  // which thread comes last does not matter: nobody needs the answer
    };
    share(threads, (n + PIECE - 1) / PIECE, 1, work);
    return highest;
}
