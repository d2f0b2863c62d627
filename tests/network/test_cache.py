"""Rows of a branch that are kept, and sequences that are copied, whatever the cache holds."""

import pytest
import torch

from llamaspec.errors import LlamaspecError
from llamaspec.kernels.held import Q8_0, loaded, packed
from llamaspec.network.cache import Cache

CPU = torch.device("cpu")
TYPES = [torch.float32, torch.float16, Q8_0]


def filled(dtype: torch.dtype) -> Cache:
    """Two layers, three slots of 300 tokens, every row different."""
    cache = Cache.allocate([(2, 64, 32), (1, 32, 96)], 3, 300, (dtype, dtype), CPU)
    draw = torch.Generator().manual_seed(4)
    for store in cache.stores:
        for held in (store.k, store.v):
            values = loaded(held).shape
            held.copy_(packed(torch.randn(values, generator=draw), dtype))
    return cache


@pytest.mark.parametrize("dtype", TYPES)
def test_kept_rows_lie_side_by_side(dtype: torch.dtype) -> None:
    cache = filled(dtype)
    before = [(store.k.clone(), store.v.clone()) for store in cache.stores]
    cache.commit(1, range(10))
    cache.commit(1, [0, 2, 5])
    assert cache.lengths == [0, 13, 0]
    for store, was in zip(cache.stores, before, strict=True):
        for held, old in zip((store.k, store.v), was, strict=True):
            assert torch.equal(held[1, :, :13], old[1][:, [*range(10), 10, 12, 15]])
            assert torch.equal(held[[0, 2]], old[[0, 2]])


@pytest.mark.parametrize("dtype", TYPES)
def test_a_copy_has_the_rows_of_its_source(dtype: torch.dtype) -> None:
    cache = filled(dtype)
    rest = cache.stores[1].v[2, :, 7:].clone()
    cache.copy(0, 2, 7)
    assert cache.lengths[2] == 7
    for store in cache.stores:
        assert torch.equal(store.k[2, :, :7], store.k[0, :, :7])
        assert torch.equal(store.v[2, :, :7], store.v[0, :, :7])
    assert torch.equal(cache.stores[1].v[2, :, 7:], rest)


def test_packed_rows_take_34_bytes_for_32_values() -> None:
    store = Cache.allocate([(2, 64, 96)], 1, 100, (Q8_0, Q8_0), CPU).stores[0]
    assert (store.k.dtype, store.k.shape) == (torch.uint8, (1, 2, 512, 68))
    assert store.v.shape == (1, 2, 512, 102)
    with pytest.raises(LlamaspecError, match="32"):
        Cache.allocate([(2, 64, 48)], 1, 100, (torch.float16, Q8_0), CPU)
