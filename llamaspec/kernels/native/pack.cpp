#include "pack.h"

#include <math.h>
#include <string.h>

#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "arena.h"
#include "lanes/generic.h"
#include "quants/all.h"
#include "pool.h"
#include "table.h"

namespace {

constexpr int64_t SLICE_BYTES = 8 << 20;  // of the file, that are packed at a time

// Gives the memory of a mapped file's pages back; they are read again when somebody needs them.
void drop_pages(const uint8_t* bytes, int64_t n) {
#if defined(__linux__)
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)bytes / page * page;
    uintptr_t end = ((uintptr_t)bytes + (uintptr_t)n) / page * page;
    if (begin < end) madvise((void*)begin, end - begin, MADV_DONTNEED);
#else
    (void)bytes, (void)n;
#endif
}

template <class Q>
struct QuantPacker {
    static int64_t panel_bytes(int64_t groups) {
        int64_t whole = groups / CHUNK, rest = groups % CHUNK;
        return whole * Q::head(CHUNK) + (rest ? Q::head((int)rest) : 0) + groups * Q::Layout::BYTES;
    }
    // The 16 rows from `bytes` (fewer at the end of the matrix) become one panel.
    static void panel(const uint8_t* bytes, int rows, int64_t columns, uint8_t* to) {
        constexpr int SPAN = Q::ELEMENTS / 32;  // groups in a block
        int64_t groups = columns / 32, bytes_per_row = columns / Q::ELEMENTS * Q::BYTES;
        memset(to, 0, (size_t)panel_bytes(groups));
        uint8_t q[Q::ELEMENTS];
        for (int64_t done = 0; done < groups; done += CHUNK) {
            int chunk = groups - done < CHUNK ? (int)(groups - done) : CHUNK;
            uint8_t* body = to + Q::head(chunk);
            for (int lane = 0; lane < rows; lane++)
                for (int g = 0; g < chunk; g += SPAN) {
                    const uint8_t* block = bytes + lane * bytes_per_row + (done + g) / SPAN * Q::BYTES;
                    Q::store(to, g, lane, block);
                    Q::quants(block, q);
                    for (int i = 0; i < Q::ELEMENTS; i += 4) {
                        uint32_t quad;
                        memcpy(&quad, q + i, 4);
                        Q::Layout::place(body + (g + i / 32) * Q::Layout::BYTES, lane, i / 4 % 8, quad);
                    }
                }
            to = body + chunk * Q::Layout::BYTES;
        }
    }
    static void decode(const uint8_t* block, float* out) {
        constexpr int RUN = 32 / Q::PARTS;
        uint8_t q[Q::ELEMENTS];
        Q::quants(block, q);
        for (int i = 0; i < Q::ELEMENTS; i++) {
            float value = Q::scale(block, i / RUN) * (float)(Q::Layout::quant(q[i]) - Q::OFFSET);
            out[i] = Q::MINIMUM ? value - Q::minimum(block, i / RUN) : value;
        }
    }
};

float plain_value(int type, const uint8_t* at) {
    if (type == 1) return half_to_float(read_u16(at));
    if (type == 30) return bf16_to_float(read_u16(at));
    float value;
    memcpy(&value, at, 4);
    return value;
}

void plain_panel(int type, const uint8_t* bytes, int rows, int64_t columns, uint8_t* to) {
    int size = type == 0 ? 4 : 2;
    memset(to, 0, (size_t)((columns + 3) / 4 * 64 * size));
    for (int lane = 0; lane < rows; lane++)
        for (int64_t k = 0; k < columns; k++) {
            int64_t at = type == 30 ? k / 2 * 32 + 2 * lane + k % 2 : k * 16 + lane;  // BF16 in pairs
            memcpy(to + at * size, bytes + (lane * columns + k) * size, size);
        }
}

struct Format {
    int type, elements, bytes, offset, parts;
    int64_t (*panel_bytes)(int64_t groups);
    void (*panel)(const uint8_t* bytes, int rows, int64_t columns, uint8_t* to);
    void (*decode)(const uint8_t* block, float* out);
};

#define QUANT_FORMAT(number, Q)   \
    {number,                      \
     Q::ELEMENTS,                 \
     Q::BYTES,                    \
     rounding_offset<Q>(),        \
     Q::PARTS,                    \
     QuantPacker<Q>::panel_bytes, \
     QuantPacker<Q>::panel,       \
     QuantPacker<Q>::decode},

const Format formats[] = {EACH_QUANT(QUANT_FORMAT){0, 1, 4, 0, 0, nullptr, nullptr, nullptr},
                          {1, 1, 2, 0, 0, nullptr, nullptr, nullptr},
                          {30, 1, 2, 0, 0, nullptr, nullptr, nullptr}};

const Format* format_of(int type) {
    for (const Format& format : formats)
        if (format.type == type) return &format;
    return nullptr;
}

}  // namespace

int64_t row_bytes(int type, int64_t columns) {
    const Format* format = format_of(type);
    return format && columns > 0 && columns % format->elements == 0 ? columns / format->elements * format->bytes : 0;
}

Packed* pack(Arena* shared, int type, const uint8_t* bytes, int64_t count, int64_t rows, int64_t columns, int threads,
             bool mapped) {
    const Format* format = format_of(type);
    if (!format || rows <= 0 || count <= 0 || row_bytes(type, columns) == 0) return nullptr;
    bool quant = format->parts > 0;
    int64_t length = quant ? columns / 32 : (columns + 3) / 4, panels = (rows + PANEL - 1) / PANEL;
    int64_t panel_bytes = quant ? format->panel_bytes(length) : length * 64 * format->bytes;
    Arena* arena = shared ? shared : arena_new(0);
    uint8_t* data = arena ? arena_take(arena, (size_t)(panel_bytes * panels * count)) : nullptr;
    if (arena && !shared) arena_drop(arena);  // the matrix is its only user
    if (!data) return nullptr;
    Packed* made = new (std::nothrow) Packed{type,        format->offset, format->parts, rows, columns, length,
                                             panel_bytes, panels,         count,         data, arena};
    if (!made) {
        arena_drop(arena);
        return nullptr;
    }
    int64_t step = row_bytes(type, columns), first = 0;
    auto work = [&](int64_t begin, int64_t end) {
        for (int64_t i = first + begin; i < first + end; i++) {
            int64_t row = i % panels * PANEL, lanes = rows - row < PANEL ? rows - row : PANEL;
            const uint8_t* from = bytes + (i / panels * rows + row) * step;
            uint8_t* to = data + i * panel_bytes;
            if (quant) format->panel(from, (int)lanes, columns, to);
            else plain_panel(type, from, (int)lanes, columns, to);
        }
    };
    // in slices, behind each of which the file's pages go: a matrix is never there twice
    int64_t slice = 1 + SLICE_BYTES / (PANEL * step);
    for (; first < panels * count; first += slice) {
        int64_t n = panels * count - first < slice ? panels * count - first : slice;
        share(threads, n, 4, work);
        if (!mapped) continue;
        int64_t begin = first / panels * rows + first % panels * PANEL, end = (first + n) / panels * rows;
        end += (first + n) % panels * PANEL;
        drop_pages(bytes + begin * step, (end < rows * count ? end - begin : rows * count - begin) * step);
    }
    return made;
}

void unpack_row(int type, const uint8_t* row, int64_t columns, float* out) {
    const Format* format = format_of(type);
    for (int64_t k = 0; k < columns; k += format->elements, row += format->bytes) {
        if (format->parts > 0) format->decode(row, out + k);
        else out[k] = plain_value(type, row);
    }
}

void release(Packed* packed) {
    if (packed) arena_drop(packed->arena);
    delete packed;
}
