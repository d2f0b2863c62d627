"""Flags that were given on the command line and can have no effect beside the others: they are named, not swallowed."""

from collections.abc import Iterator, Mapping, Sequence

DRAFTERS = {
    "spec_ngram_simple_": "ngram-simple", "spec_ngram_map_k4v_": "ngram-map-k4v", "spec_ngram_map_k_": "ngram-map-k",
    "spec_ngram_mod_": "ngram-mod", "spec_ngram_cache_": "ngram-cache", "lookup_cache_": "ngram-cache",
    "spec_suffix_": "suffix", "spec_recycling_": "recycling", "spec_draft_tree_": "draft-tree",
    "spec_draft_p_split": "draft-tree",
}  # fmt: skip
"""How the keywords of a drafter's own flags begin."""
MODEL = (
    "spec_draft_n_max", "spec_draft_n_min", "spec_draft_p_min", "spec_draft_ngl", "spec_draft_device", "spec_replace",
    "ctx_size_draft", "spec_draft_threads", "spec_draft_type_k", "spec_draft_type_v", "spec_strict",
)  # fmt: skip
"""Keywords of flags that are about a draft model."""


def idle(
    said: Mapping[str, str], targets: Mapping[str, Sequence[str]], types: Sequence[str], draft_model: bool
) -> Iterator[str]:
    """A line per flag of the command line that changes nothing.

    said: keyword -> spelling. targets: keyword -> the keywords whose values it sets (itself, for most). types: the
    drafters in use. draft_model: whether there is one.
    """
    for key, name in said.items():
        if not name.startswith("-"):
            continue  # from the environment or a file, where it is meant for other runs, too
        needs = [need for target in targets[key] if (need := _need(target))]
        if not needs or len(needs) < len(targets[key]):
            continue
        if not any(draft_model if need == "-md" else need in types for need in needs):
            wanted = [f"--spec-type {need}" for need in needs if need != "-md"]
            wanted = (["a draft model (-md)"] if "-md" in needs else []) + wanted
            yield f"{name} has no effect without {' or '.join(wanted)}"


def _need(key: str) -> str:
    """What a flag is for: a drafter, "-md" for a draft model, "" for neither."""
    if key in MODEL:
        return "-md"
    return next((drafter for prefix, drafter in DRAFTERS.items() if key.startswith(prefix)), "")


def threads(count: int, cores: int) -> str:
    """A line about more threads than the machine has cores; "" if there is nothing to say."""
    if count <= cores:
        return ""
    return f"-t {count} is more than the {cores} cores of this machine: expect a slowdown"
