"""Programs that end with the process that started them."""

from __future__ import annotations

import functools
import shutil
import subprocess


@functools.lru_cache(maxsize=1)
def dies_with_parent() -> tuple[str, ...]:
    """Prefix that lets the kernel end a program when its parent is killed (SIGKILL), where setpriv of util-linux is."""
    tool = shutil.which("setpriv")
    prefix = (tool, "--pdeathsig", "KILL") if tool else ()
    if prefix and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return prefix
    return ()
