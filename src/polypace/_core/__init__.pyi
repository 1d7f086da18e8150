from typing import Any

from polypace._core import ace as ace
from polypace._core import carve as carve
from polypace._core import formats as formats
from polypace._core import structure as structure
from polypace._core import trajectory as trajectory

__version__: str

def resolve_n_threads(n_threads: int) -> int: ...

# Submodules without a stub of their own.
def __getattr__(name: str) -> Any: ...
