"""The target's own greedy text: what the draft will have to foresee."""

from pathlib import Path

import numpy as np
import torch

from train_demo.acceptance import greedy
from train_demo.network import Network
from train_demo.training import SEED, Mix

_PROMPT = 64
_ANSWER = 256
_BATCH = 128


def build(target: Network, streams: tuple[np.ndarray, np.ndarray], count: int, kept: Path) -> np.ndarray:
    """Token ids uint16 [count * 320]: prompts from the training streams, each with 256 greedy tokens."""
    if not kept.exists():
        mix = Mix(streams, (0.85, 0.15))
        parts = []
        for batch in range(-(-count // _BATCH)):
            prompts = mix.rows(SEED + batch, min(_BATCH, count), _PROMPT)[:, :-1].to(target.output_norm.weight.device)
            text = torch.cat((prompts, greedy(target, prompts, _ANSWER, exact=False)), 1)
            parts.append(text.cpu().numpy().astype(np.uint16).ravel())
            print(f"rollouts {(batch + 1) * _BATCH} of {count}", flush=True)
        part = kept.with_suffix(".part.npy")
        np.save(part, np.concatenate(parts))
        part.replace(kept)
    return np.load(kept)
