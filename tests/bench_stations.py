"""The canteen in C, built for the benchmark only: how far the compiled recursion is from what C makes of it."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

SOURCE = Path(__file__).with_name("bench_stations.c")


def c_canteen() -> Callable[..., tuple[np.ndarray, ...]]:
    """Build the C version with `gcc -O3`; return a function with the signature of `stations.canteen`."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "stations.so"
        flags = ("-O3", "-march=native", "-shared", "-fPIC")
        subprocess.run(["gcc", *flags, "-o", str(library), str(SOURCE), "-lm"], check=True)
        serve = ctypes.CDLL(str(library)).canteen  # stays loaded when the file is gone
    array, flag = (np.ctypeslib.ndpointer(kind, flags="C") for kind in (np.float64, np.uint8))
    whole, real = ctypes.c_long, ctypes.c_double
    serve.argtypes = [whole, *[array] * 3, whole, array, array, whole, real, whole, *[array] * 4, flag]
    serve.restype = None

    def canteen(arrive, service, eat, opens, closes, seats, bell, portions):
        n = len(arrive)
        found = [np.empty(n) for _ in range(4)]
        short = np.empty(n, dtype=np.uint8)
        serve(n, arrive, service, eat, len(opens), opens, closes, seats, bell, portions, *found, short)
        return *found, short.view(np.bool_)

    return canteen
