"""`llamaspec list | pull | rm`: the cache of downloaded models."""

import json
import os
import time
from pathlib import Path

from ..errors import LlamaspecError, UsageError
from ..options.groups import Groups
from ..options.values import hub_name
from ..weights.cache import CachedModel, HubCache, hub_root
from ..weights.hub import HubName
from ..weights.part import sized
from . import terminal
from .fetch import watching


def list_models(groups: Groups) -> int:
    """Every downloaded model: name, size, when it was last used."""
    cache = HubCache(hub_root(os.environ))
    found = cache.models()
    if groups.log.json:
        terminal.answer(json.dumps([_facts(model) for model in found], indent=1, ensure_ascii=False) + "\n")
        return 0
    if not found:
        terminal.say(f"no models in {cache.root}; `llamaspec pull USER/MODEL[:QUANT]` downloads one")
    width = max((len(str(model.name)) for model in found), default=0)
    for model in found:
        files = f"{len(model.files)} parts" if len(model.files) > 1 else model.files[0].name if model.files else ""
        state = "" if model.complete else "  (parts are missing: pull it again)"
        line = f"{str(model.name).ljust(width)}  {sized(model.size):>10}  {_ago(model.used):>12}  {files}{state}"
        terminal.answer(f"{terminal.visible(line)}\n")
    _unfinished(cache)
    return 0


def cache_list() -> str:
    """llama.cpp's --cache-list: the number of models, then a numbered line each."""
    found = [str(model.name) for model in HubCache(hub_root(os.environ)).models() if model.name.tag]
    lines = [f"number of models in cache: {len(found)}"]
    lines += [f"{place:4d}. {name}" for place, name in enumerate(found, start=1)]
    return "".join(f"{line}\n" for line in lines)


def pull(groups: Groups) -> int:
    """Downloads a model without running it, and prints where its file is."""
    from ..weights.download import Downloads

    model = groups.model
    if groups.operands:
        names, urls = [_named(groups.operands[0], "pull")], []
    else:
        names, urls = (
            [HubName.parse(model.hf_repo)] if model.hf_repo else [],
            [model.model_url] if model.model_url else [],
        )
    if not names and not urls and not model.hf_repo_draft:
        raise UsageError("pull needs the name of a model", "llamaspec pull USER/MODEL[:QUANT]")
    with watching(groups) as watch:
        downloads = Downloads(os.environ, watch, token=model.hf_token, no_network=model.offline)
        paths = [downloads.model(name, model.hf_file, only_fetch=True) for name in names]
        paths += [downloads.url(url) for url in urls]
        if model.hf_repo_draft:
            paths.append(downloads.draft(HubName.parse(model.hf_repo_draft), names[0].repo if names else ""))
    terminal.answer("".join(f"{path}\n" for path in paths))
    return 0


def remove(groups: Groups) -> int:
    """Says what would be deleted; with --yes deletes it."""
    cache, models = HubCache(hub_root(os.environ)), groups.removal
    chosen = [model for name in groups.operands for model in _matching(cache, _named(name, "rm"))]
    leftovers = cache.unfinished() if models.unfinished else []
    if not groups.operands and not models.unfinished:
        raise UsageError("rm needs the name of a model", "`llamaspec list` shows them; llamaspec rm USER/MODEL[:QUANT]")
    total = 0
    for model in chosen:
        freed = cache.remove(model) if models.yes else model.size
        total += freed
        _say(groups, f"{'removed' if models.yes else 'would remove'} {model.name} ({sized(freed)})")
    for path in leftovers:
        total += _size(path)
        _say(groups, f"{'removed' if models.yes else 'would remove'} {path.name}, unfinished ({sized(_size(path))})")
        if models.yes:
            _delete(path)
    if not models.yes:
        _say(groups, f"nothing was deleted; with --yes {sized(total)} would be freed")
    return 0


def _matching(cache: HubCache, name: HubName) -> list[CachedModel]:
    """The cached models that a name means: all of a repository, or those with the tag."""
    found = [model for model in cache.models() if model.name.repo.lower() == name.repo.lower()]
    if name.tag:
        found = [model for model in found if model.name.tag.lower() == name.tag.lower()]
    if not found:
        raise LlamaspecError(f"{name} is not in {cache.root}", "`llamaspec list` shows what is")
    return found


def _named(text: str, verb: str) -> HubName:
    try:
        return HubName.parse(hub_name(text))
    except ValueError as error:
        raise UsageError(f"{verb}: {error}, not '{text[:80]}'") from None


def _say(groups: Groups, line: str) -> None:
    if groups.log.verbosity >= 1:
        terminal.say(line)


def _unfinished(cache: HubCache) -> None:
    parts = [path for path in cache.unfinished() if not path.name.endswith(".etag")]
    if parts:
        total = sized(sum(_size(path) for path in parts))
        count = f"{len(parts)} unfinished download{'s' if len(parts) > 1 else ''}"
        terminal.say(f"{count} ({total}); pull continues, `llamaspec rm --unfinished` deletes")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise LlamaspecError(f"cannot delete {path}: {error.strerror}") from None


def _facts(model: CachedModel) -> dict[str, object]:
    return {
        "repo": model.name.repo, "tag": model.name.tag, "bytes": model.size, "used": model.used,
        "complete": model.complete, "files": [str(file) for file in model.files],
    }  # fmt: skip


def _ago(when: float) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(time.time() - when, 0)
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
