"""What Gemma 2, 3 and 4 share: a sandwich of norms, GeGLU, scaled embeddings, a soft cap on the logits."""

from dataclasses import replace

from ..network.decoder import Model as Decoder
from ..network.hparams import HParams
from ..weights.metadata import Metadata


class Gemma(Decoder):
    """Embeddings are scaled by the root of their width."""

    activation = "gelu"
    post_attention_norm, post_ffw_norm = "post_attention_norm", "post_ffw_norm"
    softcap = 30.0
    """Of the logits, in a file that names none; 0: there is none."""

    @classmethod
    def read(cls, meta: Metadata, n_vocab: int) -> HParams:
        """The standard decoder's, with the scale and the cap."""
        h = super().read(meta, n_vocab)
        softcap = meta.float("final_logit_softcapping", default=cls.softcap)
        return replace(h, embedding_scale=h.n_embd**0.5, logit_softcap=softcap)
