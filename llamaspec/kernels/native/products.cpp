// Products of a tape: several matrices of one x, or one matrix of a stack for every head of x.
#include "matmul.h"
#include "run.h"

bool run_products(const ProductsOp& op, const Run& run) {
    constexpr int64_t AT_ONCE = 8;
    const float* x = run.at(op.x);
    for (int64_t first = 0; first < op.n; first += AT_ONCE) {
        Product products[AT_ONCE];
        int n = (int)(op.n - first < AT_ONCE ? op.n - first : AT_ONCE);
        for (int i = 0; i < n; i++) {
            const Part& part = op.parts[first + i];
            const float* residual = part.residual.width ? run.at(part.residual) : nullptr;
            products[i] = {part.w, run.at(part.y), part.y.step, part.bias, residual, part.residual.step, 0};
        }
        if (!multiply(run.kernels, x, op.x.step, run.rows, products, n, run.pass.threads)) return false;
    }
    return true;
}

bool run_heads(const HeadsOp& op, const Run& run) {
    static thread_local Buffer of_tiles, of_jobs;
    const Packed* w = op.w;
    const float* x = run.at(op.x);
    float* y = run.at(op.y);
    Prepared plan = plan_tiles(run.kernels, w, run.rows, nullptr);
    uint8_t* tiles = of_tiles.raw(w->count * plan.bytes());
    uint8_t* memory = of_jobs.raw(w->count * (int64_t)(sizeof(Job) + sizeof(Prepared)));
    if (!tiles || !memory) return false;
    Job* jobs = (Job*)memory;
    Prepared* heads = (Prepared*)(jobs + w->count);
    for (int64_t head = 0; head < w->count; head++) {
        heads[head] = plan, heads[head].data = tiles + head * plan.bytes();
        jobs[head] = {heads + head, {w, y + head * w->rows, op.y.step, nullptr, nullptr, 0, head}};
    }
    auto prepare = [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            int64_t head = i / plan.tiling.tiles;
            prepare_tile(run.kernels, x + head * w->columns, op.x.step, w, heads[head], i % plan.tiling.tiles);
        }
    };
    int threads = run.rows * w->count * w->columns > PREPARE_ALONE ? run.pass.threads : 1;
    share(threads, w->count * plan.tiling.tiles, 1, prepare);
    return multiply_jobs(run.kernels, jobs, w->count, run.pass.threads);
}
