// Which cell holds a position of a row's sequence (KVIndex).
#pragma once
#include <stdint.h>

namespace {  // compiled once per instruction set: no copy may serve another one's machines

struct CellMap {
    int64_t length, path_width, cells, ring;
    const int64_t* path;
    int64_t cell(int64_t position) const {
        int64_t cell = position;
        if (path && position >= length) {
            int64_t step = position - length;
            cell = path[step < path_width ? step : path_width - 1];
        }
        if (cell < 0) return 0;
        return ring ? cell % ring : cell < cells ? cell : cells - 1;
    }
};

}  // namespace
