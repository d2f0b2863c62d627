"""What `--size` chooses: shapes, number of steps and rows per step."""

from dataclasses import dataclass

from train_demo.network import Shape
from train_demo.vocabulary import SIZE


@dataclass(frozen=True)
class Size:
    """One trainable pair. `tokens` is the number of tokens in a step."""

    target: Shape
    draft: Shape
    target_steps: int
    polish_steps: int
    draft_steps: int
    tokens: int
    rollouts: int
    lessons: int


SIZES = {
    # About an hour on two cores with AMX; 14 M and 2.6 M parameters.
    "cpu": Size(
        target=Shape(SIZE, width=512, layers=5, heads=4, kv_heads=2, hidden=1024),
        draft=Shape(SIZE, width=256, layers=2, heads=4, kv_heads=2, hidden=768),
        target_steps=1800,
        polish_steps=150,
        draft_steps=1200,
        tokens=8192,
        rollouts=1024,
        lessons=4096,
    ),
    # About ten minutes on one large GPU; 20 M and 2.6 M parameters, many more tokens.
    "gpu": Size(
        target=Shape(SIZE, width=512, layers=6, heads=4, kv_heads=2, hidden=1536),
        draft=Shape(SIZE, width=256, layers=2, heads=4, kv_heads=2, hidden=768),
        target_steps=4000,
        polish_steps=300,
        draft_steps=3000,
        tokens=65536,
        rollouts=8192,
        lessons=32768,
    ),
    # Seconds; for trying the script, not for models.
    "try": Size(
        target=Shape(SIZE, width=256, layers=2, heads=2, kv_heads=1, hidden=512),
        draft=Shape(SIZE, width=256, layers=1, heads=2, kv_heads=1, hidden=256),
        target_steps=6,
        polish_steps=4,
        draft_steps=6,
        tokens=2048,
        rollouts=16,
        lessons=32,
    ),
}
