// Between TARGET_BEGIN and TARGET_END functions may use instructions that the command line does not allow.
#pragma once
#define PRAGMA_OF(text) _Pragma(#text)
#define PRAGMA(text) PRAGMA_OF(text)
#if defined(__clang__)
#define TARGET_BEGIN(names) PRAGMA(clang attribute push(__attribute__((target(names))), apply_to = function))
#define TARGET_END PRAGMA(clang attribute pop)
#else
#define TARGET_BEGIN(names) PRAGMA(GCC push_options) PRAGMA(GCC target(names))
#define TARGET_END PRAGMA(GCC pop_options)
#endif

#define AVX2 "avx2,fma,f16c"
#define AVX_VNNI AVX2 ",avxvnni"
#define AVX512 AVX2 ",avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"
#define AMX AVX512 ",amx-tile,amx-int8"
#if defined(__clang__)
#define NEON "dotprod"
#else
#define NEON "arch=armv8.2-a+dotprod"
#endif
