#include "cpu.h"

#include <string.h>

#include <thread>
#if defined(__linux__)
#include <sched.h>
#include <sys/auxv.h>
#endif

static bool runs_here(const Kernels* kernels) {
    if (!kernels->name) return false;
    if (kernels == &llamaspec_generic) return true;
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (kernels == &llamaspec_avx2) return avx2;
    if (kernels == &llamaspec_avx_vnni) return avx2 && __builtin_cpu_supports("avxvnni");
    return kernels == &llamaspec_avx512 && avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                  __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__) && defined(__linux__)
    return kernels == &llamaspec_neon && (getauxval(AT_HWCAP) & (1 << 20)) != 0;  // asimddp
#elif defined(__aarch64__) && defined(__APPLE__)
    return kernels == &llamaspec_neon;
#else
    return false;
#endif
}

static const Kernels* const fastest_first[] = {&llamaspec_avx512, &llamaspec_avx_vnni, &llamaspec_avx2, &llamaspec_neon,
                                               &llamaspec_generic};

const Kernels* best_kernels() {
    for (const Kernels* kernels : fastest_first)
        if (runs_here(kernels)) return kernels;
    return &llamaspec_generic;
}

const Kernels* kernels_named(const char* name) {
    for (const Kernels* kernels : fastest_first)
        if (runs_here(kernels) && strcmp(kernels->name, name) == 0) return kernels;
    return nullptr;
}

int cores() {
#if defined(__linux__)
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
        int n = CPU_COUNT(&allowed);
        if (n > 0) return n;
    }
#endif
    unsigned n = std::thread::hardware_concurrency();
    return n > 0 ? (int)n : 1;
}
