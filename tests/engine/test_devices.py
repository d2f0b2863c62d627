"""Devices are found by name, and one line says what is wrong with a name, a driver or a size."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from llamaspec.engine import devices, load
from llamaspec.errors import LlamaspecError, UsageError
from llamaspec.kernels.device import HOST, Device
from llamaspec.kernels.reference import Reference

GIB = 1 << 30


@pytest.fixture
def two_gpus(monkeypatch):
    """A machine with two GPUs, as torch would report it."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(devices, "DRIVERS", (str(Path(__file__)),))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100 * GIB, 139 * GIB))
    found = SimpleNamespace(name="NVIDIA H200", total_memory=139 * GIB)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: found)


@pytest.fixture
def no_gpu(monkeypatch):
    """A machine without."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize(
    ("names", "layers", "expected"),
    [
        ((), "auto", "cuda:0"),
        ((), "all", "cuda:0"),
        ((), 99, "cuda:0"),
        ((), 0, "cpu"),
        (("CUDA1",), "auto", "cuda:1"),
        (("cuda1",), 0, "cpu"),
        (("cuda",), "auto", "cuda:0"),
        (("cuda:1",), "auto", "cuda:1"),
        (("none",), "auto", "cpu"),
        (("CPU",), 99, "cpu"),
    ],
)
def test_names(two_gpus, names, layers, expected):
    assert str(devices.resolve(names, layers)) == expected


@pytest.mark.parametrize("name", ["CUDA2", "cuda7", "Vulkan0", "cudax", "cuda-1", "", "gpu"])
@pytest.mark.parametrize("layers", ["auto", 5])
def test_unknown_names_are_refused_with_those_there_are(two_gpus, name, layers):
    with pytest.raises(UsageError, match="no device") as error:
        devices.resolve((name,), layers)
    assert "CUDA0, CUDA1, CPU" in str(error.value.hint)


def test_a_mistyped_name_is_refused_even_with_no_layers(two_gpus):
    with pytest.raises(UsageError):
        devices.resolve(("Vulkan0",), 0)


def test_no_driver(no_gpu, monkeypatch):
    assert devices.resolve((), "all") == HOST
    assert devices.resolve(("cuda0",), 0) == HOST
    here = (str(Path(__file__)),)
    for version, drivers, word in (
        (None, here, "without CUDA"),
        ("13.0", here, "driver"),
        (None, (), "no NVIDIA driver"),
    ):
        monkeypatch.setattr(torch.version, "cuda", version)
        monkeypatch.setattr(devices, "DRIVERS", drivers)
        with pytest.raises(UsageError, match=word) as error:
            devices.resolve(("CUDA0",), "auto")
        assert error.value.hint == "available devices: CPU"
        assert word in list(devices.lines())[-1]


def test_the_list(two_gpus):
    assert list(devices.lines())[:3] == [
        "Available devices:",
        "  CUDA0: NVIDIA H200 (142336 MiB, 102400 MiB free)",
        "  CUDA1: NVIDIA H200 (142336 MiB, 102400 MiB free)",
    ]
    assert devices.known() == ["CUDA0", "CUDA1", "CPU"]


def test_a_gpu_that_does_not_answer(two_gpus, monkeypatch):
    def silent(device):
        raise RuntimeError("CUDA error: device busy")

    monkeypatch.setattr(torch.cuda, "mem_get_info", silent)
    with pytest.raises(LlamaspecError, match="CUDA1 does not answer"):
        devices.free_bytes(Device("cuda", 1))


@pytest.mark.parametrize("name", ["cuda:1", "cpu"])
def test_out_of_memory_names_what_to_lower(two_gpus, monkeypatch, name):
    def full(*args):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(load, "known_architecture", lambda file: "llama")
    monkeypatch.setattr(load, "take", lambda *args: SimpleNamespace(Model=full))
    monkeypatch.setattr(load, "kernels_for", lambda *args: Reference())
    plan = SimpleNamespace(
        file=SimpleNamespace(path="m.gguf", tensors={}), device=Device(name.partition(":")[0], 1), backend="reference",
        resident=True, threads=1, hparams=SimpleNamespace(eps=1e-5), n_ctx=512, cache_type=None, slots=1,
    )  # fmt: skip
    with pytest.raises(LlamaspecError, match=r"not enough memory on (CUDA1|CPU) for m.gguf") as error:
        load.load_model(plan)  # pyright: ignore[reportArgumentType]
    assert "lower -c" in str(error.value.hint)
    assert ("-dev CUDA0" in str(error.value.hint)) == (name != "cpu")
