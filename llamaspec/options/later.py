"""llama.cpp's flags that have no effect here yet: one row each, so that none of its names is unknown.

When one is supported its row moves into the group that owns it.
"""

from .flag import Flag, Status, row


def _later(default: str, *specs: str) -> tuple[Flag, ...]:
    """Rows "names METAVAR [= default] [@ ENV]": a warning, unless they say what is the case anyway."""
    return tuple(_of(spec, default) for spec in specs)


def _of(spec: str, default: str, status: Status = Status.LATER, reason: str = "") -> Flag:
    spec, _, env = spec.partition(" @ ")
    spec, _, said = spec.partition(" = ")
    return row(spec, "", env=env, default=said or default, status=status, reason=reason)


def _refused(reason: str, *specs: str) -> tuple[Flag, ...]:
    return tuple(_of(spec, "", Status.REFUSED, reason) for spec in specs)


def _inert(*specs: str) -> tuple[Flag, ...]:
    return tuple(_of(spec, "", Status.INERT) for spec in specs)


LATER = (
    # Threads and priorities: nothing but speed depends on them.
    *_later(
        "",
        "-C, --cpu-mask M", "-Cr, --cpu-range lo-hi", "--cpu-strict 0|1 = 0", "--prio N = 0", "--poll 0-100 = 50",
        "-Cb, --cpu-mask-batch M", "-Crb, --cpu-range-batch lo-hi", "--cpu-strict-batch 0|1 = 0",
        "--prio-batch N = 0", "--poll-batch 0|1",
        "-Cd, --cpu-mask-draft, --spec-draft-cpu-mask M", "-Crd, --cpu-range-draft, --spec-draft-cpu-range lo-hi",
        "--cpu-strict-draft, --spec-draft-cpu-strict 0|1 = 0", "--prio-draft, --spec-draft-prio N = 0",
        "--poll-draft, --spec-draft-poll 0|1", "-Cbd, --cpu-mask-batch-draft, --spec-draft-cpu-mask-batch M",
        "-Crbd, --cpu-range-batch-draft, --spec-draft-cpu-range-batch lo-hi",
        "--cpu-strict-batch-draft, --spec-draft-cpu-strict-batch 0|1 = 0",
        "--prio-batch-draft, --spec-draft-prio-batch N = 0", "--poll-batch-draft, --spec-draft-poll-batch 0|1",
        "--numa TYPE @ LLAMA_ARG_NUMA",
    ),
    # Placement and loading.
    *_later(
        "",
        "-kvo, --kv-offload / -nkvo, --no-kv-offload = on @ LLAMA_ARG_KV_OFFLOAD",
        "-sm, --split-mode MODE = layer @ LLAMA_ARG_SPLIT_MODE",
        "-ts, --tensor-split N0,N1,... @ LLAMA_ARG_TENSOR_SPLIT",
        "-mg, --main-gpu INDEX = 0 @ LLAMA_ARG_MAIN_GPU",
        "-ot, --override-tensor PATTERN=TYPE,... @ LLAMA_ARG_OVERRIDE_TENSOR",
        "-cmoe, --cpu-moe @ LLAMA_ARG_CPU_MOE", "-ncmoe, --n-cpu-moe N @ LLAMA_ARG_N_CPU_MOE",
        "-otd, --override-tensor-draft, --spec-draft-override-tensor PATTERN=TYPE,...",
        "-cmoed, --cpu-moe-draft, --spec-draft-cpu-moe @ LLAMA_ARG_SPEC_DRAFT_CPU_MOE",
        "-ncmoed, --n-cpu-moe-draft, --spec-draft-n-cpu-moe, --spec-draft-ncmoe N @ LLAMA_ARG_SPEC_DRAFT_N_CPU_MOE",
        "-fit, --fit on|off = on @ LLAMA_ARG_FIT", "-fitt, --fit-target MiB0,MiB1,... @ LLAMA_ARG_FIT_TARGET",
        "-fitp, --fit-print on|off = off @ LLAMA_ARG_FIT_ESTIMATE", "-fitc, --fit-ctx N @ LLAMA_ARG_FIT_CTX",
        "-ncffn, --n-cpu-ffn N @ LLAMA_ARG_N_CPU_FFN", "--check-tensors",
        "-lm, --load-mode MODE = auto @ LLAMA_ARG_LOAD_MODE",
        "-lzm, --lazy-mode MODE = auto @ LLAMA_ARG_LAZY_MODE", "--mlock @ LLAMA_ARG_MLOCK",
        "--swa-full @ LLAMA_ARG_SWA_FULL", "-np, --parallel N = 1 @ LLAMA_ARG_N_PARALLEL",
        "-ctxcp, --ctx-checkpoints, --swa-checkpoints N @ LLAMA_ARG_CTX_CHECKPOINTS",
        "-cram, --cache-ram N @ LLAMA_ARG_CACHE_RAM",
        "--context-shift / --no-context-shift = off @ LLAMA_ARG_CONTEXT_SHIFT",
    ),
    # Chat.
    *_later(
        "",
        "--prompt-cache FNAME", "--prompt-cache-all", "--prompt-cache-ro",
    ),
    # Nothing to switch: what they tune does not exist here, or is always as they ask.
    *_inert(
        "--perf / --no-perf @ LLAMA_ARG_PERF", "--repack / -nr, --no-repack @ LLAMA_ARG_REPACK",
        "--no-host @ LLAMA_ARG_NO_HOST",
        "-dt, --defrag-thold N @ LLAMA_ARG_DEFRAG_THOLD", "--warmup / --no-warmup",
        "--op-offload / --no-op-offload", "--mmap / --no-mmap @ LLAMA_ARG_MMAP", "-dio, --direct-io @ LLAMA_ARG_DIO",
        "-bs, --backend-sampling @ LLAMA_ARG_BACKEND_SAMPLING",
        "--spec-draft-backend-sampling / --no-spec-draft-backend-sampling @ LLAMA_ARG_SPEC_DRAFT_BACKEND_SAMPLING",
    ),
    # Without these the answer would be another one, or there would be no model: better no answer.
    *_refused("Docker registries are not supported; -hf downloads from the Hugging Face hub",
              "-dr, --docker-repo REPO @ LLAMA_ARG_DOCKER_REPO"),
    *_refused(
        "grammars are not supported yet",
        "--grammar GRAMMAR", "--grammar-file FNAME", "-j, --json-schema SCHEMA", "-jf, --json-schema-file FILE",
    ),
    *_refused(
        "adapters and control vectors are not supported yet",
        "--lora FNAME", "--lora-scaled FNAME:SCALE,...", "--control-vector FNAME",
        "--control-vector-scaled FNAME:SCALE,...", "--control-vector-layer-range START END",
    ),
    *_refused(
        "changing the rotary positions is not supported yet; the model's own are used",
        "--rope-scaling TYPE @ LLAMA_ARG_ROPE_SCALING_TYPE", "--rope-scale N @ LLAMA_ARG_ROPE_SCALE",
        "--rope-freq-base N @ LLAMA_ARG_ROPE_FREQ_BASE", "--rope-freq-scale N @ LLAMA_ARG_ROPE_FREQ_SCALE",
        "--yarn-orig-ctx N @ LLAMA_ARG_YARN_ORIG_CTX", "--yarn-ext-factor N @ LLAMA_ARG_YARN_EXT_FACTOR",
        "--yarn-attn-factor N @ LLAMA_ARG_YARN_ATTN_FACTOR", "--yarn-beta-slow N @ LLAMA_ARG_YARN_BETA_SLOW",
        "--yarn-beta-fast N @ LLAMA_ARG_YARN_BETA_FAST",
    ),
    *_refused(
        "images, audio and video are not supported yet",
        "-mm, --mmproj FILE @ LLAMA_ARG_MMPROJ", "-mmu, --mmproj-url URL @ LLAMA_ARG_MMPROJ_URL", "--image FILE",
        "--audio FILE", "--video FILE", "--image-min-tokens N @ LLAMA_ARG_IMAGE_MIN_TOKENS",
        "--vision-gemma-4b-default", "--vision-gemma-12b-default",
        "--image-max-tokens N @ LLAMA_ARG_IMAGE_MAX_TOKENS", "--video-fps N @ LLAMA_ARG_VIDEO_FPS",
        "--video-timestamp-interval N @ LLAMA_ARG_VIDEO_TIMESTAMP_INTERVAL",
        "--video-ffmpeg-dir DIR @ LLAMA_ARG_VIDEO_FFMPEG_DIR",
    ),
    *_inert(
        "--mmproj-auto / --no-mmproj, --no-mmproj-auto @ LLAMA_ARG_MMPROJ_AUTO",
        "--mmproj-offload / --no-mmproj-offload @ LLAMA_ARG_MMPROJ_OFFLOAD", "-mmdev, --mmproj-device DEVICE",
    ),
    *_refused("talking to a running server is not supported yet", "--server-base URL", "--rpc SERVERS @ LLAMA_ARG_RPC"),
    # The chat template writes BOS itself.
    *_inert("--in-prefix-bos"),
)  # fmt: skip
