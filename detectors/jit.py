"""How our numeric kernels are compiled: one place, so that all keep the same promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile ``function`` to machine code at its first call and keep the result on disk.

    Kernels hold no lock of the interpreter, use one thread and strict floating point (no
    ``fastmath``), so the same input gives the same bits on the same machine. Array bounds are not
    checked: whoever calls a kernel has checked the shapes.

    A kernel calls only kernels of its own file: what is kept is renewed when that file changes.
    """
    compiled = numba.njit(cache=True, nogil=True, boundscheck=False, error_model="numpy")(function)
    return cast(Callable[P, R], compiled)
