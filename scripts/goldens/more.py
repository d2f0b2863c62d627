"""Families that few models belong to."""

from collections.abc import Callable
from typing import Any

from standard import standard
from toys import Toy, block

EXPERTS = {"expert_count": 4, "expert_used_count": 2, "expert_feed_forward_length": 16}


def mixture(
    arch: str, layers: int = 2, *, leading: int = 0, attention: Any = (), experts: Any = (), **keys: Any
) -> Callable[[], Toy]:
    """Blocks with experts behind `leading` dense ones. attention, experts: arguments of both parts."""

    def make() -> Toy:
        toy = Toy(arch, layers, **{**EXPERTS, **keys})
        for i in range(layers):
            block(toy, i, **dict(attention))
            if i < leading:
                toy.dense(i)
            else:
                toy.experts(i, **{"width": 16, **dict(experts)})
        return toy

    return make


def hy_v3() -> Toy:
    toy = mixture("hy_v3", leading=1, attention=NORMED, experts={"bias": True, "shared": 16}, **CHOSEN)()
    toy.tensors["blk.1.exp_probs_b"] = toy.tensors.pop("blk.1.exp_probs_b.bias")
    return toy


def layered(
    arch: str, *, biased: bool = True, parallel: bool | None = None, gated: bool = False, **keys: Any
) -> Callable[[], Toy]:
    """Layer norms, and biases for every projection."""

    def make() -> Toy:
        toy = Toy(arch, norm="layer", use_parallel_residual=parallel, **keys)
        for i in range(2):
            block(toy, i, bias=biased, out_bias=biased, fused=parallel is not None)
            toy.dense(i, gated=gated, bias=biased)
        return toy

    return make


def plamo() -> Toy:
    toy = Toy("plamo")
    for i in range(2):
        toy.norm(f"blk.{i}.attn_norm")
        toy.attention(i)
        toy.dense(i)
    return toy


def granite_swa() -> Toy:
    toy = Toy("granite_swa", tied=True, **{**EXPERTS, "expert_feed_forward_length": None}, feed_forward_length=16,
              embedding_scale=2.0, residual_scale=0.6, logit_scale=1.7, attention__scale=0.3, rope__dimension_count=16,
              expert_shared_feed_forward_length=16, attention__sliding_window=10,
              attention__sliding_window_pattern=[True, False])  # fmt: skip
    for i in range(2):
        block(toy, i)
        toy.add(f"blk.{i}.attn_sinks.weight", 2)
        toy.experts(i, width=16)
        toy.dense(i, width=16, suffix="_shexp", fused=True)
    return toy


NORMED = {"norm": "head"}
CHOSEN = {"expert_gating_func": 2, "expert_weights_norm": True, "expert_weights_scale": 2.5}
MORE: dict[str, Callable[[], Toy]] = {
    "exaone": standard("exaone", rope_freqs=8),
    "orion": layered("orion", biased=False, gated=True),
    "xverse": standard("xverse"),
    "nemotron": layered("nemotron", rope__dimension_count=8),
    "codeshell": layered("codeshell"),
    "gptneox": layered("gptneox", parallel=True, rope__dimension_count=8),
    "gptneox-serial": layered("gptneox", parallel=False, rope__dimension_count=8),
    "chatglm": standard("chatglm", attention={"fused": True, "bias": True}, dense={"fused": True},
                        rope__dimension_count=8),
    "pangu-embedded": standard("pangu-embedded", attention={"bias": True, "out_bias": True}),
    "plamo": plamo,
    "maincoder": standard("maincoder", attention=NORMED),
    "qwen": standard("qwen", attention={"fused": True, "bias": True, "kv": 2}, feed_forward_length=96,
                     attention__head_count_kv=2),
    "qwen2vl": standard("qwen2vl", attention={"bias": True}, rope__dimension_sections=[2, 3, 3, 0]),
    "qwen3vl": standard("qwen3vl", attention=NORMED, rope__dimension_sections=[2, 3, 3, 0]),
    "qwen3vlmoe": mixture("qwen3vlmoe", attention=NORMED, rope__dimension_sections=[2, 3, 3, 0]),
    "hunyuan_vl": standard("hunyuan_vl", tied=True, attention=NORMED, rope__dimension_sections=[2, 3, 3, 0]),
    "minicpm": standard("minicpm", tied=True),
    "olmoe": mixture("olmoe", attention={"norm": "whole", "kv": 2}, attention__head_count_kv=2,
                     feed_forward_length=16),
    "bailingmoe": mixture("bailingmoe", experts={"shared": 16}, expert_shared_count=1, expert_weights_norm=True),
    "hy_v3": hy_v3,
    "exaone-moe": mixture("exaone-moe", 4, leading=1, attention=NORMED, experts={"bias": True, "shared": 16}, **CHOSEN,
                          expert_shared_count=1, leading_dense_block_count=1, attention__sliding_window=10),
    "granite_swa": granite_swa,
}  # fmt: skip
"""Name of a golden -> what makes its model."""
