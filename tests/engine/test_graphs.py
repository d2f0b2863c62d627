"""Passes that are captured once and replayed give the bits of passes that are not; no CUDA is needed to see that."""

import numpy as np
import pytest
import torch

from llamaspec.engine.device.graphs import ROWS, Graphs, ReadbackRing, Replays, blocks_bucket, rows_bucket
from llamaspec.network.runner import Branch
from tests.engine.recorder import Eager
from tests.network.build import runner
from tests.network.test_invariance import ONE_PER_ARCHITECTURE, each

NAMES = sorted(ONE_PER_ARCHITECTURE)


def pair_of(name: str, exact: bool = True, context: int = 500):
    """The same model twice: plain, and through recordings."""
    plain, graphed = (runner(ONE_PER_ARCHITECTURE[name].model, context, exact=exact) for _ in range(2))
    recorder = Eager()
    graphed.forward = Graphs(graphed.model, graphed.cache, recorder)
    return plain, graphed, recorder


def test_buckets():
    assert [rows_bucket(n) for n in (1, 16, 17, 32, 33, 64, 65)] == [16, 16, 32, 32, 64, 64, 0]
    assert [blocks_bucket(n, 256 * 12) for n in (1, 2, 3, 4, 5, 8, 9, 12)] == [1, 2, 4, 4, 8, 8, 12, 12]
    assert ROWS[0] == 16


@pytest.mark.parametrize("name", each(ONE_PER_ARCHITECTURE))
def test_chains_and_trees_have_the_bits_of_uncaptured_passes(name):
    plain, graphed, recorder = pair_of(name)
    prompt = [(7 * i) % 96 for i in range(250)]
    middle = plain.model.hparams.n_layer // 2
    for run in (plain, graphed):
        assert sum(size for size, _ in run.read(0, prompt)) == 250
    assert recorder.recorded == 0, "a prompt was captured"
    kept = []
    for step in range(8):  # crosses a block
        parents = [-1, 0, 0, 1][: step % 5] if step % 2 else [-1, 0, 1][: step % 4]
        tokens = [(11 * step + 3 * i) % 96 for i in range(len(parents) + 1)]
        features = (middle,) if step % 3 == 0 else ()
        expected, found = (run.decode([Branch(0, tokens, parents)], features)[0] for run in (plain, graphed))
        assert np.array_equal(found.logits.view(np.int32), expected.logits.view(np.int32))
        assert found.features.keys() == expected.features.keys() == set(features)
        for layer, rows in expected.features.items():
            assert np.array_equal(found.features[layer], rows)
        kept.append((found.logits, found.logits.copy()))
        for run in (plain, graphed):
            run.cache.commit(0, [0, 1] if parents else [0])
    assert recorder.recorded < recorder.replayed == 8
    for rows, then in kept:
        assert np.array_equal(rows, then), "a later replay changed a result"


def test_one_recording_per_shape():
    _, run, recorder = pair_of(NAMES[0], exact=False)
    counts = []
    for n, times in ((1, 3), (5, 2), (16, 1), (17, 1), (40, 1), (64, 1), (65, 1), (130, 1)):
        run.width = n  # in one pass, as on a back end whose kernels take any number of rows
        for _ in range(times):
            run.decode([Branch(0, [1] * n, range(-1, n - 2))])
            run.cache.truncate(0, 0)
        counts.append(recorder.recorded)
    assert counts == [1, 1, 1, 2, 3, 3, 3, 3]


def test_padding_rows_write_where_nobody_reads():
    plain, graphed, _ = pair_of(NAMES[0], exact=False)
    for run in (plain, graphed):
        run.decode([Branch(0, [3, 4, 5], [-1, 0])])
    for ours, theirs in zip(graphed.cache.stores, plain.cache.stores, strict=True):
        for own, their in zip(ours.planes, theirs.planes, strict=True):
            assert torch.equal(own.data[:, :, 3:-1], their.data[:, :, 3:-1])


def test_without_a_recorder_it_is_the_forward_pass():
    plain, graphed, _ = pair_of(NAMES[0])
    graphed.forward = Graphs(graphed.model, graphed.cache, None)
    with torch.inference_mode():
        assert np.array_equal(*(run.decode([Branch(0, [3, 4], [-1])])[0].logits for run in (plain, graphed)))


def test_recordings_put_the_state_back_and_the_oldest_goes():
    counter = torch.zeros(1, dtype=torch.int64)
    replays = Replays(Eager(), (counter,))

    def count() -> None:
        counter.add_(1)

    for key in range(70):
        replays(key, count)
    assert counter.tolist() == [70], "warming up was counted"
    assert len(replays.recorded) == 64
    assert 0 not in replays.recorded


def test_results_arrive_in_order_and_keep_what_they_held():
    ring, result = ReadbackRing(2, torch.device("cpu"), depth=3), torch.zeros(2, dtype=torch.int64)
    for turn in range(5):
        for number in range(3):
            result[:] = torch.tensor([turn, number])
            ring.enqueue(result)
        assert ring.waiting == 3
        with pytest.raises(AssertionError, match="unread"):
            ring.enqueue(result)
        assert [ring.read() for _ in range(3)] == [[turn, 0], [turn, 1], [turn, 2]]


def test_a_narrow_pass_does_not_repeat_rows_of_a_wider_one():
    plain, graphed, _ = pair_of(NAMES[0], exact=False)
    chains = [list(range(10, 20)), list(range(30, 47)), [7]]
    for tokens in chains:
        plain.width = graphed.width = len(tokens)
        outputs = [run.decode([Branch(0, tokens, range(-1, len(tokens) - 2))])[0] for run in (plain, graphed)]
        if len(tokens) == 17:
            for run in (plain, graphed):
                run.cache.commit(0, range(17))
    for ours, theirs in zip(graphed.cache.stores, plain.cache.stores, strict=True):
        for own, their in zip(ours.planes, theirs.planes, strict=True):
            values = (plane.type.decode(plane.data)[:, :, :17] for plane in (own, their))
            assert np.allclose(*values, atol=1e-4)
    assert np.allclose(outputs[0].logits, outputs[1].logits, atol=1e-3)
