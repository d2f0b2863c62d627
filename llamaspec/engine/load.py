"""From a plan to a model that can run."""

import torch

from ..errors import LlamaspecError
from ..kernels.dispatch import kernels_for
from ..layers.cache import Cache
from ..models._base import Model
from ..models._passes import Passes
from ..models._weights import Weights
from ..shelf import names, take
from ..weights.file import GGUFFile
from .plan import ModelPlan


def known_architecture(file: GGUFFile) -> str:
    """`general.architecture`, which must stand on the shelf of models.

    Draft heads are refused with the --spec-type that they are for.
    """
    name = file.metadata.architecture
    if name.replace("-", "_").lower() in names("models"):
        return name
    heads = {"eagle3": "draft-eagle3", "dflash": "draft-dflash", "gemma4-assistant": "draft-mtp"}
    if name in heads:
        raise LlamaspecError(
            f"{file.path} is a trained draft head ({name}), not a model",
            hint=f"it belongs to --spec-type {heads[name]}, which is not built yet",
        )
    raise LlamaspecError(
        f"{file.path} has the architecture '{name[:60]}', which is not built yet",
        hint=f"known: {', '.join(shown.replace('_', '-') for shown in names('models'))}",
    )


def load_model(plan: ModelPlan, exact: bool = True) -> Passes:
    """Weights, network and cache of one model. exact: as models._passes.Passes."""
    module = take("models", known_architecture(plan.file))
    kernels = kernels_for(plan.device, plan.backend, plan.resident, plan.threads if plan.threads > 0 else None)
    weights = Weights(plan.file, kernels, plan.device, plan.hparams.eps)
    try:
        with torch.inference_mode():
            model: Model = module.Model(plan.hparams, weights, plan.n_ctx)
            cache: Cache = model.new_cache(plan.slots, plan.n_ctx, plan.cache_type)
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise LlamaspecError(
            f"not enough memory for {plan.file.path}", hint="lower -c, --ctx-size, or take a smaller file"
        ) from error
    return Passes(model, cache, exact)
