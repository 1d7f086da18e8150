"""The `engine:` block of a study: who runs its steps. Each kind becomes a configuration of Parsl.

Only what studies need is named here; a Parsl configuration file of the user's own (`kind: parsl`) has no limits.
"""

from __future__ import annotations

import importlib.util
import re
import runpy
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from polypace.errors import InputError, MissingProgramError

if TYPE_CHECKING:
    from parsl.config import Config
    from parsl.executors.base import ParslExecutor
    from parsl.providers.base import ExecutionProvider

Positive = Annotated[int, Field(ge=1)]


def _hours_minutes_seconds(value: Any) -> Any:
    """YAML takes 12:00:00 without quotes for the number 43200."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return f"{value // 3600:02}:{value // 60 % 60:02}:{value % 60:02}"
    if not (isinstance(value, str) and re.fullmatch(r"\d+:[0-5]\d:[0-5]\d", value)):
        raise ValueError(f"must be hours:minutes:seconds, as 12:00:00, got {value!r}")
    return value


Walltime = Annotated[str, BeforeValidator(_hours_minutes_seconds)]

LOST_WORKERS = 3  # a step whose worker was lost more often is not tried again


class _Engine(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: Positive = 2  # steps side by side

    @property
    def in_process(self) -> bool:
        """Whether steps run in threads of this process."""
        return False

    def parsl_config(self, study: Path) -> Config:
        """Parsl's configuration; its logs go to the folder `parsl` of the study."""
        from parsl.config import Config

        return Config(
            executors=[self._executor()],
            run_dir=str(study / "parsl"),
            initialize_logging=False,
            usage_tracking=0,
            exit_mode="skip",
            retries=LOST_WORKERS,
            retry_handler=_cost_of_failure,
            strategy_period=2,
        )

    def _executor(self) -> ParslExecutor:
        raise NotImplementedError


class Threads(_Engine):
    """Threads of the process that runs the study."""

    kind: Literal["threads"] = "threads"

    @property
    def in_process(self) -> bool:
        return True

    def _executor(self) -> ParslExecutor:
        from parsl.executors import ThreadPoolExecutor

        return ThreadPoolExecutor(label="threads", max_threads=self.workers)


class _Workers(_Engine):
    """Worker processes in blocks: `workers` of them in every block, on the block's first node."""

    worker_init: str = ""  # shell lines before the workers start: modules, another environment
    patience: Annotated[int, Field(ge=4)] = 120  # s without a sign of life, after which workers are taken for lost
    max_blocks: Positive = 1

    def _executor(self) -> ParslExecutor:
        from polypace.study.workers import worker_pool  # Parsl takes a second to import

        return worker_pool(type(self).__name__.lower(), self._provider(), self.workers, self.patience, self._address())

    def _address(self) -> str | None:
        return None

    def _provider(self) -> ExecutionProvider:
        raise NotImplementedError

    def _start(self) -> str:
        """Shell lines before the workers: this environment's programs first, then what the user wants."""
        programs = shlex.quote(str(Path(sys.executable).parent))
        return f"export PATH={programs}:$PATH\n{self.worker_init}"


class Processes(_Workers):
    """Worker processes on this machine."""

    kind: Literal["processes"]
    max_blocks: Literal[1] = 1

    def _address(self) -> str | None:
        return "127.0.0.1"

    def _provider(self) -> ExecutionProvider:
        from parsl.providers import LocalProvider

        return LocalProvider(init_blocks=1, max_blocks=1, worker_init=self._start())  # type: ignore[no-untyped-call]


class _Cluster(_Workers):
    nodes: Positive = 1  # per block
    walltime: Walltime = "01:00:00"
    scheduler_options: str = ""  # lines put into the submitted script
    address: str | None = None  # of this machine, as the nodes see it; default: every address is tried

    def _address(self) -> str | None:
        return self.address

    def _common(self) -> dict[str, Any]:
        return {
            "nodes_per_block": self.nodes,
            "walltime": self.walltime,
            "worker_init": self._start(),
            "scheduler_options": self.scheduler_options,
            "init_blocks": 1,
            "min_blocks": 0,
            "max_blocks": self.max_blocks,
        }


class Slurm(_Cluster):
    """Blocks are jobs of Slurm."""

    kind: Literal["slurm"]
    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    cores_per_node: Positive | None = None
    memory_per_node: Positive | None = None  # GB
    gpus_per_node: Positive | None = None
    exclusive: bool = True  # whole nodes

    def _provider(self) -> ExecutionProvider:
        from parsl.providers import SlurmProvider

        _need_program("sbatch", "kind: slurm", "run it on a machine that submits to Slurm")
        return SlurmProvider(
            partition=self.partition, account=self.account, qos=self.qos, constraint=self.constraint,
            cores_per_node=self.cores_per_node, mem_per_node=self.memory_per_node, gpus_per_node=self.gpus_per_node,
            exclusive=self.exclusive, **self._common(),
        )  # fmt: skip


class PBS(_Cluster):
    """Blocks are jobs of PBS Pro or OpenPBS."""

    kind: Literal["pbs"]
    queue: str | None = None
    account: str | None = None
    cores_per_node: Positive = 1
    select_options: str = ""

    def _provider(self) -> ExecutionProvider:
        from parsl.providers import PBSProProvider

        _need_program("qsub", "kind: pbs", "run it on a machine that submits to PBS")
        return PBSProProvider(  # type: ignore[no-untyped-call]
            queue=self.queue, account=self.account, cpus_per_node=self.cores_per_node,
            select_options=self.select_options, **self._common(),
        )  # fmt: skip


class Kubernetes(_Workers):
    """Blocks are pods of an image that has PolyPACE in it; the study's folder lies on a volume they mount."""

    kind: Literal["kubernetes"]
    image: str
    volumes: dict[str, str]  # name of a persistent volume claim: folder where it is mounted
    namespace: str = "default"
    cores: Annotated[float, Field(gt=0)] = 2
    memory: str = "4Gi"
    secret: str | None = None
    address: str | None = None

    def _address(self) -> str | None:
        return self.address

    def _provider(self) -> ExecutionProvider:
        from parsl.providers import KubernetesProvider

        if importlib.util.find_spec("kubernetes") is None:
            raise MissingProgramError("engine.kind: kubernetes needs its client; remedy: pip install kubernetes")
        return KubernetesProvider(
            image=self.image, namespace=self.namespace, secret=self.secret,
            init_cpu=self.cores, max_cpu=self.cores, init_mem=self.memory, max_mem=self.memory,
            persistent_volumes=list(self.volumes.items()),
            worker_init=self.worker_init,  # the image has its own programs
            nodes_per_block=1, init_blocks=1, min_blocks=0, max_blocks=self.max_blocks,
        )  # fmt: skip


class Flux(_Engine):
    """Jobs of the Flux instance in which the study is started (`flux start`, `flux alloc`)."""

    kind: Literal["flux"]

    def _executor(self) -> ParslExecutor:
        from parsl.executors import FluxExecutor

        _need_program("flux", "kind: flux", "start the study inside of a Flux instance")
        return FluxExecutor(label="flux")


class OwnParsl(_Engine):
    """A Python file that defines `config`, a parsl.config.Config."""

    kind: Literal["parsl"]
    file: Path

    def parsl_config(self, study: Path) -> Config:
        from parsl.config import Config

        if not self.file.is_file():
            raise InputError(f"engine.file {self.file} does not exist; give a Python file that defines `config`")
        try:
            config = runpy.run_path(str(self.file)).get("config")
        except Exception as error:  # anything may be wrong in a file of somebody else's
            raise InputError(f"engine.file {self.file} fails: {type(error).__name__}: {error}") from error
        if not isinstance(config, Config):
            raise InputError(f"engine.file {self.file} must define `config`, a parsl.config.Config")
        return config


def _kind(value: Any) -> Any:
    return value.get("kind", "threads") if isinstance(value, Mapping) else getattr(value, "kind", None)


Engine = Annotated[
    Annotated[Threads, Tag("threads")]
    | Annotated[Processes, Tag("processes")]
    | Annotated[Slurm, Tag("slurm")]
    | Annotated[PBS, Tag("pbs")]
    | Annotated[Flux, Tag("flux")]
    | Annotated[Kubernetes, Tag("kubernetes")]
    | Annotated[OwnParsl, Tag("parsl")],
    Discriminator(_kind),
]


def _need_program(program: str, kind: str, remedy: str) -> None:
    if shutil.which(program) is None:
        raise MissingProgramError(f"engine.{kind} needs the program {program}, which is not in PATH; {remedy}")


def _cost_of_failure(error: Exception, task: Any) -> float:
    """One for a lost worker, nothing if the step got further with it (a block's time was over); it is tried again.

    The study's own errors would only come again.
    """
    from parsl.executors.high_throughput.errors import ManagerLost, WorkerLost

    if not isinstance(error, WorkerLost | ManagerLost):
        return LOST_WORKERS + 1
    store, step = task["args"][:2]
    before, task["progress"] = task.get("progress", 0), store.progress(step)
    return 0 if task["progress"] > before else 1
