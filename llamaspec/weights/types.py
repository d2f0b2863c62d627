"""The tensor types of GGUF: number -> name, elements per block, bytes per block (llama.cpp 0c1e570, ggml 0.25.3)."""

from typing import NamedTuple


class BlockType(NamedTuple):
    """How one type packs values: `elements` of a row take `bytes` in the file."""

    name: str
    elements: int
    bytes: int


# Numbers 4, 5, 31-33 and 36-38 belonged to types that llama.cpp has removed; from 100 on they are ik_llama.cpp's.
TYPES: dict[int, BlockType] = {
    0: BlockType("F32", 1, 4),
    1: BlockType("F16", 1, 2),
    2: BlockType("Q4_0", 32, 18),
    3: BlockType("Q4_1", 32, 20),
    6: BlockType("Q5_0", 32, 22),
    7: BlockType("Q5_1", 32, 24),
    8: BlockType("Q8_0", 32, 34),
    9: BlockType("Q8_1", 32, 36),
    10: BlockType("Q2_K", 256, 84),
    11: BlockType("Q3_K", 256, 110),
    12: BlockType("Q4_K", 256, 144),
    13: BlockType("Q5_K", 256, 176),
    14: BlockType("Q6_K", 256, 210),
    15: BlockType("Q8_K", 256, 292),
    16: BlockType("IQ2_XXS", 256, 66),
    17: BlockType("IQ2_XS", 256, 74),
    18: BlockType("IQ3_XXS", 256, 98),
    19: BlockType("IQ1_S", 256, 50),
    20: BlockType("IQ4_NL", 32, 18),
    21: BlockType("IQ3_S", 256, 110),
    22: BlockType("IQ2_S", 256, 82),
    23: BlockType("IQ4_XS", 256, 136),
    24: BlockType("I8", 1, 1),
    25: BlockType("I16", 1, 2),
    26: BlockType("I32", 1, 4),
    27: BlockType("I64", 1, 8),
    28: BlockType("F64", 1, 8),
    29: BlockType("IQ1_M", 256, 56),
    30: BlockType("BF16", 1, 2),
    34: BlockType("TQ1_0", 256, 54),
    35: BlockType("TQ2_0", 256, 66),
    39: BlockType("MXFP4", 32, 17),
    40: BlockType("NVFP4", 64, 36),
    41: BlockType("Q1_0", 128, 18),
    42: BlockType("Q2_0", 64, 18),
}

BY_NAME: dict[str, BlockType] = {block.name: block for block in TYPES.values()}


def type_name(number: int) -> str:
    """The upper case name of a type number, or "type 139" for one that is not known."""
    return TYPES[number].name if number in TYPES else f"type {number}"


def why_unknown(name: str) -> str:
    """A hint for a type that has no name here (`name` as `type_name` gives it)."""
    number = int(name.removeprefix("type ")) if name.startswith("type ") else -1
    if number >= 100:
        return "types from 100 on are ik_llama.cpp's own; take a file with llama.cpp's types, such as Q4_K_M"
    if number in (4, 5, 31, 32, 33, 36, 37, 38):
        return "llama.cpp has removed this type; take a newer conversion of the model"
    return "the file may be newer than this llamaspec, or damaged; take a file with a common type, such as Q4_K_M"
