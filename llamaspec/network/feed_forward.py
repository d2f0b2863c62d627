"""Feed-forward layers from the tensors of a file, by their records."""

from ..kernels.protocol import Experts
from ..layers.linear import Linear
from ..layers.mlp import MLP
from ..layers.moe import MoE, SharedExpert
from .hparams import Dense, Mixture
from .weights import Weights


def dense(weights: Weights, name: str, n_embd: int, h: Dense, suffix: str = "") -> MLP:
    """The part of block `name` whose tensors end in `suffix`; gate and up may be one tensor, `ffn_up`."""
    gate, up = None, f"{name}.ffn_up{suffix}"
    if not h.gated:
        only = weights.linear(up, h.width, n_embd)
    elif f"{name}.ffn_gate{suffix}.weight" in weights:
        gate, only = weights.linear(f"{name}.ffn_gate{suffix}", h.width, n_embd), weights.linear(up, h.width, n_embd)
    else:
        gate, only = weights.split(up, (f"ffn_gate{suffix}", f"ffn_up{suffix}"), (h.width, h.width), n_embd)
    down = weights.linear(f"{name}.ffn_down{suffix}", n_embd, h.width)
    return MLP(gate, only, down, h.activation, weights.kernels(up))


def mixture(weights: Weights, name: str, n_embd: int, h: Mixture) -> MoE:
    """Router, stacks of experts, and what every row uses."""
    return MoE(
        weights.linear(f"{name}.ffn_gate_inp", h.count, n_embd),
        weights.optional(bias if (bias := f"{name}.exp_probs_b.bias") in weights else f"{name}.exp_probs_b", h.count),
        h.routing,
        experts(weights, name, h.latent or n_embd, h),
        _shared(weights, name, n_embd, h) if h.shared else None,
        _latent(weights, name, n_embd, h.latent) if h.latent else None,
    )


def _latent(weights: Weights, name: str, n_embd: int, width: int) -> tuple[Linear, Linear]:
    down = weights.linear(f"{name}.ffn_latent_down", width, n_embd)
    return down, weights.linear(f"{name}.ffn_latent_up", n_embd, width)


def experts(weights: Weights, name: str, n_embd: int, h: Mixture) -> Experts:
    """Three stacks, or two without a gate."""
    if h.gated:
        gate, up = weights.gate_up_stacks(name, h.count, h.width, n_embd)
    else:
        gate, up = None, weights.stack(f"{name}.ffn_up_exps", h.count, h.width, n_embd)
    outs = (("gate", h.width), ("up", h.width), ("down", n_embd))
    gate_extra, up_extra, down_extra = (
        weights.of_experts(f"{name}.ffn_{part}_exps", h.count, out) for part, out in outs
    )
    biases, scales = zip(gate_extra, up_extra, down_extra, strict=True)
    down = weights.stack(f"{name}.ffn_down_exps", h.count, n_embd, h.width)
    return Experts(gate, up, down, biases, h.activation, h.limit, h.weigh_input, scales)


def _shared(weights: Weights, name: str, n_embd: int, h: Mixture) -> SharedExpert:
    part = dense(weights, name, n_embd, Dense(h.shared, h.activation, h.gated), "_shexp")
    gate = None
    if h.shared_gate:
        tensor = f"{name}.ffn_gate_inp_shexp"
        vector = weights.packed(f"{tensor}.weight", (n_embd,))
        gate = weights.one_row(tensor, vector)
    return SharedExpert(part, gate)
