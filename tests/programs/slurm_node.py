"""A real Slurm (munged, slurmctld, slurmd) of one node in a folder of its own, on the loopback address, for tests.

By hand: `python tests/programs/slurm_node.py COMMAND…` runs a command with SLURM_CONF set and stops everything after it.
Needs Debian's packages slurm-wlm and munge; jobs run as the user that starts it. No cgroups, no systemd, no accounting.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scancel")
CONFIGURATION = """\
ClusterName=polypace
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SchedulerType=sched/builtin
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
MinJobAge=10
NodeName={host} NodeAddr=127.0.0.1 CPUs={n_cpus} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def missing_programs() -> list[str]:
    """Programs of Slurm and munge that are not installed here."""
    return [name for name in PROGRAMS if _which(name) is None]


@contextlib.contextmanager
def slurm_node(n_cpus: int = 2) -> Iterator[dict[str, str]]:
    """Start the node, give the environment that its commands need, and stop everything at the end."""
    with tempfile.TemporaryDirectory(prefix="slurm-") as name:
        folder = Path(name)
        environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
        with contextlib.ExitStack() as running:
            _write_configuration(folder, n_cpus)
            _start_munge(folder, running)
            for daemon in ("slurmctld", "slurmd"):
                process = subprocess.Popen(
                    [_which(daemon), "-D"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
                running.callback(_stop, process)
            _wait_until_idle(folder, environment)
            try:
                yield environment
            finally:
                subprocess.run(["scancel", "--user", getpass.getuser()], env=environment, check=False)
                _wait_until_empty(environment)


def _which(program: str) -> str | None:
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write_configuration(folder: Path, n_cpus: int) -> None:
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    text = CONFIGURATION.format(
        host=socket.gethostname().split(".")[0], user=getpass.getuser(), folder=folder, n_cpus=n_cpus,
        controller_port=_free_port(), node_port=_free_port(),
    )  # fmt: skip
    (folder / "slurm.conf").write_text(text)


def _start_munge(folder: Path, running: contextlib.ExitStack) -> None:
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    files = {"key-file": key, "log-file": folder / "munged.log", "pid-file": folder / "munged.pid"}
    files |= {"seed-file": folder / "munge.seed", "socket": folder / "munge.socket"}
    # It tells everybody on this machine who they are: others may read its folder, not write there.
    folder.chmod(0o755)
    process = subprocess.Popen(
        [_which("munged"), "--foreground", *(f"--{name}={path}" for name, path in files.items())],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    running.callback(_stop, process)
    deadline = time.monotonic() + 20
    while not (folder / "munge.socket").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            log = folder / "munged.log"
            raise RuntimeError(f"munged did not start; its log: {log.read_text() if log.exists() else 'none'}")
        time.sleep(0.05)


def _wait_until_idle(folder: Path, environment: dict[str, str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = subprocess.run(
            ["sinfo", "--noheader", "--format=%T"], env=environment, capture_output=True, text=True, check=False
        )
        if found.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    logs = {path.name: path.read_text()[-1500:] for path in folder.glob("*.log")}
    raise RuntimeError(f"the node did not come up within 60 s: {found.stdout} {found.stderr} {logs}")


def _wait_until_empty(environment: dict[str, str]) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = subprocess.run(["squeue", "--noheader"], env=environment, capture_output=True, text=True, check=False)
        if not found.stdout.strip():
            return
        time.sleep(0.2)


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    if missing_programs():
        sys.exit(f"not installed: {', '.join(missing_programs())}; remedy: apt-get install slurm-wlm munge")
    with slurm_node() as environment:
        sys.exit(subprocess.run(sys.argv[1:], env=environment, check=False).returncode)
