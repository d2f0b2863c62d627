"""Who decides about drafts: the target, or, for a benchmark, a die."""

from collections.abc import Callable

from ..drafting.first_of import FirstOf
from ..drafting.synthetic import Synthetic, checked_rates, rates_for_length
from ..drafting.verify import verify
from ..errors import UsageError
from ..options.speculation import Speculation
from .step import Judge

INVALID = "synthetic acceptance (--spec-synth-…): the output is meaningless, only its speed means something"


def judge(spec: Speculation, drafter: FirstOf | None, report: Callable[[str], None]) -> Judge:
    """`verify`, or made-up acceptance by --spec-synth-len or --spec-synth-rates, which report hears about.

    Raises UsageError without a drafter, and for a length or rates that do not fit its drafts (speculation spec 1.12).
    """
    if spec.synth_len is None and not spec.synth_rates:
        return verify
    flag = "--spec-synth-rates" if spec.synth_rates else "--spec-synth-len"
    if drafter is None:
        raise UsageError(f"{flag} needs a drafter", "give a draft model with -md, or --spec-type ngram-simple")
    rates = (
        checked_rates(spec.synth_rates, drafter.n_max)
        if spec.synth_len is None
        else rates_for_length(spec.synth_len, drafter.n_max)
    )
    report(INVALID)
    return Synthetic(rates)
