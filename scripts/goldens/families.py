"""The models to record: one for each architecture without other reference data, and variants of others."""

from collections.abc import Callable
from typing import Any

from toys import POST, Toy, block


def command_r(arch: str, layers: int, **keys: Any) -> Callable[[], Toy]:
    """Parallel blocks, layer norms without a bias; the large model has norms for every head."""

    def make() -> Toy:
        toy = Toy(arch, layers, tied=True, norm="layer", logit_scale=0.5, **keys)
        if layers == 64:
            toy.width, toy.inner, toy.key, toy.value, toy.quiet = 8, 8, 4, 4, True
            toy.keys |= {"embedding_length": 8, "feed_forward_length": 8}
            toy.tensors |= {"token_embd.weight": (96, 8), "output_norm.weight": (8,)}
        for i in range(layers):
            toy.norm(f"blk.{i}.attn_norm", bias=False)
            toy.attention(i)
            toy.dense(i)
            if layers == 64:
                toy.add(f"blk.{i}.attn_q_norm.weight", 2, 4)
                toy.add(f"blk.{i}.attn_k_norm.weight", 1, 4)
        toy.tensors.pop("output_norm.bias")
        return toy

    return make


def gemma4_layers() -> Toy:
    """Layers' own inputs, and two layers that read the caches of others."""
    toy = Toy(
        "gemma4", 5, tied=True, attention__head_count_kv=[1, 1, 1, 1, 1], attention__key_length=32,
        attention__value_length=32, attention__key_length_swa=16, attention__value_length_swa=16,
        rope__dimension_count=32, rope__dimension_count_swa=16, rope__freq_base=1e6, attention__sliding_window=10,
        attention__sliding_window_pattern=[True, True, False, True, False], attention__shared_kv_layers=2,
        embedding_length_per_layer_input=8, final_logit_softcapping=8.0,
    )  # fmt: skip
    toy.add("rope_freqs.weight", 16)
    toy.add("per_layer_token_embd.weight", 96, 5 * 8)
    toy.linear("per_layer_model_proj", 5 * 8, 32)
    toy.norm("per_layer_proj_norm", 8)
    for i, sliding in enumerate([True, True, False, True, False]):
        block(toy, i, behind=POST, key=16 if sliding else 32, norm="head")
        if i >= 3:
            for part in ("k", "v", "k_norm"):
                toy.tensors.pop(f"blk.{i}.attn_{part}.weight")
        toy.dense(i)
        toy.linear(f"blk.{i}.inp_gate", 8, 32)
        toy.linear(f"blk.{i}.proj", 32, 8)
        toy.norm(f"blk.{i}.post_norm")
        toy.add(f"blk.{i}.layer_output_scale.weight", 1)
    return toy


def gemma4_moe() -> Toy:
    toy = Toy(
        "gemma4", 3, tied=True, attention__key_length=32, attention__value_length=32, attention__key_length_swa=16,
        attention__value_length_swa=16, rope__dimension_count=32, rope__dimension_count_swa=16,
        attention__sliding_window=10, attention__sliding_window_pattern=[True, True, False],
        embedding_length_per_layer_input=0, expert_count=4, expert_used_count=2, expert_feed_forward_length=16,
    )  # fmt: skip
    toy.add("rope_freqs.weight", 16)
    for i in range(3):
        block(toy, i, behind=POST, key=32 if i == 2 else 16, norm="head")
        toy.dense(i, width=32)
        toy.keys["feed_forward_length"] = 32
        toy.norms(i, "pre_ffw_norm_2", "post_ffw_norm_1", "post_ffw_norm_2")
        toy.experts(i, width=16, fused=i > 0)
        toy.add(f"blk.{i}.ffn_gate_inp.scale", 32)
        toy.add(f"blk.{i}.ffn_down_exps.scale", 4)
    return toy


def glm4moe_355b() -> Toy:
    toy = Toy(
        "glm4moe", 2, rope__dimension_count=8, expert_count=4, expert_used_count=2, expert_feed_forward_length=16,
        expert_shared_count=1, leading_dense_block_count=1, expert_weights_norm=True, expert_weights_scale=2.5,
    )  # fmt: skip
    for i in range(2):
        block(toy, i, between="post_attention_norm", bias=True, norm="head")
    toy.dense(0)
    toy.experts(1, width=16, bias=True, shared=16)
    return toy


def glm4_sections() -> Toy:
    toy = Toy("glm4", 2, rope__dimension_count=8, rope__dimension_sections=[2, 1, 1, 0])
    for i in range(2):
        block(toy, i, behind=POST, bias=True)
        toy.dense(i, fused=True)
    return toy


def granitemoe() -> Toy:
    toy = Toy(
        "granitemoe", 2, tied=True, expert_count=4, expert_used_count=2, expert_shared_feed_forward_length=16,
        embedding_scale=2.0, residual_scale=0.6, logit_scale=1.7, attention__scale=0.3, feed_forward_length=24,
        rope__scaling__finetuned=False, rope__dimension_count=16,
    )  # fmt: skip
    for i in range(2):
        block(toy, i)
        toy.experts(i, width=24, shared=16)
    return toy


def minimax_m2() -> Toy:
    toy = Toy("minimax-m2", rope__dimension_count=8, expert_count=4, expert_used_count=2, expert_gating_func=2,
              feed_forward_length=24, expert_feed_forward_length=24)  # fmt: skip
    for i in range(2):
        block(toy, i, norm="whole")
        toy.experts(i, bias=True)
    return toy


def seed_oss() -> Toy:
    toy = Toy("seed_oss", attention__key_length=24, attention__value_length=24)
    for i in range(2):
        block(toy, i, between="post_attention_norm", bias=True, key=24)
        toy.dense(i)
    return toy


def exaone4() -> Toy:
    toy = Toy("exaone4")
    toy.add("rope_freqs.weight", 8)
    for i in range(2):
        block(toy, i, before="", between="", behind=POST, norm="head")
        toy.dense(i)
    return toy


def exaone4_32b() -> Toy:
    toy = Toy("exaone4", 64, tied=True, attention__sliding_window=10, embedding_length=8, feed_forward_length=8)
    toy.tensors.update({"token_embd.weight": (96, 8), "output_norm.weight": (8,)})
    toy.width, toy.inner, toy.heads, toy.quiet = 8, 8, 2, True
    for i in range(64):
        block(toy, i, before="", between="", behind=POST, norm="head", key=4)
        toy.dense(i)
    return toy


def olmo3() -> Toy:
    toy = Toy("olmo2", 4, attention__sliding_window=10, rope__scaling__type="yarn", rope__scaling__factor=8.0,
              rope__scaling__original_context_length=16)  # fmt: skip
    for i in range(4):
        block(toy, i, before="", between="", behind=POST, norm="whole")
        toy.dense(i)
    return toy


def deepseek() -> Toy:
    toy = Toy("deepseek", expert_count=4, expert_used_count=2, expert_feed_forward_length=16, expert_shared_count=2,
              leading_dense_block_count=1)  # fmt: skip
    for i in range(2):
        block(toy, i)
    toy.dense(0)
    toy.experts(1, width=16, shared=32)
    return toy


def falcon(two: bool) -> Callable[[], Toy]:
    def make() -> Toy:
        toy = Toy("falcon", tied=two, norm="layer")
        for i in range(2):
            toy.norms(i, *(("attn_norm", "attn_norm_2") if two else ("attn_norm",)))
            toy.attention(i, fused=True)
            toy.dense(i, gated=False)
        return toy

    return make


def phi2() -> Toy:
    toy = Toy("phi2", norm="layer", rope__dimension_count=8)
    toy.add("output.bias", 96)
    for i in range(2):
        toy.norm(f"blk.{i}.attn_norm")
        toy.attention(i, bias=True, out_bias=True)
        toy.dense(i, gated=False, bias=True)
    return toy


def phi3_long() -> Toy:
    toy = Toy("phi3", tied=True, rope__dimension_count=12, rope__scaling__type="longrope",
              rope__scaling__original_context_length=64, rope__scaling__attn_factor=1.2)  # fmt: skip
    toy.add("rope_factors_long.weight", 6)
    toy.add("rope_factors_short.weight", 6)
    for i in range(2):
        block(toy, i, fused=True)
        toy.dense(i, fused=True)
    return toy


def phimoe() -> Toy:
    toy = Toy("phimoe", feed_forward_length=24, expert_count=4, expert_used_count=2)
    toy.add("output.bias", 96)
    toy.add("output_norm.bias", 32)
    for i in range(2):
        toy.norms(i, "attn_norm", "ffn_norm", bias=True)
        toy.attention(i, bias=True, out_bias=True)
        toy.experts(i)
    return toy


def gpt2(arch: str, kv: int) -> Callable[[], Toy]:
    def make() -> Toy:
        toy = Toy(arch, tied=True, norm="layer", context_length=512, attention__head_count_kv=kv)
        toy.add("position_embd.weight", 512, 32)
        for i in range(2):
            toy.norms(i, "attn_norm", "ffn_norm")
            toy.attention(i, fused=True, bias=True, out_bias=True, kv=kv)
            toy.dense(i, gated=False, bias=True)
        return toy

    return make


def stablelm(parallel: bool) -> Callable[[], Toy]:
    def make() -> Toy:
        toy = Toy("stablelm", norm="layer", rope__dimension_count=4)
        for i in range(2):
            toy.norms(i, *(("attn_norm",) if parallel else ("attn_norm", "ffn_norm")))
            toy.attention(i, bias=not parallel)
            if parallel:
                toy.add(f"blk.{i}.attn_q_norm.weight", 2, 16)
                toy.add(f"blk.{i}.attn_k_norm.weight", 1, 16)
            toy.dense(i)
        return toy

    return make


def plain(arch: str, *, gated: bool = True, **keys: Any) -> Callable[[], Toy]:
    """The standard block."""

    def make() -> Toy:
        toy = Toy(arch, **keys)
        for i in range(2):
            block(toy, i)
            toy.dense(i, gated=gated)
        return toy

    return make


def llama_scales() -> Toy:
    """A factor for every tensor, as NVFP4 files have it; biases stand behind it."""
    toy = Toy("llama", attention__key_length=16)
    for i in range(2):
        block(toy, i, bias=True, out_bias=True)
        toy.dense(i)  # llama.cpp adds biases of this part too early, and no such file has them
        for part in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            toy.add(f"blk.{i}.{part}.scale", 1)
    return toy


def qwen3moe_scales() -> Toy:
    """A mixture whose experts have factors."""
    toy = Toy("qwen3moe", expert_count=4, expert_used_count=2, expert_feed_forward_length=24)
    for i in range(2):
        block(toy, i, norm="head")
        toy.experts(i)
        for part in ("gate", "up", "down"):
            toy.add(f"blk.{i}.ffn_{part}_exps.scale", 4)
    return toy


def mistral3_moe() -> Toy:
    toy = Toy("mistral3", expert_count=4, expert_used_count=2, feed_forward_length=24, rope__dimension_count=16,
              rope__scaling__type="yarn", rope__scaling__factor=4.0, rope__scaling__original_context_length=16,
              attention__temperature_scale=0.3)  # fmt: skip
    for i in range(2):
        block(toy, i)
        toy.experts(i)
    return toy


def ernie4_5_moe() -> Toy:
    toy = Toy("ernie4_5-moe", 3, tied=True, expert_count=4, expert_used_count=2, expert_feed_forward_length=24,
              expert_shared_feed_forward_length=16, interleave_moe_layer_step=1,
              leading_dense_block_count=1)  # fmt: skip
    for i in range(3):
        block(toy, i)
        toy.experts(i, bias=True, shared=16) if i else toy.dense(i)
    return toy


def hunyuan_dense() -> Toy:
    toy = Toy("hunyuan-dense", tied=True, rope__scaling__alpha=3.0)
    for i in range(2):
        block(toy, i, norm="head")
        toy.dense(i)
    return toy


def hunyuan_moe() -> Toy:
    toy = Toy("hunyuan-moe", tied=True, expert_count=4, expert_used_count=2, expert_feed_forward_length=24,
              expert_shared_feed_forward_length=16, feed_forward_length=24)  # fmt: skip
    for i in range(2):
        block(toy, i, norm="head")
        toy.experts(i, shared=16)
    return toy


def dots1() -> Toy:
    toy = Toy("dots1", expert_count=4, expert_used_count=2, expert_feed_forward_length=16, expert_shared_count=1,
              leading_dense_block_count=1, expert_gating_func=2, expert_weights_norm=True, expert_weights_scale=2.5,
              attention__head_count_kv=2)  # fmt: skip
    for i in range(2):
        block(toy, i, norm="head", kv=2)
    toy.dense(0)
    toy.experts(1, width=16, bias=True, shared=16)
    return toy


def bailingmoe2() -> Toy:
    toy = Toy("bailingmoe2", expert_count=8, expert_used_count=2, expert_feed_forward_length=8, expert_shared_count=1,
              leading_dense_block_count=1, expert_gating_func=2, expert_weights_norm=True, expert_weights_scale=2.5,
              expert_group_count=4, expert_group_used_count=2, rope__dimension_count=8)  # fmt: skip
    for i in range(2):
        block(toy, i, norm="head", fused=True)
    toy.dense(0)
    toy.experts(1, count=8, width=8, bias=True, shared=8)
    return toy


def apertus() -> Toy:
    toy = Toy("apertus", xielu__alpha_n=[0.3, 0.9], xielu__alpha_p=[0.7, -0.2], xielu__beta=[0.5, 0.4],
              xielu__eps=[-1e-6, -1e-6])  # fmt: skip
    toy.add("rope_freqs.weight", 8)
    for i in range(2):
        block(toy, i, norm="head")
        toy.dense(i, gated=False)
    return toy


def mimo2() -> Toy:
    toy = Toy("mimo2", 3, attention__sliding_window=10, attention__sliding_window_pattern=[False, True, True],
              rope__freq_base=5e5, attention__key_length=16, attention__value_length=8, rope__dimension_count=8,
              attention__head_count_kv=[1, 2, 2], expert_count=4, expert_used_count=2, expert_feed_forward_length=24,
              attention__value_scale=0.7)  # fmt: skip
    for i in range(3):
        block(toy, i, value=8, kv=2 if i else 1)
        if i:
            toy.add(f"blk.{i}.attn_sinks.weight", 2)
        toy.experts(i, bias=True) if i else toy.dense(i)
    return toy


TOYS: dict[str, Callable[[], Toy]] = {
    "cohere2": command_r("cohere2", 4, attention__sliding_window=10),
    "command-r-tiny": command_r("command-r", 2),
    "command-r-64": command_r("command-r", 64),
    "gemma": plain("gemma", tied=True, attention__key_length=16, attention__value_length=16),
    "gemma4-layers": gemma4_layers,
    "gemma4-moe": gemma4_moe,
    "glm4moe-355b": glm4moe_355b,
    "glm4-sections": glm4_sections,
    "granitemoe": granitemoe,
    "minimax-m2": minimax_m2,
    "seed_oss": seed_oss,
    "exaone4": exaone4,
    "exaone4-32b": exaone4_32b,
    "olmo3": olmo3,
    "deepseek": deepseek,
    "falcon-7b": falcon(False),
    "falcon-40b": falcon(True),
    "phi2": phi2,
    "phi3-long": phi3_long,
    "phimoe": phimoe,
    "gpt2": gpt2("gpt2", 2),
    "starcoder": gpt2("starcoder", 1),
    "stablelm": stablelm(False),
    "stablelm-parallel": stablelm(True),
    "internlm2": plain("internlm2"),
    "arcee": plain("arcee", gated=False),
    "ernie4_5": plain("ernie4_5", tied=True),
    "ernie4_5-moe": ernie4_5_moe,
    "hunyuan-dense": hunyuan_dense,
    "hunyuan-moe": hunyuan_moe,
    "dots1": dots1,
    "bailingmoe2": bailingmoe2,
    "apertus": apertus,
    "mimo2": mimo2,
    "llama-scales": llama_scales,
    "qwen3moe-scales": qwen3moe_scales,
    "mistral3-moe": mistral3_moe,
}
"""Name of a golden -> what makes its model."""
