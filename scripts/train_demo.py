"""Train the embedded demo pair: a small Llama target and its draft, on permissively licensed Python source.

    python scripts/train_demo.py --size cpu          # about an hour on two cores with AMX
    python scripts/train_demo.py --size gpu          # about ten minutes on one large GPU

Stages run in order and each resumes where it was stopped: corpus, vocabulary, target, polish (mostly conversations),
rollouts (the target's own greedy text), draft, acceptance, export to llamaspec/demo/*.gguf. Everything but the result
lies in --cache.
"""

import argparse
import os
import shutil
from pathlib import Path

import numpy as np
import torch
from train_demo import acceptance, corpus, export, rollouts, training, vocabulary, wiring
from train_demo.network import Network
from train_demo.sizes import SIZES

_ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="cpu")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/llamaspec/train_demo")
    parser.add_argument("--out", type=Path, default=_ROOT / "llamaspec/demo")
    parser.add_argument("--target-steps", type=int, help="instead of the size's own")
    parser.add_argument("--polish-steps", type=int, help="instead of the size's own")
    parser.add_argument("--draft-steps", type=int, help="instead of the size's own")
    parser.add_argument("--rollouts", type=int, help="instead of the size's own")
    parser.add_argument("--lessons", type=int, help="windows that the draft learns from, instead of the size's own")
    parser.add_argument("--threads", type=int, default=min(os.cpu_count() or 1, 16))
    parser.add_argument("--no-compile", action="store_true", help="do not use torch.compile")
    train(parser.parse_args())


def train(options: argparse.Namespace) -> None:
    """All stages for the parsed options."""
    torch.set_num_threads(options.threads)
    torch.manual_seed(training.SEED)
    options.cache.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if options.size == "gpu" and torch.cuda.is_available() else "cpu")
    compiled = not options.no_compile and (device.type == "cuda" or shutil.which("g++") is not None)
    text = corpus.build(options.cache)
    tokenizer = vocabulary.build(text, options.cache)
    files, chats = vocabulary.streams(text, tokenizer, options.cache)
    print(f"{len(files) / 1e6:.1f} M tokens of files, {len(chats) / 1e6:.2f} M of conversations", flush=True)
    held_out = acceptance.held_out(text, tokenizer)

    target_run = _target(options, files, chats, held_out, device, compiled)
    draft_run = _draft(options, target_run.network, files, chats, held_out, compiled)
    measured = acceptance.measure(target_run.network, draft_run.network, held_out)
    print(measured.line(), flush=True)
    for ask in acceptance.SAMPLES:
        print(f"--- {ask!r}\n{acceptance.sample(target_run.network, tokenizer, ask)}", flush=True)
    for run in (target_run, draft_run):
        path = options.out / f"demo-{run.name}-q8_0.gguf"
        export.write(path, run, tokenizer, measured if run is draft_run else None, text)
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


def _target(
    options: argparse.Namespace,
    files: np.ndarray,
    chats: np.ndarray,
    held_out: torch.Tensor,
    device: torch.device,
    compiled: bool,
) -> training.Run:
    """Next token on mostly files, then on mostly conversations."""
    size, cache = SIZES[options.size], options.cache
    target = Network(size.target).to(device)
    run = training.Run(
        name="target",
        network=target,
        steps=options.target_steps or size.target_steps,
        tokens=size.tokens,
        mix=training.Mix((files, chats), (0.82, 0.18)),
        checkpoint=cache / f"target-{options.size}.pt",
        compiled=compiled,
    )
    polish = training.Run(
        name="polish",
        network=target,
        steps=options.polish_steps or size.polish_steps,
        tokens=size.tokens,
        mix=training.Mix((files, chats), (0.35, 0.65)),
        checkpoint=cache / f"polish-{options.size}.pt",
        compiled=False,
        windows=((1.0, 512),),
        peak=0.4,
    )
    for stage in (run, polish):
        stage.train(training.next_token(target), lambda: acceptance.loss(target, held_out))
    run.log += [(run.steps + step, value) for step, value in polish.log]
    target.requires_grad_(False)
    return run


def _draft(
    options: argparse.Namespace,
    target: Network,
    files: np.ndarray,
    chats: np.ndarray,
    held_out: torch.Tensor,
    compiled: bool,
) -> training.Run:
    """Imitation of the target, on the corpus and on the target's own text."""
    size, cache, device = SIZES[options.size], options.cache, next(target.parameters()).device
    own = rollouts.build(
        target, (files, chats), options.rollouts or size.rollouts, cache / f"rollouts-{options.size}.npy"
    )
    draft = Network(size.draft).to(device)
    draft.borrow(target)
    wiring.lay(draft, training.Mix((files,), (1.0,)).rows(0, 128, 128).to(device))
    mix = training.Mix((files, chats, own), (0.35, 0.1, 0.55))
    lessons = training.Lessons.hear(target, mix, options.lessons or size.lessons, 512)
    run = training.Run(
        name="draft",
        network=draft,
        steps=options.draft_steps or size.draft_steps,
        tokens=size.tokens // 2,
        mix=lessons,
        checkpoint=cache / f"draft-{options.size}.pt",
        compiled=compiled and device.type == "cuda",  # on a CPU the draft is done before compiling has paid
        windows=((1.0, 512),),
    )
    run.train(training.imitation(draft, target, lessons, 0.5), lambda: acceptance.loss(draft, held_out))
    return run


if __name__ == "__main__":
    main()
