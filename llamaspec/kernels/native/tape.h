// A forward pass as a flat list of operations over registers: recorded once per model (recorder.py), run for any number
// of rows in one call. A test compares these structures with their twins in structures.py.
#pragma once
#include <stdint.h>

#include "pack.h"

// `width` floats per row, rows `step` floats apart, row 0 at data. data null: a register, whose row 0 lies at
// arena + pass rows * at + column; at OUTPUT: at pass.logits + column.
struct Rows {
    float* data;
    int64_t at, column, step, width;
};
constexpr int64_t OUTPUT = -1;
constexpr int64_t PADDING = -1;  // the cell of rows that nobody reads: they leave nothing behind

// One of the arrays in which the cache keeps things: `heads` x `row` bytes per cell. Steps in bytes. ring: cells are
// numbered modulo so many (0: they are not).
struct Plane {
    uint8_t* data;
    int64_t slots, heads, cells, slot_step, head_step, cell_step, ring;
    int32_t type;  // KVType of table.h
};

struct RopeTable {  // row = position
    const float *cos, *sin;  // [positions, half]
    int64_t half, positions;
    int32_t interleaved;
};

struct Pass {
    float* arena;
    float* logits;          // [wanted_rows, vocabulary]
    float* const* features;  // by number of a mark: [rows, width], or null where nobody asked
    const int64_t* tokens;   // [rows], or null
    const float* hidden;     // [rows, width of the embedding] instead of tokens, or null
    const int64_t* wanted;   // [wanted_rows] numbers of rows, or null: all rows
    const int64_t *cells, *positions, *slots, *lengths;  // [rows]: as KVIndex says (protocol.py); cells: or PADDING
    const int64_t* paths;                                // [rows, path_width], or null
    const Plane* planes;
    const RopeTable* ropes;
    int64_t rows, wanted_rows, path_width, n_planes, n_ropes, n_features;
    int32_t threads;
};

enum OpKind {
    OP_EMBED,     // y = scale * weight[token], or pass.hidden as it is
    OP_SELECT,    // y[i] = x[wanted[i]]
    OP_MARK,      // pass.features[number] = x
    OP_NORM,      // every one of `groups` parts of a row by itself
    OP_PRODUCTS,  // y = x w^T + bias + residual, several of one x
    OP_HEADS,     // head h: y_h = x_h w_h^T, w a stack
    OP_COPY,      // `width` values of every head
    OP_ROTATE,    // 2 * half values of every head, from `offset` on; the rest is copied
    OP_APPEND,    // x [heads, width] into a plane, at the rows' cells
    OP_ATTEND,
    OP_GATE,      // y = activation(gate) * up, or activation(gate) without up
    OP_ELEMENT,
    OP_ROUTE,     // which experts a row goes to
    OP_EXPERTS,   // y = sum over the chosen, by rising number, of weight * down(activation(gate x) * up x)
    OP_CONV,      // causal and per channel, over the inputs in a plane
    OP_DELTA,     // gated delta rule; writes k, v, beta and decay to its plane of inputs itself
    OP_DECAY,     // y = e^(rate * softplus(x + bias))
    OP_LOOKUP,    // y = scale * weight[token or position]
    OP_TEMPER,    // y = x times what grows with the logarithm of the position
    OP_INDEX,     // which positions a row attends to
};

struct Op {
    int32_t kind, wanted;  // wanted: works on pass.wanted_rows rows instead of pass.rows
    const void* arguments;
};

struct EmbedOp {
    Rows y;
    const uint8_t* weight;  // [vocabulary, y.width] as the file holds it; null: hidden rows only
    int64_t vocabulary;
    int32_t type;
    float scale;
};

struct LookupOp {
    Rows y;
    const uint8_t* weight;  // [count, y.width] as the file holds it
    int64_t count;
    int32_t type, by_position;  // else by token
    float scale;
};

struct SelectOp {
    Rows x, y;
};

struct MarkOp {
    Rows x;
    int64_t number;
};

enum NormKind { NORM_RMS, NORM_LAYER, NORM_L2 };  // L2: x / sqrt(sum of squares + eps)
struct NormOp {
    Rows x, y;
    const float *weight, *bias;  // [width / groups], or [width] with weight_step = width / groups; may be null
    int64_t groups, weight_step;
    int32_t kind;
    float eps;
};

struct Part {  // one product of several
    const Packed* w;
    const float* bias;  // [w->rows] or null
    Rows y, residual;   // residual.width 0: none; it may be y
};
struct ProductsOp {
    Rows x;
    const Part* parts;
    int64_t n;
};

struct HeadsOp {
    Rows x, y;
    const Packed* w;  // w->count matrices [rows, columns]: x [count * columns] -> y [count * rows]
};

struct CopyOp {
    Rows x, y;
    int64_t heads, x_step, x_offset, y_step, y_offset, width;  // steps from head to head inside a row
};

struct RotateOp {
    Rows x, y;  // y may be x
    int64_t heads, offset, rope;
};

struct AppendOp {
    Rows x;
    int64_t heads, plane;
};

struct AttendOp {
    Rows q, y;
    const float* sinks;  // [heads] or null
    int64_t k, v;        // planes; v may be k: then values are the first value_width of each key
    int64_t heads, kv_heads, width, value_width, window;  // window 0: all positions
    int32_t chunked;  // a row sees the positions of its own window-wide chunk, not the last `window`
    float scale, softcap;
    Rows chosen;  // positions as OP_INDEX gives them; width 0: none
};

enum Activation {
    ACT_NONE,
    ACT_SILU,
    ACT_GELU,
    ACT_GELU_ERF,
    ACT_SIGMOID,
    ACT_RELU2,
    ACT_SWIGLU_OAI,
    ACT_RELU,
    ACT_SOFTPLUS,
    ACT_EXP_TAIL,
};
// GELU: the tanh form. EXP_TAIL: e^z - 1 - z, z = min(x, 0). SWIGLU_OAI (gpt-oss): g = min(g, limit), u = clamp(u, +-limit), g * sigmoid(1.702 g) * (u + 1).
struct GateOp {
    Rows gate, up, y;  // up.width 0: none. gate.width 1: one value for the whole row
    int32_t activation;
    float limit;  // 0: none. Else up is clamped to +-limit, activation(gate) to at most limit (SWIGLU_OAI: as above)
};

enum Element { ELEMENT_ADD, ELEMENT_MULTIPLY, ELEMENT_SCALE, ELEMENT_SOFTCAP };
struct ElementOp {  // a + b, a * b, factor * a, factor * tanh(a / factor); y may be a or b. b: not used by the last two
    Rows a, b, y;
    int32_t kind;
    float factor;
};

enum Gating { GATING_SOFTMAX, GATING_SIGMOID, GATING_CHOSEN_SOFTMAX, GATING_SQRT_SOFTPLUS };
struct RouteOp {      // spec/models.md 1.4; of equal scores the lower number wins; numbers rise in each row
    Rows logits;      // [experts]
    Rows chosen;      // [used] int32 in the place of floats
    Rows weights;     // [used]
    const float* bias;  // [experts] or null: for the choice only
    int64_t used, groups, groups_used;
    int32_t gating, normalize;
    float scale;
};

struct ExpertsOp {
    Rows x, chosen, weights, y;
    const Packed *gate, *up, *down;  // stacks; gate may be null: activation(up x) alone
    const float *gate_bias, *up_bias, *down_bias;  // [experts, out] or null: inside the scale of the product
    const float *gate_scale, *up_scale, *down_scale;  // [experts] or null: of the products
    int64_t used;
    int32_t activation, weigh_input;  // weigh_input: the weight multiplies x, not the result (llama4)
    float limit;
};

struct ConvOp {
    Rows x, y;            // x [channels] was appended to the plane (float, 1 head) by OP_APPEND before
    const float *weight;  // [channels, kernel]; the last column is for the row itself
    const float *bias;    // [channels] or null
    int64_t kernel, plane;
    int32_t activation;
};

// Gated delta rule (spec/models.md 2.3): S <- S e^g; d = (v - S^T k) beta; S += k d^T; y = S^T q * scale, per value
// head, S [size, value_size]. Not corrected (Mamba-2): d = v beta. skip: y += skip * v. A slot's base state is that after `base` tokens of it. Rows start from the base state, run over the inputs of
// their own path from there on (the cells that KVIndex names) and never change it. Before anything else a pass moves
// the base to `lengths`, the committed tokens: with the end state of the last pass where that is it (`ahead`), else by
// running over the inputs in the committed cells. Rows that are a chain in the cells of their positions leave their end
// state ahead, and a pass that goes on there, before anything is committed, starts from it. PASS_OUT_OF_RANGE where the
// base is older than the ring of inputs, or younger than `lengths`.
struct DeltaOp {
    Rows q, k, v, beta, decay, y;  // q, k [key_heads * size]; v, y [heads * value_size]; beta [heads]; decay (e^g)
                                   // [heads], or by channel [heads * size]: one for each row of S
    const float* skip;             // [heads] or null
    int64_t heads, key_heads, size, value_size;
    int64_t inputs;  // plane of floats, 1 head, a ring: k, v, beta, decay of a cell, one behind the other
    int64_t states;  // plane of floats [slots, 2 * heads, size * value_size]: base and ahead; states.cells = 1
    int64_t marks;   // plane of int64 [slots, 3]: base length, ahead length (-1: none), which half is the base
    int32_t tiled;   // key head of value head i: i % key_heads, else i / (heads / key_heads)
    int32_t corrected, by_channel;
    float scale;
};

// How a gated delta rule forgets. softplus(z) = log(1 + e^z), z itself above 20.
struct DecayOp {
    Rows x, y;
    const float *bias, *rate;  // [width]
};

// y = x * (1 + scale * log(1 + floor((position + offset) / length)))
struct TemperOp {
    Rows x, y;
    int64_t length, offset;
    float scale;
};

// Of the positions that a row sees, the `used` with the highest sum over heads of weight * max(0, q . key), of equal ones
// the earlier, rising; a row that sees no more than `used` gets -1 first, and sees all of them.
struct IndexOp {
    Rows q, weights, y;  // [heads * size], [heads]; [used] int32 in the place of floats
    int64_t keys;        // plane of floats, 1 head
    int64_t heads, size, used;
};

enum PassResult { PASS_DONE, PASS_OUT_OF_MEMORY, PASS_OUT_OF_RANGE };
