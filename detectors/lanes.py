"""Four doubles at once, inside kernels.

numba leaves LLVM's packing of neighbouring operations off, so a kernel that does the same with four
neighbouring numbers does it four times. These say it outright, as LLVM vectors of four doubles; a
processor without such registers gets them split up. ``a`` and ``b`` are places in flat arrays of
float64; nothing is checked. Sums are taken in one order, so results are the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir  # type: ignore[import-untyped]  # it brings no types
from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

LANES = 4

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_INDEX = ir.IntType(32)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, place: Any) -> Any:
    view: Any = make_array
    data = view(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), _VECTOR.as_pointer())


def _load(context: Any, builder: Any, array_type: Any, array: Any, place: Any) -> Any:
    loaded = builder.load(_pointer(context, builder, array_type, array, place))
    loaded.align = 8  # places are those of single doubles
    return loaded


def _store(context: Any, builder: Any, array_type: Any, array: Any, place: Any, what: Any) -> None:
    stored = builder.store(what, _pointer(context, builder, array_type, array, place))
    stored.align = 8


def _multiply(typing: Any, x: Any, a: Any, y: Any, b: Any, out: Any, c: Any) -> Any:
    """out[c : c + 4] = x[a : a + 4] * y[b : b + 4]."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        left = _load(context, builder, kinds[0], arguments[0], arguments[1])
        right = _load(context, builder, kinds[2], arguments[2], arguments[3])
        _store(context, builder, kinds[4], arguments[4], arguments[5], builder.fmul(left, right))
        return context.get_dummy_value()

    return types.void(x, a, y, b, out, c), code


def _scale(typing: Any, x: Any, a: Any, by: Any, out: Any, c: Any) -> Any:
    """out[c : c + 4] = x[a : a + 4] * by."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        vector = _load(context, builder, kinds[0], arguments[0], arguments[1])
        one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), arguments[2], _INDEX(0))
        zeros = ir.Constant(ir.VectorType(_INDEX, LANES), None)
        all_ = builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)
        _store(context, builder, kinds[3], arguments[3], arguments[4], builder.fmul(vector, all_))
        return context.get_dummy_value()

    return types.void(x, a, by, out, c), code


def _add(typing: Any, x: Any, a: Any, b: Any, c: Any) -> Any:
    """x[c : c + 4] = x[a : a + 4] + x[b : b + 4]."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, array = signature.args[0], arguments[0]
        left = _load(context, builder, kind, array, arguments[1])
        right = _load(context, builder, kind, array, arguments[2])
        _store(context, builder, kind, array, arguments[3], builder.fadd(left, right))
        return context.get_dummy_value()

    return types.void(x, a, b, c), code


def _dot(typing: Any, x: Any, a: Any, y: Any, b: Any) -> Any:
    """Return the sum of x[a : a + 4] * y[b : b + 4], the pairs of halves first."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        left = _load(context, builder, kinds[0], arguments[0], arguments[1])
        right = _load(context, builder, kinds[2], arguments[2], arguments[3])
        product = builder.fmul(left, right)
        parts = [builder.extract_element(product, _INDEX(i)) for i in range(LANES)]
        halves = builder.fadd(parts[0], parts[1]), builder.fadd(parts[2], parts[3])
        return builder.fadd(*halves)

    return types.float64(x, a, y, b), code


multiply = cast(Callable[..., None], intrinsic(_multiply))
scale = cast(Callable[..., None], intrinsic(_scale))
add = cast(Callable[..., None], intrinsic(_add))
dot = cast(Callable[..., float], intrinsic(_dot))
