"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261122)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference material beside the checkout (vectors, public data sets); tests that need it skip without it."""
    path = Path(os.environ.get("POLYPACE_SHARED", ROOT.parent / "shared"))
    if not path.is_dir():
        pytest.skip(
            f"needs the reference material at {path} (set POLYPACE_SHARED), which is not part of the repository"
        )
    return path
