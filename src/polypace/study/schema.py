"""What a study file may say. Unknown keys, wrong units and impossible values are errors that name the key."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from polypace.ace.strict_yaml import load_yaml
from polypace.errors import InputError
from polypace.study.engine import Engine, Threads
from polypace.study.quantities import Density, Length, Pressure, Temperature, Time

Positive = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]


class Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Lammps(Block):
    executable: str | None = None
    ranks: Positive = 1


class System(Block):
    """One melt of linear chains."""

    chain_length: Annotated[int, Field(ge=2)]
    n_chains: Positive
    density: Annotated[Density, Field(gt=0, le=1.2)] = 0.7  # what build_melt takes
    hold_density: bool = False  # stay at `density`, for liquids that would boil at the study's pressure


class Systems(Block):
    force_field: Literal["trappe-ua", "opls-aa", "l-opls"] = "trappe-ua"
    temperature: Annotated[Temperature, Field(gt=0)] = 350.0
    pressure: Pressure = 1.0
    train: Annotated[tuple[System, ...], Field(min_length=1)]
    test: Annotated[tuple[System, ...], Field(min_length=1)]
    equilibration: Annotated[Time, Field(gt=0)] = 20.0

    @model_validator(mode="after")
    def _distinct(self) -> Systems:
        for role in ("train", "test"):
            lengths = [system.chain_length for system in getattr(self, role)]
            if len(set(lengths)) != len(lengths):
                raise ValueError(f"{role} names a chain length twice: {lengths}")
        return self


class Reference(Block):
    """The classical force field as the reference: `lj/mdf` between the two radii of `cutoff`.

    `tail` is the range in which the dispersion tail is switched on; the tail stays outside of the ACE. With another
    `labels` the force field only samples: energies and forces are those of a quantum method, on carved clusters. A
    quantum method has no tail of its own; where the study names `tail`, that of the force field is taken out.
    """

    labels: Literal["force-field", "gfn2-xtb", "gfn1-xtb", "pyscf-dft"] = "force-field"
    label_settings: dict[str, Any] = {}
    cutoff: tuple[Length, Length] = (10.0, 12.0)
    tail: tuple[Length, Length] = (4.6, 7.0)
    timestep: Annotated[Time, Field(gt=0, le=0.01)] = 0.001
    npt: Annotated[Time, Field(gt=0)] = 20.0
    nvt: Annotated[Time, Field(gt=0)] = 10.0
    sample_every: Annotated[Time, Field(gt=0)] = 0.05
    label_every: Annotated[Time, Field(gt=0)] = 0.25

    @property
    def tail_outside(self) -> tuple[float, float] | None:
        """The range of the tail that the ACE does not learn, if any."""
        return self.tail if self.labels == "force-field" or "tail" in self.model_fields_set else None

    @model_validator(mode="after")
    def _known_settings(self) -> Reference:
        from polypace.reference import quantum_method

        if self.labels != "force-field":
            quantum_method(self.labels, **self.label_settings)  # its errors are ValueErrors and name the setting
        elif self.label_settings:
            raise ValueError(f"label_settings belong to quantum methods, got {self.label_settings} for the force field")
        return self

    @model_validator(mode="after")
    def _ascending(self) -> Reference:
        radii = (*self.tail, *self.cutoff)
        if any(a >= b for a, b in itertools.pairwise(radii)):
            raise ValueError(f"tail and cutoff must ascend: tail[0] < tail[1] < cutoff[0] < cutoff[1], got {radii}")
        return self


class TrainingData(Block):
    """Frames per training length and kind; the kinds beyond `thermal` keep MD with the potential out of holes."""

    thermal: Positive = 12
    hot: Count = 6
    hot_temperature: Annotated[Temperature, Field(gt=0)] = 800.0
    perturbed: dict[Literal["rattled", "compressed", "stretched", "sheared", "contacts", "twisted"], Count] = {
        "compressed": 3,
        "stretched": 3,
        "contacts": 4,
        "twisted": 4,
    }
    pairs: Count = 8  # scans of two chains alone, eight frames each
    pinched: Count = 3  # melts with bent ends, each with twelve single chains folded onto themselves


class Ace(Block):
    """The basis, in pacemaker's own keys, and how it is fitted."""

    basis: dict[str, Any]
    energy_weight: Annotated[float, Field(ge=0)] = 1e7
    force_weight: Annotated[float, Field(ge=0)] = 1.1e3
    virial_weight: Annotated[float, Field(ge=0)] = 2e6
    kind_weights: dict[str, Annotated[float, Field(ge=0)]] = {
        "bent ends": 0.01,
        "folded chains": 0.01,
        "contacts": 0.2,
        "twisted": 0.2,
    }
    soft_force: Annotated[float, Field(gt=0)] = 3.0  # eV/Å, beyond which forces count less
    solver: Literal["ridge", "blr", "ard"] = "ridge"
    solver_options: dict[str, Any] = {}
    smoothness: Annotated[float, Field(ge=0)] = 2.0
    core_radius: Annotated[Length, Field(gt=0)] | None = None  # 0.95 × the shortest training distance
    core_width: Annotated[Length, Field(gt=0)] = 0.1

    @model_validator(mode="after")
    def _buildable(self) -> Ace:
        from polypace.ace.fitting import SOLVERS

        self.elements()
        try:
            SOLVERS[self.solver](**self.solver_options)
        except TypeError as error:
            raise ValueError(f"solver_options: {error}") from None
        return self

    def elements(self) -> set[str]:
        """Those of the basis, which is looked at; its errors are ValueErrors and name the key."""
        from polypace.ace import BasisSpec

        return set(BasisSpec.from_dict(self.basis).elements)


class Budget(Block):
    """Where learning stops although something still extrapolates; an added budget continues the old loop."""

    atoms: Positive | None = None  # labelled by the loop
    hours: Annotated[float, Field(gt=0)] | None = None  # on a watch while the loop's steps run


class Learning(Block):
    """Fit, explore with the potential and watch gamma, select, label, refit: until nothing extrapolates.

    A replica per chain length, temperature and pressure; without pressures the volume is constant.
    """

    iterations: Annotated[int, Field(ge=0, validation_alias=AliasChoices("iterations", "rounds"))] = 1
    budget: Budget = Budget()
    chain_lengths: tuple[Positive, ...] = ()
    temperatures: Annotated[tuple[Annotated[Temperature, Field(gt=0)], ...], Field(min_length=1)] = (350.0, 600.0)
    pressures: tuple[Pressure, ...] = ()
    time: Annotated[Time, Field(gt=0)] = 3.0
    converged_for: Annotated[Time, Field(gt=0)] | None = None  # ps without passing gamma_select; default: `time`
    gamma_select: Annotated[float, Field(gt=1)] = 1.5
    gamma_break: Annotated[float, Field(gt=1)] = 20.0
    watch_every: Positive = 20
    harvest: Literal["frames", "clusters", "molecules"] = "frames"
    selection: Literal["d-optimal", "random"] = "d-optimal"
    max_frames: Positive = 12  # frames or clusters labelled per iteration
    max_atoms: Positive | None = None  # atoms labelled per iteration
    core_radius: Annotated[Length, Field(gt=0)] = 2.0
    buffer_radius: Annotated[Length, Field(gt=0)] | None = None  # core_radius + cutoff of the potential + a bond
    validation_frames: Annotated[int, Field(ge=2)] = 4  # per chain length, from runs of their own

    @model_validator(mode="after")
    def _consistent(self) -> Learning:
        if self.gamma_break <= self.gamma_select:
            raise ValueError(
                f"gamma_break must be above gamma_select, got {self.gamma_break:g} and {self.gamma_select:g}"
            )
        for key in ("chain_lengths", "temperatures", "pressures"):
            values = getattr(self, key)
            if len(set(values)) != len(values):
                raise ValueError(f"{key} names a value twice: {list(values)}")
        if self.max_atoms is not None and self.budget.atoms is not None and self.max_atoms > self.budget.atoms:
            raise ValueError(
                f"max_atoms ({self.max_atoms}) of one iteration is above budget.atoms ({self.budget.atoms}): "
                "nothing could be labelled"
            )
        return self


class Production(Block):
    npt: Annotated[Time, Field(gt=0)] = 15.0
    nvt: Annotated[Time, Field(gt=0)] = 10.0
    timestep: Annotated[Time, Field(gt=0, le=0.01)] = 0.001
    sample_every: Annotated[Time, Field(gt=0)] = 0.05
    gamma_every: Positive = 100


class Transfer(Block):
    """A grid of fits at equal labelling cost: training chain lengths × ways to collect the data × budgets.

    Every fit is measured on every test length: forces, energies, gamma. `train` lists sets of chain lengths, each of
    `systems.train`; `pool` reference frames per length compete, `atoms` are labelled per fit. Clusters reach as far as
    `cluster_radii` from their centre; forces near their surface count `surface_weight`. `entangled` chains are priced
    for `entangled_time` from the measured speed.
    """

    train: Annotated[tuple[Annotated[tuple[Positive, ...], Field(min_length=1)], ...], Field(min_length=1)]
    collections: Annotated[
        tuple[Literal["random", "d-optimal", "active-learning", "clusters", "d-optimal-clusters"], ...],
        Field(min_length=1),
    ] = ("random", "d-optimal")
    cluster_radii: Annotated[tuple[Annotated[Length, Field(ge=4)], ...], Field(min_length=1)] = (6.0,)
    surface_weight: Annotated[float, Field(ge=0, le=1)] = 0.2
    atoms: Annotated[tuple[Positive, ...], Field(min_length=1)] = (6000,)
    repeats: Positive = 2
    pool: Annotated[int, Field(ge=2)] = 30
    test_frames: Annotated[int, Field(ge=2)] = 8
    only: bool = False  # true: no learning and no MD with an ACE
    entangled: tuple[Positive, ...] = (400, 1000)
    entangled_time: Annotated[Time, Field(gt=0)] = 1e6


class StudySpec(Block):
    """A whole study; see docs/reference/study.md for every key."""

    name: str
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 20261122
    engine: Engine = Threads()
    lammps: Lammps = Lammps()
    systems: Systems
    reference: Reference = Reference()
    training_data: TrainingData = TrainingData()
    ace: Ace
    learning: Learning = Learning()
    production: Production = Production()
    transfer: Transfer | None = None

    @model_validator(mode="after")
    def _purposeful(self) -> StudySpec:
        quantum, all_atom = self.reference.labels != "force-field", self.systems.force_field != "trappe-ua"
        transfer = self.transfer
        if (quantum or all_atom) and not (transfer and transfer.only):
            what = "reference.labels" if quantum else "systems.force_field"
            raise ValueError(f"{what}: MD with the ACE is there for trappe-ua only; set transfer.only to true")
        if transfer is None:
            return self
        missing = {n for lengths in transfer.train for n in lengths} - {s.chain_length for s in self.systems.train}
        if missing:
            raise ValueError(f"transfer.train names {sorted(missing)}, which systems.train does not build")
        whole = [name for name in transfer.collections if "clusters" not in name]
        if quantum and whole:
            raise ValueError(
                f"transfer.collections: {whole} are periodic melts; {self.reference.labels} labels clusters"
            )
        if "active-learning" in transfer.collections and (transfer.only or not self.learning.iterations):
            raise ValueError("transfer.collections: active-learning needs learning.iterations > 0 and only: false")
        return self

    @model_validator(mode="after")
    def _same_atoms(self) -> StudySpec:
        united = self.systems.force_field == "trappe-ua"
        if united and self.reference.labels != "force-field":
            raise ValueError(
                f"reference.labels: {self.reference.labels} needs hydrogens, which united atoms lack; set "
                "systems.force_field to l-opls"
            )
        wanted, given = {"C"} if united else {"C", "H"}, self.ace.elements()
        if given != wanted:
            field = self.systems.force_field
            raise ValueError(
                f"ace.basis.elements must be {sorted(wanted)}, the elements of {field}, got {sorted(given)}"
            )
        return self

    @model_validator(mode="after")
    def _explorable(self) -> StudySpec:
        known = {system.chain_length for system in (*self.systems.train, *self.systems.test)}
        missing = set(self.learning.chain_lengths) - known
        if missing:
            raise ValueError(f"learning.chain_lengths names {sorted(missing)}, which systems does not build")
        return self


def read_study(path: str | Path) -> StudySpec:
    """Read and check a study file.

    Raises
    ------
    InputError
        naming the file, the key, its value and what is expected there.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"study file {path}: {error.strerror}; give the path of a study.yaml") from None
    except UnicodeDecodeError as error:
        raise InputError(f"study file {path} is not text in UTF-8 ({error.reason} at byte {error.start})") from None
    try:
        data = load_yaml(text)
    except yaml.YAMLError as error:
        raise InputError(f"study file {path} is not valid YAML: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"study file {path} must be a mapping of keys, got {type(data).__name__}")
    try:
        return StudySpec.model_validate(data)
    except ValidationError as error:
        problems = [_describe(problem) for problem in _first_causes(error.errors())]
        raise InputError(f"study file {path}:\n  " + "\n  ".join(problems)) from None


def _describe(problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"]) or "(top level)"
    if problem["type"] == "extra_forbidden":
        return f"{place}: unknown key (value {problem['input']!r}); remove it or correct its spelling"
    if problem["type"] == "missing":
        return f"{place}: missing, and it has no default"
    if problem["type"] == "union_tag_invalid":
        return f"{place}.kind: must be one of {problem['ctx']['expected_tags']}, got {problem['ctx']['tag']!r}"
    if problem["type"] == "union_tag_not_found":
        return f"{place}: must be a mapping with the key kind, as {{kind: …}}, got {problem['input']!r}"
    message = problem["msg"].removeprefix("Value error, ")
    # Whole blocks would fill the screen; what is said about values that were checked here names them already.
    shown = problem["type"] != "value_error" and not isinstance(problem["input"], dict | list)
    return f"{place}: {message}" + (f", got {problem['input']!r}" if shown else "")


def _first_causes(problems: Sequence[Any]) -> list[Any]:
    """Problems without those of a block that only follow from problems inside of it."""
    inner = [problem["loc"] for problem in problems]
    return [
        problem
        for problem in problems
        if not any(len(loc) > len(problem["loc"]) and loc[: len(problem["loc"])] == problem["loc"] for loc in inner)
    ]
