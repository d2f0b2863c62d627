"""Settings of chains for property tests, and rows of logits to put before them."""

import math

import numpy as np
from hypothesis import strategies as st

from llamaspec.sampling.chain import DEFAULT_ORDER, Rows, SamplerParams

PROMPT = [1, 2, 3, 4, 1, 2, 3, 4, 7, 1, 2, 3]
NAMES = (*DEFAULT_ORDER, "adaptive_p")

orders = st.one_of(
    st.just(DEFAULT_ORDER),
    st.lists(st.sampled_from(NAMES), max_size=7).map(tuple),
    st.permutations(NAMES).map(tuple),
)
stateless_params = st.fixed_dictionaries(
    {},
    optional={
        "samplers": orders,
        "min_keep": st.sampled_from([0, 1, 3]),
        "temp": st.sampled_from([-1.0, 0.0, 0.2, 0.8, 1.0, 1.7]),
        "dynatemp_range": st.sampled_from([0.0, 0.5, 1.5]),
        "top_k": st.sampled_from([0, 1, 2, 7, 40, 10000]),
        "top_p": st.sampled_from([0.0, 0.3, 0.9, 1.0]),
        "min_p": st.sampled_from([0.0, 0.02, 0.3, 1.2]),
        "typical_p": st.sampled_from([0.2, 0.8, 1.0]),
        "top_n_sigma": st.sampled_from([-1.0, 0.5, 2.0]),
        "xtc_probability": st.sampled_from([0.0, 0.5, 1.0]),
        "xtc_threshold": st.sampled_from([0.01, 0.1, 0.4]),
        "logit_bias": st.sampled_from([(), ((3, 2.0), (5, -math.inf)), tuple((i, -math.inf) for i in range(30))]),
    },
)
memory = st.fixed_dictionaries(
    {},
    optional={
        "repeat_penalty": st.sampled_from([0.8, 1.3]),
        "presence_penalty": st.sampled_from([0.0, 0.6]),
        "repeat_last_n": st.sampled_from([-1, 1, 5, 64]),
        "dry_multiplier": st.sampled_from([0.0, 0.9]),
        "adaptive_target": st.sampled_from([-1.0, 0.2, 0.7]),
        "mirostat": st.sampled_from([0, 0, 0, 1, 2]),
    },
)
params = st.builds(
    lambda a, b: SamplerParams(**a, **b, dry_sequence_breaker=()), stateless_params, st.one_of(st.just({}), memory)
)


def make_logits(n: int, width: int, seed: int, tied: bool = False) -> np.ndarray:
    x = np.random.default_rng(seed).standard_normal((n, width), np.float32) * 3
    return x.round() if tied else x


def rows_at(first: int, n: int, seed: int = 11) -> Rows:
    return Rows(np.arange(first, first + n), seed)
