"""Small variants of families whose larger reference data lies elsewhere: a copy of this project has them all."""

from collections.abc import Callable
from typing import Any

from toys import POST, Toy, block

YARN = {"rope__scaling__type": "yarn", "rope__scaling__factor": 8.0, "rope__scaling__original_context_length": 16}


def standard(
    arch: str, layers: int = 2, *, attention: Any = (), dense: Any = (), rope_freqs: int = 0, **keys: Any
) -> Callable[[], Toy]:
    """Blocks of the usual kind. attention, dense: arguments of both parts. rope_freqs: divisors of frequencies."""

    def make() -> Toy:
        toy = Toy(arch, layers, **keys)
        if rope_freqs:
            toy.add("rope_freqs.weight", rope_freqs)
        for i in range(layers):
            block(toy, i, **dict(attention))
            toy.dense(i, **dict(dense))
        return toy

    return make


def sandwich(arch: str, layers: int, *, norm: str = "", **keys: Any) -> Callable[[], Toy]:
    """Gemma's blocks."""

    def make() -> Toy:
        toy = Toy(arch, layers, tied=True, attention__key_length=16, attention__value_length=16, **keys)
        for i in range(layers):
            block(toy, i, behind=POST, norm=norm)
            toy.dense(i)
        return toy

    return make


def mixtral() -> Toy:
    """Experts, and a bias for every projection of attention."""
    toy = Toy("llama", expert_count=4, expert_used_count=2, feed_forward_length=24)
    for i in range(2):
        block(toy, i, bias=True, out_bias=True)
        toy.experts(i, fused=False)
    return toy


def llama_long(original: int) -> Callable[[], Toy]:
    """LongRoPE, whose factors the size of the context chooses."""

    def make() -> Toy:
        toy = Toy("llama", rope__scaling__type="longrope", rope__scaling__original_context_length=original,
                  rope__scaling__attn_factor=1.1, rope__dimension_count=16)  # fmt: skip
        for name in ("long", "short"):
            toy.add(f"rope_factors_{name}.weight", 8)
        for i in range(2):
            block(toy, i)
            toy.dense(i)
        return toy

    return make


def qwen2moe() -> Toy:
    toy = Toy("qwen2moe", expert_count=4, expert_used_count=2, expert_feed_forward_length=16,
              expert_shared_feed_forward_length=24)  # fmt: skip
    for i in range(2):
        block(toy, i, bias=True)
        toy.experts(i, width=16, shared=24, shared_gate=True)
    return toy


def starcoder2() -> Toy:
    toy = Toy("starcoder2", tied=True, norm="layer")
    for i in range(2):
        block(toy, i, bias=True, out_bias=True)
        toy.dense(i, gated=False, bias=True)
    return toy


def lfm2() -> Toy:
    toy = Toy("lfm2", 3, tied=True, attention__head_count_kv=[0, 1, 0], shortconv__l_cache=4,
              attention__sliding_window=10)  # fmt: skip
    toy.tensors["token_embd_norm.weight"] = toy.tensors.pop("output_norm.weight")
    for i in range(3):
        toy.norms(i, "attn_norm", "ffn_norm")
        if i == 1:
            toy.attention(i, norm="head")
        else:
            toy.short_conv(i, 4)
        toy.dense(i)
    return toy


def llama4() -> Toy:
    toy = Toy("llama4", 4, tied=True, expert_count=4, expert_used_count=1, expert_feed_forward_length=16,
              interleave_moe_layer_step=2, rope__dimension_count=16)  # fmt: skip
    toy.add("rope_freqs.weight", 8)
    for i in range(4):
        block(toy, i)
        toy.experts(i, width=16, shared=16) if i % 2 else toy.dense(i)
    return toy


def deepseek2(arch: str = "deepseek2", *, seed: int = 0, **keys: Any) -> Callable[[], Toy]:
    """Latent attention; experts in groups; an indexer if the keys name one.

    seed: the first to try: positions that an index scores alike are no reference, llama.cpp takes any of them.
    """
    q_rank = keys.get("attention__q_lora_rank", 0)

    def make() -> Toy:
        toy = Toy(
            arch, attention__head_count_kv=1, attention__kv_lora_rank=24, attention__key_length=32,
            attention__value_length=24, attention__key_length_mla=24, attention__value_length_mla=16,
            rope__dimension_count=8, expert_count=8, expert_used_count=2, expert_feed_forward_length=8,
            expert_shared_count=1, leading_dense_block_count=1, **keys,
        )  # fmt: skip
        for i in range(2):
            toy.norms(i, "attn_norm", "ffn_norm")
            toy.latent_attention(i, q_rank=q_rank)
            if "attention__indexer__top_k" in keys and keys.get("attention__indexer__types", [1, 1])[i]:
                toy.indexer(i, q_rank, keys["attention__indexer__head_count"], keys["attention__indexer__key_length"])
        toy.seed = seed
        toy.dense(0)
        toy.experts(1, count=8, width=8, bias=keys.get("expert_gating_func") == 2, shared=8)
        return toy

    return make


def nextn(arch: str) -> Callable[[], Toy]:
    """GLM-4.5 with a block for multi-token prediction, which nobody asks for."""

    def make() -> Toy:
        toy = Toy(arch, 3, rope__dimension_count=8, nextn_predict_layers=1, expert_count=4, expert_used_count=2,
                  expert_feed_forward_length=16, expert_shared_count=1, leading_dense_block_count=1)  # fmt: skip
        for i in range(3):
            block(toy, i, between="post_attention_norm", bias=True)
            toy.experts(i, width=16, bias=True, shared=16) if i else toy.dense(i)
        toy.linear("blk.2.nextn.eh_proj", 32, 64)
        toy.norms(2, "nextn.enorm", "nextn.hnorm")
        return toy

    return make


V3 = {
    "attention__q_lora_rank": 16, "expert_gating_func": 2, "expert_weights_norm": True, "expert_weights_scale": 2.5,
    "expert_group_count": 4, "expert_group_used_count": 2, **YARN, "rope__scaling__yarn_log_multiplier": 0.1,
}  # fmt: skip
DSA = {
    **V3, "rope__scaling__yarn_log_multiplier": None, "attention__indexer__head_count": 4,
    "attention__indexer__key_length": 64, "attention__indexer__top_k": 8,
}  # fmt: skip
STANDARD: dict[str, Callable[[], Toy]] = {
    "llama-linear": standard("llama", rope__scaling__type="linear", rope__scaling__factor=4.0),
    "llama3-tiny": standard("llama", dense={"width": 40}, feed_forward_length=40, rope_freqs=8),
    "llama-yarn": standard("llama", **YARN),
    "llama-biased": standard("llama", attention={"fused": True, "bias": True}, dense={"bias": True}),
    "llama-narrow": standard("llama", attention={"key": 24}, attention__key_length=24, attention__value_length=24),
    "llama-long": llama_long(64),
    "llama-short": llama_long(512),
    "llama-moe": mixtral,
    "qwen2-fused": standard("qwen2", attention={"fused": True, "bias": True}),
    "qwen2-yarn": standard("qwen2", tied=True, attention={"bias": True}, **YARN),
    "qwen3-wide": standard("qwen3", attention={"key": 24, "norm": "head"}, attention__key_length=24,
                           attention__value_length=24),
    "qwen2moe-tiny": qwen2moe,
    "gemma2-tiny": sandwich("gemma2", 2, attention__sliding_window=10),
    "gemma3-tiny": sandwich("gemma3", 6, norm="head", attention__sliding_window=10, rope__freq_base=1e6,
                            rope__scaling__type="linear", rope__scaling__factor=8.0),
    "granite-tiny": standard("granite", tied=True, embedding_scale=2.0, residual_scale=0.6, logit_scale=1.7,
                             attention__scale=0.3, rope__dimension_count=16),
    "granite-nope": standard("granite", logit_scale=2.0, rope__scaling__finetuned=False, rope__dimension_count=16),
    "smollm3-tiny": standard("smollm3", 4, tied=True),
    "starcoder2-tiny": starcoder2,
    "lfm2-window": lfm2,
    "llama4-tiny": llama4,
    "mistral3-tiny": standard("mistral3", **YARN, rope__scaling__yarn_log_multiplier=0.5,
                              rope__scaling__yarn_beta_fast=4.0, rope__scaling__yarn_beta_slow=0.5,
                              rope__dimension_count=16),
    "phi3-partial": standard("phi3", attention={"fused": True}, dense={"fused": True}, rope__dimension_count=8),
    "olmo2-tiny": standard("olmo2", attention={"before": "", "between": "", "behind": POST, "norm": "whole"}),
    "deepseek2-lite": deepseek2(attention__q_lora_rank=0),
    "deepseek2-r1": deepseek2(**V3),
    "deepseek2-yarn": deepseek2(**V3 | {"rope__scaling__yarn_log_multiplier": None, "rope__scaling__attn_factor": 0.9}),
    "deepseek2-v2": deepseek2(**{**V3, "rope__scaling__yarn_log_multiplier": 0.0707,
                                 "attention__temperature_scale": 0.2, "attention__temperature_length": 16}),
    "glm-dsa": deepseek2("glm-dsa", seed=8, **DSA),
    "glm-dsa-shared": deepseek2("glm-dsa", seed=11, **DSA, context_length=1 << 20, attention__indexer__types=[1, 0]),
    "mistral4": deepseek2("mistral4", **{**V3, "rope__scaling__yarn_log_multiplier": 0.05}),
    "deepseek32": deepseek2("deepseek32", **V3, attention__indexer__head_count=4, attention__indexer__key_length=64,
                            attention__indexer__top_k=8),
    "glm4moe-nextn": nextn("glm4moe"),
}  # fmt: skip
"""Name of a golden -> what makes its model."""
