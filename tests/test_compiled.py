"""Kernels compile where no cache folder can be written."""

import numba

from tumorboard.compiled import compiled


def test_without_a_cache_folder_the_kernel_still_runs(monkeypatch):
    compile_it = numba.njit
    asked = []

    def njit(*function, cache=False):
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return compile_it(*function)

    monkeypatch.setattr(numba, "njit", njit)
    assert compiled(lambda x: x + 1)(41) == 42
    assert asked[:2] == [True, False]  # Numba compiles parts of its own after that
