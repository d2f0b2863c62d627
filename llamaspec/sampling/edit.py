"""Changing the logits of a few tokens, wherever their columns are."""

from collections.abc import Callable, Mapping

from ..arrays import Array, like, namespace


def edit(
    logits: Array,
    ids: Array | None,
    tokens: Array,
    values: Array,
    change: Callable[[Array, Array], Array],
) -> Array:
    """logits [n, k], ids [n, k] or None, tokens [t] (all different), values [t] -> [n, k].

    change(logit, value) is elementwise; tokens without a column are left out when there are ids.
    """
    xp = namespace(logits)
    if ids is None:
        changed = xp.asarray(logits, copy=True)
        changed[:, tokens] = change(logits[:, tokens], values)
        return changed
    hit = ids[..., None] == tokens
    value = xp.sum(xp.where(hit, values, 0.0), axis=-1)  # at most one of the terms is not 0
    return xp.where(xp.any(hit, axis=-1), change(logits, value), logits)


def columns_of(table: Mapping[int, float], logits: Array, ids: Array | None) -> tuple[Array, Array]:
    """token -> value, logits [n, V] -> tokens [t] int64, values [t] float32, without ids beyond the vocabulary."""
    width = logits.shape[-1]
    known = {token: value for token, value in table.items() if ids is not None or token < width}
    return like(list(known), logits), like(list(known.values()), logits, "float32")
