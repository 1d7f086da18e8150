"""Programs that end with the process that started them, and what a lost launcher left running."""

from __future__ import annotations

import contextlib
import functools
import shutil
import subprocess
from pathlib import Path


@functools.lru_cache(maxsize=1)
def dies_with_parent() -> tuple[str, ...]:
    """Prefix that lets the kernel end a program when its parent is killed (SIGKILL), where setpriv of util-linux is."""
    tool = shutil.which("setpriv")
    prefix = (tool, "--pdeathsig", "KILL") if tool else ()
    if prefix and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
        return prefix
    return ()


def end_programs_in(folder: Path, name: str) -> None:
    """End programs of this name that a lost launcher left running in `folder`: they would use cores for nothing."""
    import psutil

    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == name and process.info["cwd"] == str(folder):
            with contextlib.suppress(psutil.Error):
                process.kill()
                process.wait(10)
