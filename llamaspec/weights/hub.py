"""Names on the Hugging Face hub: which files of a repository a request such as user/model:Q4_K_M means.

Nothing here touches the network or the disk. The rules are llama.cpp's (spec/cli.md 9), except where a quantisation
tag fits several files: the file whose own tag is exactly the wanted one comes first.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import LlamaspecError
from ..options.values import hub_name

UNASKED = ("Q4_K_M", "Q8_0")
"""Quantisations that are tried, in this order, when the request names none."""
HEADS = ("mtp-", "eagle3-", "dflash-", "dspark-")
"""Prefixes of trained draft heads, which are not models of their own."""
_OTHER = ("mmproj", "imatrix")
_PART = re.compile(r"-(\d{5})-of-(\d{5})(?=\.gguf$)", re.IGNORECASE)
_TAG = re.compile(
    r"(?:^|[-._/])((?:UD-)?(?:I?Q\d\w*|TQ\d_\d|MXFP4\w*|NVFP4|BF16|F16|F32|FP16|FP32))(?=$|[-._/])", re.IGNORECASE
)


@dataclass(frozen=True)
class HubFile:
    """A file of a repository. size: bytes, -1 = unknown. sha256: hex, "" = unknown. oid: its name in the cache."""

    path: str
    size: int = -1
    sha256: str = ""
    oid: str = ""


@dataclass(frozen=True)
class HubName:
    """What -hf names. repo: user/model. tag: a quantisation, "" = the default one."""

    repo: str
    tag: str = ""

    @classmethod
    def parse(cls, text: str) -> "HubName":
        """user/model or user/model:tag. Raises ValueError for anything else.

        >>> HubName.parse("user/model:Q8_0")
        HubName(repo='user/model', tag='Q8_0')
        """
        repo, _, tag = hub_name(text).partition(":")
        return cls(repo, tag)

    def __str__(self) -> str:
        return f"{self.repo}:{self.tag}" if self.tag else self.repo


def tag_of(path: str) -> str:
    """The quantisation that a file's name states, in upper case; "" if it states none.

    >>> tag_of("UD-Q2_K_XL/Model-UD-Q2_K_XL-00001-of-00003.gguf"), tag_of("model.gguf")
    ('UD-Q2_K_XL', '')
    """
    stem = _PART.sub("", path.rsplit("/", 1)[-1]).removesuffix(".gguf")
    found = _TAG.findall(stem)
    return found[-1].upper() if found else ""


def is_head(path: str) -> bool:
    """Whether the name is that of a trained draft head."""
    return path.rsplit("/", 1)[-1].lower().startswith(HEADS)


def is_model(path: str) -> bool:
    """Whether the name is that of a model: GGUF, and not a head, an image projector or an importance matrix."""
    name = path.lower()
    return name.endswith(".gguf") and not is_head(path) and not any(word in name for word in _OTHER)


def is_projector(path: str) -> bool:
    """Whether the name is that of an image or audio projector."""
    return "mmproj" in path.lower() and path.lower().endswith(".gguf")


def parts(first: str) -> list[str]:
    """All parts of a split file from the name of one of them; the name itself if it is not split.

    >>> parts("m-00001-of-00002.gguf")
    ['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf']
    """
    match = _PART.search(first)
    if match is None:
        return [first]
    count = int(match[2])
    return [f"{first[: match.start()]}-{n:05d}-of-{match[2]}{first[match.end() :]}" for n in range(1, count + 1)]


def choose(name: HubName, paths: Sequence[str], file: str = "") -> list[str]:
    """The files that a request means: one, or all parts of a split one, the first part first.

    file: exactly this one (--hf-file). Raises LlamaspecError that lists what the repository has.
    """
    if file:
        if file not in paths:
            raise LlamaspecError(f"{name.repo} has no file '{file}'", _offer(paths))
        return _complete(name, file, paths)
    models = [path for path in paths if is_model(path) and (not (m := _PART.search(path)) or int(m[1]) == 1)]
    if not models:
        raise LlamaspecError(
            f"{name.repo} has no GGUF model file",
            "look for a repository whose name ends in -GGUF, or convert the model",
        )
    for tag in (name.tag,) if name.tag else UNASKED:
        if found := _tagged(models, tag):
            return _complete(name, found, paths)
    if name.tag:
        raise LlamaspecError(f"{name.repo} has no file for the quantisation '{name.tag}'", _offer(models))
    return _complete(name, models[0], paths)


def choose_draft(name: HubName, paths: Sequence[str], target_repo: str) -> list[str]:
    """What -hfd means: a draft head if the repository is the target's own or holds nothing else, else as `choose`."""
    heads = [path for path in paths if is_head(path)]
    if heads and (name.repo == target_repo or not any(is_model(path) for path in paths)):
        return _complete(name, (name.tag and _tagged(heads, name.tag)) or heads[0], paths)
    return choose(name, paths)


def companion(paths: Iterable[str], chosen: Sequence[str]) -> str:
    """A draft head or small draft model that lies beside the chosen file; "" if there is none."""
    others = [path for path in paths if path not in chosen and path.lower().endswith(".gguf")]
    heads = [path for path in others if is_head(path)]
    drafts = [path for path in others if is_model(path) and "draft" in path.rsplit("/", 1)[-1].lower()]
    return next(iter((*heads, *drafts)), "")


def _tagged(paths: Sequence[str], tag: str) -> str:
    """The first path with exactly this tag, else the first that contains it between separators; "" = none."""
    for path in paths:
        if tag_of(path) == tag.upper():
            return path
    pattern = re.compile(rf"(?:^|[-._/]){re.escape(tag)}[.-]", re.IGNORECASE)
    return next((path for path in paths if pattern.search(path)), "")


def _complete(name: HubName, first: str, paths: Sequence[str]) -> list[str]:
    """All parts of a file. Raises LlamaspecError when the repository lacks one."""
    wanted = parts(first)
    if missing := [path for path in wanted if path not in paths]:
        raise LlamaspecError(f"{name.repo}: part '{missing[0]}' of a split file is missing", "choose another file")
    return wanted


def _offer(paths: Iterable[str]) -> str:
    """A hint that names the choices."""
    tags = list(dict.fromkeys(tag for path in paths if is_model(path) and (tag := tag_of(path))))
    if tags:
        return f"it has {', '.join(tags[:16])}{', …' if len(tags) > 16 else ''}"
    names = [path for path in paths if path.lower().endswith(".gguf")]
    return f"it has {', '.join(names[:6])}{', …' if len(names) > 6 else ''}" if names else "it has no GGUF file"
