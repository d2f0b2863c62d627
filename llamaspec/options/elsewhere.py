"""Flags and variables that only llama.cpp's other programs have: named, so that nobody looks for a typing mistake."""

from functools import cache

from .commands import COMMANDS, Command

PROGRAMS = {
    "llama-server": """
        --kv-unified-per-slot -cms --checkpoint-min-step -kvu --kv-unified -no-kvu --no-kv-unified --cache-idle-slots
        --no-cache-idle-slots --spm-infill --pooling -cb --cont-batching -nocb --no-cont-batching
        --mtmd-batch-max-tokens -a --alias --tags --embd-normalize --host --port --reuse-port --path --cors-origins
        --cors-methods --cors-headers --cors-credentials --no-cors-credentials --api-prefix --ui-config
        --webui-config --ui-config-file --webui-config-file --ui-mcp-proxy --webui-mcp-proxy --no-ui-mcp-proxy
        --no-webui-mcp-proxy --tools --tools-runtime --mcp-servers-config --mcp-servers-json -ag --agent -no-ag
        --no-agent --ui --webui --no-ui --no-webui --embedding --embeddings --rerank --reranking --api-key
        --api-key-file --ssl-key-file --ssl-cert-file -to --timeout --sse-ping-interval --threads-http --cache-prompt
        --no-cache-prompt --cache-reuse --metrics --props --slots --no-slots --slot-save-path --media-path
        --models-dir --models-preset --models-max --models-autoload --no-models-autoload --prefill-assistant
        --no-prefill-assistant -sps --slot-prompt-similarity --lora-init-without-apply --sleep-idle-seconds
        --embd-gemma-default --fim-qwen-1.5b-default --fim-qwen-3b-default --fim-qwen-7b-default
        --fim-qwen-30b-default
    """,
    "llama-completion": "-gan --grp-attn-n -gaw --grp-attn-w",
    "llama-bench": "--repetitions --delay -oe --output-err --progress --n-prompt --n-gen -pg -d --n-depth -embd -nopo",
}


HINTS = {
    "llama-server": "there is no server in this version; `llamaspec run --json` answers one prompt for a program",
    "llama-completion": "leave it out",
    "llama-bench": "leave it out; --show-timings prints the speed of an answer",
}
"""What to do instead, by program."""

VARIABLES = """
    AGENT ALIAS API_KEY_FILE API_PREFIX CACHE_IDLE_SLOTS CACHE_PROMPT CACHE_REUSE CHECKPOINT_MIN_SPACING_NT
    CONT_BATCHING CORS_CREDENTIALS CORS_HEADERS CORS_METHODS CORS_ORIGINS EMBEDDINGS ENDPOINT_METRICS ENDPOINT_PROPS
    ENDPOINT_SLOTS GRP_ATTN_N GRP_ATTN_W HOST KV_UNIFIED KV_UNIFIED_PER_SLOT MCP_SERVERS_CONFIG MCP_SERVERS_JSON
    MODELS_AUTOLOAD MODELS_DIR MODELS_MAX MODELS_PRESET MTMD_BATCH_MAX_TOKENS NO_AGENT NO_CACHE_IDLE_SLOTS
    NO_CACHE_PROMPT NO_CONT_BATCHING NO_CORS_CREDENTIALS NO_ENDPOINT_SLOTS NO_KV_UNIFIED NO_MODELS_AUTOLOAD
    NO_PREFILL_ASSISTANT NO_UI NO_UI_MCP_PROXY POOLING PORT PREFILL_ASSISTANT RERANKING REUSE_PORT SSE_PING_INTERVAL
    SSL_CERT_FILE SSL_KEY_FILE STATIC_PATH TAGS THREADS_HTTP TIMEOUT TOOLS TOOLS_RUNTIME UI UI_CONFIG UI_CONFIG_FILE
    UI_MCP_PROXY
"""
"""LLAMA_ARG_… of llama-server and other programs."""


@cache
def known_variables(command: Command) -> frozenset[str]:
    """Every LLAMA_ARG_ variable that this command, another one, or another of llama.cpp's programs reads."""
    ours = {name for each in (command, *COMMANDS) for flag in each.flags for name in (*flag.env, *flag.env_off)}
    return frozenset(ours | {f"LLAMA_ARG_{name}" for name in VARIABLES.split()})


def program(name: str) -> str:
    """The llama.cpp program that has this option, or ""."""
    return next((program for program, names in PROGRAMS.items() if name in names.split()), "")
