"""What the user may set about sampling: llama.cpp's flags and defaults."""

import math
from dataclasses import dataclass, fields

from ..errors import UsageError

DEFAULT_ORDER = ("penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature")
"""`edskypmxt` in letters."""


@dataclass(frozen=True, kw_only=True)
class SamplerParams:
    """Fields are named like the long flags, with _ for -; the defaults are llama.cpp's."""

    samplers: tuple[str, ...] = DEFAULT_ORDER
    """Names as after --samplers, in order (sampling.sequence reads them from text and from letters)."""
    min_keep: int = 0
    """Truncating samplers leave at least this many tokens. No flag; the server's field."""
    temp: float = 0.8
    """0 or less: always the highest logit."""
    dynatemp_range: float = 0.0
    dynatemp_exp: float = 1.0
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    typical_p: float = 1.0
    top_n_sigma: float = -1.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    repeat_last_n: int = 64
    """Tokens; -1: all of the context, here and for dry_penalty_last_n."""
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = 64
    dry_sequence_breaker: tuple[str, ...] = ("\n", ":", '"', "*")
    adaptive_target: float = -1.0
    adaptive_decay: float = 0.9
    mirostat: int = 0
    mirostat_lr: float = 0.1
    mirostat_ent: float = 5.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    """(token id, bias): finite, or -inf to forbid."""

    def __post_init__(self) -> None:
        """Raises UsageError for what no sampler can mean."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and math.isnan(value):
                raise UsageError(f"{field.name} is not a number")
        if not (self.repeat_penalty > 0 and math.isfinite(self.repeat_penalty)):
            raise UsageError(f"repeat_penalty is {self.repeat_penalty}", hint="a number above 0; 1 is off")
        if self.repeat_last_n < -1 or self.dry_penalty_last_n < -1:
            raise UsageError("a window of tokens cannot be negative", hint="0 turns the penalty off, -1 is everything")
        if not (math.isfinite(self.frequency_penalty) and math.isfinite(self.presence_penalty)):
            raise UsageError("frequency_penalty and presence_penalty must be finite")
        if self.mirostat not in (0, 1, 2):
            raise UsageError(f"there is no mirostat version {self.mirostat}", hint="0 off, 1 or 2")
