"""Threads of the linear algebra library."""

from __future__ import annotations

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits


def single_threaded_blas(*, with_scipy: bool = True) -> AbstractContextManager[object]:
    """Within the block BLAS and LAPACK use one thread; without `with_scipy` only the libraries that are loaded already.

    Their own threads wait by spinning: on a machine with other work, or beside our threads, factorisations of many
    small steps take up to a hundred times longer. And one thread gives the same bits whatever the number of cores.
    """
    if with_scipy:
        import scipy.linalg  # noqa: F401 - only libraries that are loaded can be limited

    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits
