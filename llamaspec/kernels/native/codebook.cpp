#include "quants/codebook.h"

#include <string.h>

#include "api.h"

uint8_t iq1_s_book[2048 * 8], iq1_m_book[2048 * 8], iq2_xxs_book[256 * 8], iq2_xs_book[512 * 8], iq2_s_book[1024 * 8],
    iq3_xxs_book[256 * 4], iq3_s_book[512 * 4];

namespace {

struct Book {
    int type;  // number in GGUF
    uint8_t* entries;
    int64_t bytes;
};

const Book books[] = {{16, iq2_xxs_book, sizeof iq2_xxs_book}, {17, iq2_xs_book, sizeof iq2_xs_book},
                      {18, iq3_xxs_book, sizeof iq3_xxs_book}, {19, iq1_s_book, sizeof iq1_s_book},
                      {21, iq3_s_book, sizeof iq3_s_book},     {22, iq2_s_book, sizeof iq2_s_book},
                      {29, iq1_m_book, sizeof iq1_m_book}};

const Book* book_of(int type) {
    for (const Book& book : books)
        if (book.type == type) return &book;
    return nullptr;
}

}  // namespace

int64_t llamaspec_codebook_bytes(int type) {
    const Book* book = book_of(type);
    return book ? book->bytes : 0;
}

void llamaspec_codebook(int type, const uint8_t* ranks) {
    const Book* book = book_of(type);
    memcpy(book->entries, ranks, (size_t)book->bytes);
}
