"""The structures of tape.h for ctypes: same names, same order. A test compares them with the header."""

from ctypes import Structure, c_float, c_int32, c_int64, c_void_p
from enum import IntEnum

OUTPUT = -1
"""`Rows.at` of the logits that a pass returns."""


class Rows(Structure):
    """`width` floats per row, `step` apart: at `data`, or from `column` on in register `at` (OUTPUT: the logits)."""

    _fields_ = (("data", c_void_p), *((name, c_int64) for name in ("at", "column", "step", "width")))


class Plane(Structure):
    """One array of the cache: `heads` x `row` bytes per cell, steps in bytes, cells modulo `ring` unless that is 0."""

    _fields_ = (
        ("data", c_void_p),
        *((name, c_int64) for name in ("slots", "heads", "cells", "slot_step", "head_step", "cell_step", "ring")),
        ("type", c_int32),
    )


class RopeTable(Structure):
    """Cosines and sines [positions, half]."""

    _fields_ = (
        ("cos", c_void_p),
        ("sin", c_void_p),
        ("half", c_int64),
        ("positions", c_int64),
        ("interleaved", c_int32),
    )


class Pass(Structure):
    """What a run depends on beside its ops."""

    _fields_ = (
        *((name, c_void_p) for name in ("arena", "logits", "features", "tokens", "hidden", "wanted")),
        *((name, c_void_p) for name in ("cells", "positions", "slots", "lengths", "paths", "planes", "ropes")),
        *((name, c_int64) for name in ("rows", "wanted_rows", "path_width", "n_planes", "n_ropes", "n_features")),
        ("threads", c_int32),
    )


class OpKind(IntEnum):
    """What an op does."""

    EMBED = 0
    SELECT = 1
    MARK = 2
    NORM = 3
    PRODUCTS = 4
    HEADS = 5
    COPY = 6
    ROTATE = 7
    APPEND = 8
    ATTEND = 9
    GATE = 10
    ELEMENT = 11
    ROUTE = 12
    EXPERTS = 13
    CONV = 14
    DELTA = 15
    DECAY = 16
    LOOKUP = 17
    TEMPER = 18
    INDEX = 19


class Op(Structure):
    """One operation; `arguments` points to the structure of its kind."""

    _fields_ = (("kind", c_int32), ("wanted", c_int32), ("arguments", c_void_p))


class EmbedOp(Structure):
    """y = scale * weight[token], or the hidden rows of the pass."""

    _fields_ = (
        ("y", Rows),
        ("weight", c_void_p),
        ("vocabulary", c_int64),
        ("type", c_int32),
        ("scale", c_float),
    )


class LookupOp(Structure):
    """y = scale * weight[token or position]."""

    _fields_ = (
        ("y", Rows),
        ("weight", c_void_p),
        ("count", c_int64),
        ("type", c_int32),
        ("by_position", c_int32),
        ("scale", c_float),
    )


class SelectOp(Structure):
    """y[i] = x[wanted[i]]."""

    _fields_ = (("x", Rows), ("y", Rows))


class MarkOp(Structure):
    """x is a feature, if the pass asks for it."""

    _fields_ = (("x", Rows), ("number", c_int64))


class NormKind(IntEnum):
    """Which norm."""

    RMS = 0
    LAYER = 1
    L2 = 2


class NormOp(Structure):
    """Each of `groups` parts of a row by itself."""

    _fields_ = (
        ("x", Rows),
        ("y", Rows),
        ("weight", c_void_p),
        ("bias", c_void_p),
        ("groups", c_int64),
        ("weight_step", c_int64),
        ("kind", c_int32),
        ("eps", c_float),
    )


class Part(Structure):
    """One product of several."""

    _fields_ = (("w", c_void_p), ("bias", c_void_p), ("y", Rows), ("residual", Rows))


class ProductsOp(Structure):
    """Several products of one x."""

    _fields_ = (("x", Rows), ("parts", c_void_p), ("n", c_int64))


class HeadsOp(Structure):
    """Head h of y is head h of x times matrix h of a stack."""

    _fields_ = (("x", Rows), ("y", Rows), ("w", c_void_p))


class CopyOp(Structure):
    """`width` values of every head."""

    _fields_ = (
        ("x", Rows),
        ("y", Rows),
        *((name, c_int64) for name in ("heads", "x_step", "x_offset", "y_step", "y_offset", "width")),
    )


class RotateOp(Structure):
    """Rotary positions from `offset` of every head on."""

    _fields_ = (("x", Rows), ("y", Rows), *((name, c_int64) for name in ("heads", "offset", "rope")))


class AppendOp(Structure):
    """x goes to the rows' cells of a plane."""

    _fields_ = (("x", Rows), ("heads", c_int64), ("plane", c_int64))


class AttendOp(Structure):
    """Attention over the planes k and v."""

    _fields_ = (
        ("q", Rows),
        ("y", Rows),
        ("sinks", c_void_p),
        *((name, c_int64) for name in ("k", "v", "heads", "kv_heads", "width", "value_width", "window")),
        ("chunked", c_int32),
        ("scale", c_float),
        ("softcap", c_float),
        ("chosen", Rows),
    )


class Activation(IntEnum):
    """Of a feed-forward part."""

    NONE = 0
    SILU = 1
    GELU = 2
    GELU_ERF = 3
    SIGMOID = 4
    RELU2 = 5
    SWIGLU_OAI = 6
    RELU = 7
    SOFTPLUS = 8
    EXP_TAIL = 9


class GateOp(Structure):
    """y = activation(gate) * up."""

    _fields_ = (("gate", Rows), ("up", Rows), ("y", Rows), ("activation", c_int32), ("limit", c_float))


class Element(IntEnum):
    """Which function of one or two values."""

    ADD = 0
    MULTIPLY = 1
    SCALE = 2
    SOFTCAP = 3


class ElementOp(Structure):
    """a + b, a * b, factor * a or factor * tanh(a / factor)."""

    _fields_ = (("a", Rows), ("b", Rows), ("y", Rows), ("kind", c_int32), ("factor", c_float))


class Gating(IntEnum):
    """How the logits of a router become scores."""

    SOFTMAX = 0
    SIGMOID = 1
    CHOSEN_SOFTMAX = 2
    SQRT_SOFTPLUS = 3


class RouteOp(Structure):
    """Which experts a row goes to, and with which weights."""

    _fields_ = (
        ("logits", Rows),
        ("chosen", Rows),
        ("weights", Rows),
        ("bias", c_void_p),
        *((name, c_int64) for name in ("used", "groups", "groups_used")),
        ("gating", c_int32),
        ("normalize", c_int32),
        ("scale", c_float),
    )


class ExpertsOp(Structure):
    """The chosen experts of every row, weighted and added."""

    _fields_ = (
        *((name, Rows) for name in ("x", "chosen", "weights", "y")),
        *((name, c_void_p) for name in ("gate", "up", "down", "gate_bias", "up_bias", "down_bias")),
        *((name, c_void_p) for name in ("gate_scale", "up_scale", "down_scale")),
        ("used", c_int64),
        ("activation", c_int32),
        ("weigh_input", c_int32),
        ("limit", c_float),
    )


class ConvOp(Structure):
    """A causal convolution per channel over the inputs in a plane."""

    _fields_ = (
        ("x", Rows),
        ("y", Rows),
        ("weight", c_void_p),
        ("bias", c_void_p),
        ("kernel", c_int64),
        ("plane", c_int64),
        ("activation", c_int32),
    )


class DeltaOp(Structure):
    """The gated delta rule over the inputs in a plane, with states in another."""

    _fields_ = (
        *((name, Rows) for name in ("q", "k", "v", "beta", "decay", "y")),
        ("skip", c_void_p),
        *((name, c_int64) for name in ("heads", "key_heads", "size", "value_size", "inputs", "states", "marks")),
        ("tiled", c_int32),
        ("corrected", c_int32),
        ("by_channel", c_int32),
        ("scale", c_float),
    )


class DecayOp(Structure):
    """y = e^(rate * softplus(x + bias))."""

    _fields_ = (("x", Rows), ("y", Rows), ("bias", c_void_p), ("rate", c_void_p))


class TemperOp(Structure):
    """x times what grows with the logarithm of the position."""

    _fields_ = (("x", Rows), ("y", Rows), ("length", c_int64), ("offset", c_int64), ("scale", c_float))


class IndexOp(Structure):
    """Which positions a row attends to."""

    _fields_ = (
        ("q", Rows),
        ("weights", Rows),
        ("y", Rows),
        *((name, c_int64) for name in ("keys", "heads", "size", "used")),
    )


class PassResult(IntEnum):
    """What a run returns."""

    DONE = 0
    OUT_OF_MEMORY = 1
    OUT_OF_RANGE = 2
