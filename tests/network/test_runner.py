"""Trees that grow over several passes, and logits of some rows only, have the bits of one pass with all."""

import numpy as np
import pytest

from llamaspec.network.runner import Branch
from tests.network.test_invariance import COVERING, KERNELS, ONE_PER_ARCHITECTURE, VOCABULARY, runner, same_bits

PROMPT = [(3 * i) % VOCABULARY for i in range(70)]
TOKENS = [9, 8, 7, 6, 5, 4, 3, 12, 13]
PARENTS = [-1, -1, 0, 0, 1, 3, 3, 5]


@pytest.fixture(params=[(name, backend) for name in COVERING for backend in KERNELS], ids=str)
def model(request):
    """A runner of every architecture on every back end, the prompt read."""
    name, backend = request.param

    def fresh():
        run = runner(ONE_PER_ARCHITECTURE[name].model, backend=backend)
        list(run.read(0, PROMPT))
        return run

    return fresh


def test_a_tree_grown_level_by_level(model):
    whole = model()
    expected = whole.decode([Branch(0, TOKENS, PARENTS)])[0].logits
    run, rows, known = model(), [], None
    for first, last in ((0, 3), (3, 6), (6, 9)):
        parents = PARENTS[max(first - 1, 0) : last - 1]
        rows.append(run.decode([Branch(0, TOKENS[first:last], parents, known)])[0].logits)
        known = PARENTS[: last - 1]
    assert same_bits(np.concatenate(rows), expected)
    for one in (whole, run):
        one.cache.commit(0, [0, 1, 4, 6])
    after = [one.decode([Branch(0, [17])])[0].logits for one in (whole, run)]
    assert same_bits(*after)


def test_logits_of_some_rows(model):
    run = model()
    features = (0, run.model.hparams.n_layer)
    whole = run.decode([Branch(0, TOKENS, PARENTS)], features)[0]
    some = run.decode([Branch(0, TOKENS, PARENTS, wanted=(1, 4, 8))], features)[0]
    assert same_bits(some.logits, whole.logits[[1, 4, 8]])
    for feature in features:
        assert same_bits(some.features[feature], whole.features[feature])


def test_a_prompt_beside_a_draft():
    for backend in KERNELS:
        run = runner(ONE_PER_ARCHITECTURE["llama"].model, 256, 2, backend=backend)
        list(run.read(1, PROMPT[:20]))
        expected = run.decode([Branch(1, [5, 6], [-1])])[0].logits
        chunk = Branch(0, PROMPT[:11], range(-1, 9), wanted=())
        prompt, draft = run.decode([chunk, Branch(1, [5, 6], [-1])])
        assert prompt.logits.shape[0] == 0
        assert same_bits(draft.logits, expected)
        run.cache.commit(0, range(11))
        alone = runner(ONE_PER_ARCHITECTURE["llama"].model, 256, 2, backend=backend)
        list(alone.read(0, PROMPT[:11]))
        assert same_bits(run.decode([Branch(0, [5])])[0].logits, alone.decode([Branch(0, [5])])[0].logits)
