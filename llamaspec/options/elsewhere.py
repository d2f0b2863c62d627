"""Flags that only llama.cpp's other programs have: named in an error, so that nobody looks for a typing mistake."""

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
    "llama-completion": "-ptc --print-token-count -gan --grp-attn-n -gaw --grp-attn-w",
    "llama-bench": "--repetitions --delay -oe --output-err --progress --n-prompt --n-gen -pg -d --n-depth -embd -nopo",
}


def program(name: str) -> str:
    """The llama.cpp program that has this option, or ""."""
    return next((program for program, names in PROGRAMS.items() if name in names.split()), "")
