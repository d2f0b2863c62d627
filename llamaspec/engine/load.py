"""From a plan to a model that can run."""

from collections.abc import Callable

from ..errors import LlamaspecError
from ..kernels.dispatch import kernels_for
from ..network.decoder import Model
from ..network.place import Placement
from ..network.runner import Runner
from ..network.weights import Weights
from ..shelf import names, take
from ..weights.file import GGUFFile
from .devices import name_of, what_to_lower
from .plan import ModelPlan


def head_type(file: GGUFFile) -> str:
    """The --spec-type that a trained draft head is for; "" for a whole model (speculation spec 1.1)."""
    name = file.metadata.architecture
    if name == "dflash":
        return "draft-dspark" if "markov_w1.weight" in file.tensors else "draft-dflash"
    if name == "eagle3":
        return "draft-eagle3"
    count = file.metadata.get(f"{name}.block_count")
    last = count - 1 if isinstance(count, int) else 0
    body = last > 0 and "blk.0.attn_norm.weight" in file.tensors
    nextn = f"blk.{last}.nextn.eh_proj.weight" in file.tensors
    return "draft-mtp" if name == "gemma4-assistant" or (nextn and not body) else ""


def known_architecture(file: GGUFFile) -> str:
    """`general.architecture`, which must stand on the shelf of models.

    Draft heads are refused with the --spec-type that they are for.
    """
    name = file.metadata.architecture
    if kind := head_type(file):
        built = kind.replace("-", "_") in names("drafting.types")
        raise LlamaspecError(
            f"{file.path} is a trained draft head ({name}), not a model that draft-simple or draft-tree can ask",
            hint=f"it belongs to --spec-type {kind}" + ("" if built else ", which is not supported yet"),
        )
    if name.replace("-", "_").lower() in names("models"):
        return name
    raise LlamaspecError(
        f"{file.path} has the architecture '{name[:60]}', which is not supported yet",
        hint=f"known: {', '.join(shown.replace('_', '-') for shown in names('models'))}",
    )


def architecture(file: GGUFFile) -> type[Model]:
    """The network's class, from the shelf of models."""
    return take("models", known_architecture(file)).Model


Watch = Callable[[int, int], None]
"""Told while a model is loaded: bytes of its file that are done, and how many there are."""


def load_model(plan: ModelPlan, exact: bool = True, watch: Watch = lambda done, total: None) -> Runner:
    """Weights, network and cache of one model. exact: as network.runner.Runner."""
    sizes = _adding_up(watch, sum(info.n_bytes for info in plan.file.tensors.values()))
    kernels = kernels_for(plan.device, plan.backend, plan.resident, plan.threads if plan.threads > 0 else None)
    weights = Weights(plan.file, Placement.everything(plan.device, kernels), plan.hparams.eps, taken=sizes)
    try:
        with kernels.computing():
            model = architecture(plan.file)(plan.hparams, weights, plan.n_ctx)
            cache = model.new_cache(plan.slots, plan.n_ctx, *plan.cache_types)
    except kernels.exhausted as error:
        raise LlamaspecError(
            f"not enough memory on {name_of(plan.device)} for {plan.file.path}", hint=what_to_lower(plan.device)
        ) from error
    runner = Runner(model, cache, exact, plan.prompt_rows or None)
    if not plan.device.is_host:
        from .device.graphs import capture  # torch's

        capture(runner)
    return runner


def _adding_up(watch: Watch, total: int) -> Callable[[int], None]:
    """The watch, to be told the size of one tensor after the other."""
    done = 0

    def add(size: int) -> None:
        nonlocal done
        done = min(done + size, total)
        watch(done, total)

    return add
