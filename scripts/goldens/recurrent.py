"""Families whose layers have states or convolutions."""

from collections.abc import Callable

from toys import Toy


def granitehybrid() -> Toy:
    toy = Toy(
        "granitehybrid", 3, tied=True, attention__head_count_kv=[0, 1, 0], logit_scale=1.7, residual_scale=0.6,
        embedding_scale=2.0, attention__scale=0.3, rope__dimension_count=16, rope__scaling__finetuned=False,
        ssm__conv_kernel=4, ssm__inner_size=64, ssm__state_size=16, ssm__time_step_rank=4, ssm__group_count=2,
    )  # fmt: skip
    for i in range(3):
        toy.norms(i, "attn_norm", "ffn_norm")
        toy.attention(i) if i == 1 else toy.mamba(i)
        toy.dense(i)
    return toy


def mamba2() -> Toy:
    toy = Toy(
        "mamba2", 3, tied=True, attention__head_count=0, attention__head_count_kv=None, feed_forward_length=0,
        ssm__conv_kernel=4, ssm__inner_size=64, ssm__state_size=16, ssm__time_step_rank=4, ssm__group_count=2,
    )  # fmt: skip
    for i in range(3):
        toy.norm(f"blk.{i}.attn_norm")
        toy.mamba(i)
    return toy


def falcon_h1() -> Toy:
    toy = Toy(
        "falcon-h1", 2, tied=True, attention__key_length=16, attention__value_length=16,
        ssm__conv_kernel=4, ssm__inner_size=48, ssm__state_size=16, ssm__time_step_rank=4, ssm__group_count=1,
    )  # fmt: skip
    for i in range(2):
        toy.norm(f"blk.{i}.attn_norm")
        toy.add(f"blk.{i}.ffn_norm", 32)
        toy.attention(i)
        toy.mamba(i, inner=48, groups=1)
        if i:
            toy.tensors.pop(f"blk.{i}.ssm_norm.weight")
        toy.dense(i)
    return toy


def nemotron_h() -> Toy:
    toy = Toy(
        "nemotron_h", 4, attention__head_count_kv=[0, 1, 0, 0],
        feed_forward_length=[0, 0, 48, 0], attention__layer_norm_epsilon=1e-5, attention__key_length=16,
        attention__value_length=16, rope__dimension_count=16,
        ssm__conv_kernel=4, ssm__inner_size=64, ssm__state_size=16, ssm__time_step_rank=4, ssm__group_count=2,
    )  # fmt: skip
    for i in range(4):
        toy.norm(f"blk.{i}.attn_norm")
    toy.mamba(0)
    toy.attention(1)
    toy.dense(2, gated=False)
    toy.mamba(3)
    return toy


def nemotron_h_moe() -> Toy:
    toy = Toy(
        "nemotron_h_moe", 3, attention__head_count_kv=[0, 1, 0],
        feed_forward_length=[0, 0, 24], attention__layer_norm_epsilon=1e-5, expert_count=4, expert_used_count=2,
        attention__key_length=16, attention__value_length=16, rope__dimension_count=16, moe_latent_size=16,
        expert_feed_forward_length=24, expert_shared_feed_forward_length=32, expert_weights_norm=True,
        expert_weights_scale=2.5, expert_shared_count=1,
        ssm__conv_kernel=4, ssm__inner_size=64, ssm__state_size=16, ssm__time_step_rank=4, ssm__group_count=2,
    )  # fmt: skip
    for i in range(3):
        toy.norm(f"blk.{i}.attn_norm")
    toy.mamba(0)
    toy.attention(1)
    toy.experts(2, width=24, bias=True, gated=False, shared=32, inner=16)
    toy.linear("blk.2.ffn_latent_down", 16, 32)
    toy.linear("blk.2.ffn_latent_up", 32, 16)
    return toy


def lfm2moe() -> Toy:
    toy = Toy(
        "lfm2moe", 3, tied=True, attention__head_count_kv=[0, 1, 0], shortconv__l_cache=3, expert_count=4,
        expert_used_count=2, expert_feed_forward_length=24, leading_dense_block_count=1, expert_gating_func=2,
    )  # fmt: skip
    toy.tensors["token_embd_norm.weight"] = toy.tensors.pop("output_norm.weight")
    for i in range(3):
        toy.norms(i, "attn_norm", "ffn_norm")
        if i == 1:
            toy.attention(i, norm="head")
        else:
            toy.short_conv(i, 3)
        toy.experts(i, bias=True) if i else toy.dense(i)
    return toy


def qwen35(arch: str, layout: str, experts: bool = True) -> Callable[[], Toy]:
    """Delta nets and gated attention. layout: of qwen35, qwen3next or its legacy files."""

    def make() -> Toy:
        toy = Toy(
            arch, 3, full_attention_interval=2, rope__dimension_count=8, expert_count=4 if experts else None,
            expert_used_count=2 if experts else None, expert_feed_forward_length=16 if experts else None,
            expert_shared_feed_forward_length=16 if experts else None, ssm__conv_kernel=4, ssm__inner_size=64,
            ssm__state_size=16, ssm__time_step_rank=4, ssm__group_count=2, rope__dimension_sections=[2, 1, 1, 0],
            attention__key_length=16, attention__value_length=16,
        )  # fmt: skip
        for i in range(3):
            name = f"blk.{i}"
            toy.norms(i, "attn_norm", "post_attention_norm")
            if experts:
                toy.experts(i, width=16, shared=16, shared_gate=True)
            else:
                toy.dense(i)
            if i == 1:
                toy.attention(i, norm="head", gated=True)
                continue
            if layout == "legacy":
                toy.linear(f"{name}.ssm_in", 192, 32)
            else:
                toy.linear(f"{name}.attn_qkv", 128, 32)
                toy.linear(f"{name}.attn_gate", 64, 32)
            if layout == "qwen35":
                toy.linear(f"{name}.ssm_alpha", 4, 32)
                toy.linear(f"{name}.ssm_beta", 4, 32)
            else:
                toy.linear(f"{name}.ssm_ba", 8, 32)
            toy.add(f"{name}.ssm_conv1d.weight", 128, 4)
            toy.add(f"{name}.ssm_dt.bias", 4)
            toy.add(f"{name}.ssm_a", 4)
            toy.norm(f"{name}.ssm_norm", 16)
            toy.linear(f"{name}.ssm_out", 32, 64)
        return toy

    return make


def kimi_linear() -> Toy:
    toy = Toy(
        "kimi-linear", 3, attention__head_count_kv=[0, 1, 0], ssm__conv_kernel=4, kda__head_dim=16,
        attention__kv_lora_rank=24, attention__key_length=32, attention__value_length=24, attention__key_length_mla=24,
        attention__value_length_mla=16, rope__dimension_count=8, expert_count=4, expert_used_count=2,
        expert_feed_forward_length=16, expert_shared_count=1, leading_dense_block_count=1, expert_gating_func=2,
        expert_weights_scale=2.5,
    )  # fmt: skip
    for i in range(3):
        name = f"blk.{i}"
        toy.norms(i, "attn_norm", "ffn_norm")
        toy.experts(i, width=16, bias=True, shared=16) if i else toy.dense(i)
        if i == 1:
            toy.latent_attention(i)
            continue
        toy.attention(i, kv=2)
        for part in "qkv":
            toy.add(f"{name}.ssm_conv1d_{part}.weight", 32, 1, 4)
        for part in "fg":
            toy.linear(f"{name}.ssm_{part}_a", 16, 32)
            toy.linear(f"{name}.ssm_{part}_b", 32, 16)
        toy.linear(f"{name}.ssm_beta", 2, 32)
        toy.add(f"{name}.ssm_a", 2, 1)
        toy.add(f"{name}.ssm_dt.bias", 32)
        toy.norm(f"{name}.ssm_norm", 16)
    return toy


RECURRENT: dict[str, Callable[[], Toy]] = {
    "granitehybrid": granitehybrid,
    "mamba2": mamba2,
    "falcon-h1": falcon_h1,
    "kimi-linear": kimi_linear,
    "nemotron_h": nemotron_h,
    "nemotron_h_moe": nemotron_h_moe,
    "lfm2moe": lfm2moe,
    "qwen35-tiny": qwen35("qwen35", "qwen35", experts=False),
    "qwen35moe": qwen35("qwen35moe", "qwen35"),
    "qwen3next": qwen35("qwen3next", "qwen3next"),
    "qwen3next-legacy": qwen35("qwen3next", "legacy"),
}
"""Name of a golden -> what makes its model."""
