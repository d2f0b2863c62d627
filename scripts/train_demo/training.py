"""Training loops: next-token for the target, imitation for the draft. Both resume from their checkpoint."""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from train_demo.loss import Imitation, NextToken
from train_demo.network import Network

# (until this share of the steps, window): long windows last, so that position 1000 is still sane.
WINDOWS = ((0.6, 256), (0.9, 512), (1.0, 1024))
SEED = 20240229


@dataclass(frozen=True)
class Mix:
    """Token streams and the share of rows that each supplies."""

    streams: tuple[np.ndarray, ...]
    shares: tuple[float, ...]

    def rows(self, step: int, rows: int, window: int) -> Tensor:
        """ids [rows, window + 1] of a step: a pure function of the step, so that a resumed run sees the same."""
        rng = np.random.default_rng([SEED, step])
        chosen = rng.choice(len(self.streams), rows, p=self.shares)
        starts = [int(rng.integers(len(self.streams[c]) - window - 1)) for c in chosen]
        cut = [self.streams[c][s : s + window + 1] for c, s in zip(chosen, starts, strict=True)]
        return torch.from_numpy(np.stack(cut).astype(np.int64))


@dataclass(frozen=True)
class Lessons:
    """Fixed windows with what the teacher made of them, computed once: the teacher costs more than the draft.

    ids [N, window + 1]; known [N, window, width of the teacher] bfloat16, the teacher's features.
    """

    ids: Tensor
    known: Tensor

    @classmethod
    def hear(cls, teacher: Network, mix: Mix, count: int, window: int) -> "Lessons":
        """Draw `count` windows of a mix and run the teacher over them."""
        device = teacher.output_norm.weight.device
        ids = mix.rows(SEED, count, window).to(device)
        with torch.no_grad(), half(device):
            known = [teacher.features(part[:, :-1]).to(torch.bfloat16) for part in ids.split(16)]
        return cls(ids, torch.cat(known))

    def rows(self, step: int, rows: int, window: int) -> Tensor:
        """Numbers [rows] of the windows of a step; `window` is fixed already."""
        chosen = np.random.default_rng([SEED, step]).choice(len(self.ids), rows, replace=False)
        return torch.from_numpy(chosen)


@dataclass
class Run:
    """One network on its way through its steps."""

    name: str
    network: Network
    steps: int
    tokens: int
    mix: Mix | Lessons
    checkpoint: Path
    compiled: bool
    windows: tuple[tuple[float, int], ...] = WINDOWS
    peak: float = 1.0
    log: list[tuple[int, float]] = field(default_factory=list)

    def train(self, loss: Callable[[Tensor, Callable[[Tensor], Tensor]], Tensor], probe: Callable[[], float]) -> None:
        """Run the steps that are left; `loss(ids, features)` is differentiated, `probe` is logged now and then."""
        muon, adam = _optimisers(self.network)
        first = self._resume(muon, adam)
        features = torch.compile(self.network.features, dynamic=False) if self.compiled else self.network.features
        torch._dynamo.config.cache_size_limit = 64
        stop = _Stop()
        bar = Progress(
            TextColumn(self.name),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with bar, stop:
            task = bar.add_task(self.name, total=self.steps, completed=first, note="")
            for step in range(first, self.steps):
                window = next(w for until, w in self.windows if step < until * self.steps)
                rate = self.peak * _rate(step, self.steps)
                for optimiser, peak in ((muon, 0.02), (adam, 0.003)):
                    for group in optimiser.param_groups:
                        group["lr"] = peak * rate
                ids = self.mix.rows(step, self.tokens // window, window).to(self.network.output_norm.weight.device)
                value = loss(ids, features)
                value.backward()
                muon.step()
                adam.step()
                self.network.zero_grad()
                last = step + 1 == self.steps or stop.asked
                if step % 20 == 0 or last:
                    bar.update(task, completed=step + 1, note=f"loss {value.item():.3f}")
                    print(f"{self.name} step {step} window {window} loss {value.item():.4f}", flush=True)
                if (step + 1) % 100 == 0 or last:
                    self.log.append((step + 1, probe()))
                    print(f"{self.name} step {step + 1} held-out {self.log[-1][1]:.4f}", flush=True)
                    self._save(step + 1, muon, adam)
                if stop.asked:
                    raise SystemExit(f"stopped at step {step + 1}; run again to go on")

    def _save(self, step: int, muon: torch.optim.Optimizer, adam: torch.optim.Optimizer) -> None:
        state = {
            "step": step,
            "network": self.network.state_dict(),
            "muon": muon.state_dict(),
            "adam": adam.state_dict(),
            "log": self.log,
        }
        part = self.checkpoint.with_suffix(".part")
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.checkpoint)

    def _resume(self, muon: torch.optim.Optimizer, adam: torch.optim.Optimizer) -> int:
        if not self.checkpoint.exists():
            return 0
        state = torch.load(self.checkpoint, weights_only=True, map_location=self.network.output_norm.weight.device)
        self.network.load_state_dict(state["network"])
        muon.load_state_dict(state["muon"])
        adam.load_state_dict(state["adam"])
        self.log = [tuple(entry) for entry in state["log"]]
        return state["step"]


class _Stop(AbstractContextManager):
    """Turns SIGTERM and Ctrl-C into a wish to stop after the step."""

    asked = False

    def __enter__(self) -> "_Stop":
        self._before = {s: signal.signal(s, self._ask) for s in (signal.SIGTERM, signal.SIGINT)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, *_: object) -> None:
        self.asked = True


def _optimisers(network: Network) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, Adam for the embedding and the norms."""
    matrices = [p for p in network.blk.parameters() if p.ndim == 2]
    others = [p for p in network.parameters() if all(p is not m for m in matrices)]
    return torch.optim.Muon(matrices, lr=0.02, weight_decay=0.05), torch.optim.Adam(others, lr=0.003, betas=(0.9, 0.95))


def _rate(step: int, steps: int) -> float:
    """Warm up over 40 steps, hold, fall in a line to 2 % over the last 45 %."""
    return min((step + 1) / 40, 1.0, max(0.02, (steps - step) / (0.45 * steps)))


def half(device: torch.device) -> torch.autocast:
    """Matrix products in bfloat16: ten times faster than float32 on CPUs with AMX."""
    return torch.autocast(device.type, torch.bfloat16)


def next_token(network: Network) -> Callable[[Tensor, Callable[[Tensor], Tensor]], Tensor]:
    """The target's loss."""

    def loss(ids: Tensor, features: Callable[[Tensor], Tensor]) -> Tensor:
        with half(ids.device):
            seen = features(ids[:, :-1])
        return NextToken.apply(seen.flatten(0, 1), network.token_embd.weight, ids[:, 1:].flatten())

    return loss


def imitation(
    network: Network, teacher: Network, lessons: Lessons, hard: float
) -> Callable[[Tensor, Callable[[Tensor], Tensor]], Tensor]:
    """The draft's loss against a fixed teacher, on the lessons of the given numbers."""

    def loss(numbers: Tensor, features: Callable[[Tensor], Tensor]) -> Tensor:
        ids, known = lessons.ids[numbers], lessons.known[numbers]
        with half(ids.device):
            seen = features(ids[:, :-1])
        value, _ = Imitation.apply(
            seen.flatten(0, 1), network.token_embd.weight, known.flatten(0, 1), teacher.token_embd.weight, hard
        )
        return value

    return loss
