#include "cpu.h"

#include <string.h>

#include <thread>
#if defined(__linux__)
#include <sched.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

// Linux hands out the matrix unit's registers, 8 kB per thread, only to processes that ask.
static bool may_use_matrix_unit() {
#if defined(__x86_64__) && defined(__linux__)
    constexpr long ASK = 0x1023, TILE_DATA = 18;  // ARCH_REQ_XCOMP_PERM
    return __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-int8") &&
           syscall(SYS_arch_prctl, ASK, TILE_DATA) == 0;
#else
    return false;
#endif
}

static const Kernels* amx() {
    static const Kernels kernels = [] {
        Kernels all = llamaspec_avx512;
        all.name = "amx";
        all.wide = llamaspec_amx;
        return all;
    }();
    return &kernels;
}

static bool runs_here(const Kernels* kernels) {
    if (!kernels->name) return false;
    if (kernels == &llamaspec_generic) return true;
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (kernels == &llamaspec_avx2) return avx2;
    if (kernels == &llamaspec_avx_vnni) return avx2 && __builtin_cpu_supports("avxvnni");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                  __builtin_cpu_supports("avx512vnni");
    return avx512 && (kernels == &llamaspec_avx512 || (kernels == amx() && may_use_matrix_unit()));
#elif defined(__aarch64__) && defined(__linux__)
    return kernels == &llamaspec_neon && (getauxval(AT_HWCAP) & (1 << 20)) != 0;  // asimddp
#elif defined(__aarch64__) && defined(__APPLE__)
    return kernels == &llamaspec_neon;
#else
    return false;
#endif
}

const Kernels* kernels_named(const char* name) {
    const Kernels* const fastest_first[] = {amx(),           &llamaspec_avx512, &llamaspec_avx_vnni,
                                            &llamaspec_avx2, &llamaspec_neon,   &llamaspec_generic};
    for (const Kernels* kernels : fastest_first)
        if (runs_here(kernels) && (!name || strcmp(kernels->name, name) == 0)) return kernels;
    return nullptr;
}

const Kernels* best_kernels() { return kernels_named(nullptr); }

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
