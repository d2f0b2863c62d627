"""How often the target keeps what the draft proposes, on files that no training saw."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor

from train_demo.corpus import Corpus
from train_demo.network import Network
from train_demo.training import half
from train_demo.vocabulary import END_OF_TEXT, TURN_END

DRAFT_MAX = 3
PROMPT = 256
ANSWER = 200
_TURN = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
SAMPLES = (
    'def fibonacci(n):\n    """Return',
    "import os\n\n\ndef read_lines(path):\n",
    _TURN.format("Write a Python function that returns the n-th Fibonacci number."),
    _TURN.format("Write a Python function that checks if a number is prime."),
    _TURN.format("Write a Python function that reverses a string."),
)


@dataclass(frozen=True)
class Acceptance:
    """Draft tokens proposed and kept, over all held-out files."""

    files: int
    generated: int
    drafted: int
    accepted: int

    @property
    def rate(self) -> float:
        return self.accepted / self.drafted

    def line(self) -> str:
        """One line for the log and the model card."""
        return (
            f"acceptance {self.rate:.4f} = {self.accepted}/{self.drafted} at draft-max {DRAFT_MAX}, temperature 0, "
            f"{self.files} held-out files, {self.generated} tokens"
        )


def held_out(corpus: Corpus, tokenizer: Tokenizer) -> Tensor:
    """ids [files, PROMPT + ANSWER] of the beginnings of the held-out files."""
    encoded = [tokenizer.encode(text).ids[: PROMPT + ANSWER] for text in corpus.held_out.values()]
    return torch.tensor([ids for ids in encoded if len(ids) == PROMPT + ANSWER])


@torch.no_grad()
def loss(network: Network, ids: Tensor) -> float:
    """Mean cross-entropy in nats per token of ids [N, T]."""
    ids = ids.to(network.output_norm.weight.device)
    with half(ids.device):
        logits = F.linear(network.features(ids[:, :-1]), network.token_embd.weight)
    return F.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten()).item()


@torch.no_grad()
def greedy(network: Network, prompts: Tensor, count: int, exact: bool = True) -> Tensor:
    """prompts [N, P] -> [N, count]: the best token each time, past ends of text too; float32 if `exact`."""
    with torch.autocast(prompts.device.type, torch.bfloat16, enabled=not exact):
        logits, cache = network(prompts)
        answer = [logits[:, -1].argmax(-1, keepdim=True)]
        while len(answer) < count:
            logits, cache = network(answer[-1], cache)
            answer.append(logits[:, -1].argmax(-1, keepdim=True))
    return torch.cat(answer, 1)


@torch.no_grad()
def measure(target: Network, draft: Network, ids: Tensor) -> Acceptance:
    """Greedy chains of DRAFT_MAX tokens against the target's greedy text, file by file.

    A draft token counts only after its predecessors were kept, and then the draft has read exactly the target's text:
    so the draft's best token at every position of that text is all that is needed.
    """
    ids = ids.to(target.output_norm.weight.device)
    text = torch.cat((ids[:, :PROMPT], greedy(target, ids[:, :PROMPT], ANSWER)), 1)
    guess = draft(text[:, :-1])[0].argmax(-1)
    agree = (guess == text[:, 1:])[:, PROMPT - 1 :]
    generated = drafted = accepted = 0
    for row, tokens in zip(agree.tolist(), text[:, PROMPT:].tolist(), strict=True):
        ends = [i for i, token in enumerate(tokens) if token in (END_OF_TEXT, TURN_END)]
        length = ends[0] + 1 if ends else len(tokens)
        at = 1  # the prompt pass gives the first token
        while at < length:
            chain = row[at : min(at + DRAFT_MAX, length)]
            kept = next((i for i, same in enumerate(chain) if not same), len(chain))
            drafted += len(chain)
            accepted += kept
            at += kept + 1
        generated += length
    return Acceptance(len(ids), generated, drafted, accepted)


def sample(network: Network, tokenizer: Tokenizer, text: str, count: int = 160) -> str:
    """The greedy continuation of a text, up to its end."""
    prompt = torch.tensor([tokenizer.encode(text).ids], device=network.output_norm.weight.device)
    tokens = greedy(network, prompt, count)[0].tolist()
    ends = [i for i, token in enumerate(tokens) if token in (END_OF_TEXT, TURN_END)]
    return tokenizer.decode(tokens[: ends[0] + 1] if ends else tokens, skip_special_tokens=False)
