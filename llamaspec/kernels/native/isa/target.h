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
