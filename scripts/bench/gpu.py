"""The GPU's numbers, ours and the peers', in stages of less than 9 minutes on an H200.

    python scripts/bench/gpu.py --stage ceilings --out $OUT/gpu.jsonl
    python scripts/bench/gpu.py --stage speculation --out $OUT/gpu.jsonl     # before peer: it finds epsilon
    python scripts/bench/gpu.py --stage peer --peer-src llama.cpp --out $OUT/gpu.jsonl
    python scripts/bench/gpu.py --stage all --toy                           # on a CPU, seconds, numbers without meaning

One JSON line per result is appended to --out as soon as it is there; a table comes last. Weights are random
(synthetic.py), so acceptance is set and not earned: compare T(M) and rows of the same alpha only.
"""

import argparse
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gpu import ceilings, decode, equality, peer, speculation
from gpu.results import Place, Sink

STAGES = ("ceilings", "decode", "speculation", "peer", "equality")


def facts(place: Place) -> dict[str, Any]:
    """What every line says of the machine."""
    found: dict[str, Any] = {"toy": place.toy, "torch": torch.__version__, "python": platform.python_version()}
    if place.cuda:
        found |= {"device": torch.cuda.get_device_name(place.device), "cuda": torch.version.cuda}
    else:
        found["device"] = "cpu"
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=(*STAGES, "all"), required=True)
    parser.add_argument("--out", type=Path, default=Path("gpu.jsonl"), help="JSON lines are appended here")
    parser.add_argument("--toy", action="store_true", help="toy shapes: whether it runs, not how fast")
    parser.add_argument("--device", help="cuda:0 if there is one, else cpu")
    parser.add_argument("--work", type=Path, help="where models and builds are written; a temporary folder")
    parser.add_argument("--peer-bin", type=Path, help="folder with llama-bench and llama-speculative-simple")
    parser.add_argument("--peer-src", type=Path, help="llama.cpp's source, to be built here")
    chosen = parser.parse_args()
    device = torch.device(chosen.device or ("cuda:0" if torch.cuda.is_available() else "cpu"))
    if device.type == "cpu" and not chosen.toy:
        parser.error("no CUDA device: only --toy runs without one")
    with tempfile.TemporaryDirectory() as scratch:
        place = Place(device, chosen.toy, chosen.work or Path(scratch))
        place.work.mkdir(parents=True, exist_ok=True)
        sink = Sink(chosen.out, facts(place))
        for stage in STAGES if chosen.stage == "all" else (chosen.stage,):
            start = time.monotonic()
            if stage == "peer":
                peer.run(place, sink, chosen.peer_bin, chosen.peer_src)
            else:
                {"ceilings": ceilings, "decode": decode, "speculation": speculation, "equality": equality}[stage].run(
                    place, sink
                )
            sink.add(stage, "wall time", time.monotonic() - start, "s")
    print(sink.table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
