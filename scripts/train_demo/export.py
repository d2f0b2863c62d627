"""Writes a trained network as a Q8_0 GGUF file with its vocabulary, template and model card."""

import json
import os
from pathlib import Path

import gguf
from gguf.constants import GGMLQuantizationType, GGUFValueType, LlamaFileType, TokenType
from tokenizers import Tokenizer

from train_demo import vocabulary
from train_demo.acceptance import ANSWER, DRAFT_MAX, PROMPT, Acceptance
from train_demo.corpus import Corpus, sources
from train_demo.network import EPS, ROPE_BASE, Network
from train_demo.training import SEED, Run

CONTEXT = 2048


def write(path: Path, run: Run, tokenizer: Tokenizer, measured: Acceptance | None, corpus: Corpus) -> None:
    """Write one model; the file appears under its name only when it is whole."""
    part = path.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "llama")
    _shape(writer, run.network)
    _vocabulary(writer, tokenizer)
    _card(writer, run, measured, corpus)
    for name, weight in run.network.state_dict().items():
        data = weight.detach().cpu().float().numpy()
        if data.ndim == 1:
            writer.add_tensor(name, data)
        else:
            packed = gguf.quants.quantize(data, GGMLQuantizationType.Q8_0)
            writer.add_tensor(name, packed, raw_dtype=GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)


def _shape(writer: gguf.GGUFWriter, network: Network) -> None:
    shape = network.shape
    writer.add_context_length(CONTEXT)
    writer.add_block_count(shape.layers)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(EPS)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_vocab_size(shape.vocab)
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _vocabulary(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    ids = tokenizer.get_vocab()
    tokens = sorted(ids, key=ids.__getitem__)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(vocabulary.PRE)
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL if t in vocabulary.SPECIALS else TokenType.NORMAL for t in tokens])
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    writer.add_bos_token_id(vocabulary.END_OF_TEXT)
    writer.add_eos_token_id(vocabulary.TURN_END)
    writer.add_eot_token_id(vocabulary.TURN_END)
    writer.add_pad_token_id(vocabulary.END_OF_TEXT)
    writer.add_add_bos_token(False)
    writer.add_chat_template(vocabulary.TEMPLATE)


def _card(writer: gguf.GGUFWriter, run: Run, measured: Acceptance | None, corpus: Corpus) -> None:
    """The model card: what it is, what it read, how it was trained; a draft's also tells its acceptance."""
    role = {"target": "target of the embedded pair", "draft": "draft of the embedded pair, distilled from its target"}
    taught = {
        "target": "next token on whole files and on small documented functions posed as ChatML turns; these are most "
        "of the last steps",
        "draft": "KL to the target plus half the cross-entropy with its best token, on the corpus and on the target's "
        "own greedy text; embedding started from the target's, projected onto its principal directions, "
        "and an induction circuit was laid into the two blocks",
    }
    count = sum(p.numel() for p in run.network.parameters())
    writer.add_name(f"llamaspec demo {run.name}")
    writer.add_author("llamaspec")
    writer.add_license("mit")
    writer.add_size_label(f"{count / 1e6:.0f}M")
    writer.add_tags(["llamaspec", "demo", "speculative-decoding", run.name, "python"])
    writer.add_languages(["en"])
    writer.add_description(
        f"{role[run.name].capitalize()}: a {count / 1e6:.1f} M parameter Llama trained from scratch by "
        f"scripts/train_demo.py on {len(corpus.files)} Python files and {len(corpus.chats)} conversations made of "
        "documented functions. It writes text that looks like Python; it is for the demo, tests and CI, not for work."
    )
    texts = {
        "role": run.name,
        "objective": taught[run.name],
        "optimiser": "Muon (matrices, peak 0.02), Adam (embedding and norms, peak 0.003); warm-up 40 steps, hold, "
        "linear fall over the last 45 %; windows of 256 to 1024 tokens (target) or up to 512 (draft)",
        "losses": ", ".join(f"{step}: {value:.4f}" for step, value in run.log),
        "losses.unit": "step: nats per token on the beginnings of the held-out files",
    }
    numbers = {"steps": run.steps, "tokens_per_step": run.tokens, "seed": SEED, "parameters": count}
    if measured:
        texts["acceptance.line"] = measured.line()
        texts["acceptance.method"] = (
            f"float32 before quantisation; prompt: the first {PROMPT} tokens of a file; {ANSWER} greedy tokens, "
            "or fewer if the text ends; accepted / drafted"
        )
        numbers["acceptance.draft_max"] = DRAFT_MAX
        writer.add_float32("llamaspec.demo.acceptance", measured.rate)
    for key, value in texts.items():
        writer.add_string(f"llamaspec.demo.{key}", value)
    for key, number in numbers.items():
        writer.add_uint32(f"llamaspec.demo.{key}", number)
    for key, values in {"corpus": sources(), "held_out": list(corpus.held_out)}.items():
        writer.add_key_value(f"llamaspec.demo.{key}", values, GGUFValueType.ARRAY, GGUFValueType.STRING)
