"""llama-cli's flags as tests/data/flags records them: names, how many words follow, environment."""

import json
from pathlib import Path

FLAGS = Path(__file__).parents[1] / "data" / "flags" / "llama-cli.json"


def reference() -> list[dict]:
    """A row per flag of llama-cli, today's and older: names, off, words, env."""
    return json.loads(FLAGS.read_text())
