"""The ctypes structures say what tape.h says."""

import ctypes
import re
from enum import IntEnum
from pathlib import Path

import pytest

from llamaspec.kernels.native import structures

HEADER = (Path(structures.__file__).parent / "tape.h").read_text(encoding="utf-8")
CODE = re.sub(r"//.*", "", HEADER)
SCALARS = {"int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64, "float": ctypes.c_float}
PREFIXES = {"OpKind": "OP_", "NormKind": "NORM_", "Activation": "ACT_", "Element": "ELEMENT_", "Gating": "GATING_"}


def declared_structures() -> dict[str, list[tuple[str, type]]]:
    """Fields of every structure of the header, in order, with the type that ctypes is to give them."""
    found = {}
    for name, body in re.findall(r"^struct (\w+) \{(.*?)^\};", CODE, re.DOTALL | re.MULTILINE):
        fields = []
        for declaration in filter(None, (part.strip() for part in body.split(";"))):
            kind, names = re.fullmatch(r"(?:const )?(\w+)(.*)", declaration, re.DOTALL).groups()
            for each in names.split(","):
                pointer = "*" in each
                field = each.replace("const", "").replace("*", "").strip()
                fields.append((field, ctypes.c_void_p if pointer else SCALARS.get(kind) or getattr(structures, kind)))
        found[name] = fields
    return found


def declared_enumerations() -> dict[str, list[str]]:
    """Members of every enumeration of the header without their prefix."""
    return {
        name: [part.strip() for part in body.split(",") if part.strip()]
        for name, body in re.findall(r"^enum (\w+) \{(.*?)\};", CODE, re.DOTALL | re.MULTILINE)
    }


STRUCTURES, ENUMERATIONS = declared_structures(), declared_enumerations()


def test_the_header_is_understood() -> None:
    assert len(STRUCTURES) == CODE.count("\nstruct ")
    assert len(ENUMERATIONS) == CODE.count("\nenum ")
    assert dict(STRUCTURES["Plane"])["data"] is ctypes.c_void_p
    assert [name for name, _ in STRUCTURES["RopeTable"]] == ["cos", "sin", "half", "positions", "interleaved"]


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_has_the_fields_of_the_header(name: str) -> None:
    assert list(getattr(structures, name)._fields_) == STRUCTURES[name]


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_an_enumeration_has_the_members_of_the_header(name: str) -> None:
    members = [(member.value, member.name) for member in getattr(structures, name)]
    prefix = PREFIXES.get(name, "PASS_")
    assert members == [(number, member.removeprefix(prefix)) for number, member in enumerate(ENUMERATIONS[name])]


def test_nothing_is_only_in_python() -> None:
    def twin(value: object) -> bool:
        return isinstance(value, type) and issubclass(value, (ctypes.Structure, IntEnum))

    twins = {name for name, value in vars(structures).items() if twin(value)} - {"Structure", "IntEnum"}
    assert twins == {*STRUCTURES, *ENUMERATIONS}
    assert f"OUTPUT = {structures.OUTPUT};" in CODE
