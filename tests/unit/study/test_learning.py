"""The learning loop's decisions, from written-down results of its steps."""

from __future__ import annotations

import dataclasses
from importlib.resources import files

import pytest

from polypace.errors import UnstableRunError
from polypace.report.learning_figures import learning_curve
from polypace.report.tables import round_row
from polypace.study.learning import covered, learn
from polypace.study.plan import plan_foundation, replicas
from polypace.study.schema import StudySpec, read_study
from polypace.study.step import StepStore
from polypace.study.work import Work

ERRORS = {"force_rmse_relative": 0.1, "energy_spread_meV_per_atom": 1.0, "by_chain_length": {}}


class Script(Work):
    """Answers `read` by kind of step and round; `loud` names replicas by round, `holes` fits that have some."""

    def __init__(self, folder, loud, *, lost=(), holes=(), selected=3, seconds=10.0):
        super().__init__(StepStore(folder))
        self.loud, self.lost, self.holes, self.selected = loud, lost, holes, selected
        self.seconds_each = seconds
        self.clock, self.spans = 0.0, {}
        self.decisions = []

    def finish(self, targets):
        """What is asked for together runs side by side."""
        self.submit(targets)
        new = [step for step in self.steps if step not in self.spans]
        self.spans |= dict.fromkeys(new, (self.clock, self.clock + self.seconds_each))
        self.clock += self.seconds_each

    def seconds(self, step):
        return self.seconds_each

    def span(self, step):
        return self.spans[step.id]

    def decided(self, records):
        self.decisions.append(records[-1]["verdict"])

    def read(self, step, name):
        if name == "explore.json":
            return self._exploration(step)
        return {
            "errors.json": ERRORS,
            "selection.json": {"selected": self.selected, "atoms": 100 * self.selected, "candidates": 9},
            "labels.json": {"frames": self.selected, "atoms": 100 * self.selected},
            "fit.json": {"holes": [{"name": "contact-3", "barrier_eV": 0.1}] if step.name in self.holes else []},
        }[name]

    def _exploration(self, step):
        _, number, replica = step.name.split("-", 2)
        loud = replica in self.loud.get(int(number), ())
        lost = (int(number), replica) in self.lost
        return {
            "first_above_ps": 0.5 if loud else None,
            "status": "lost atoms" if lost else "finished",
            "time_ps": step.params["time"],
            "gamma_max": 3.0 if loud else 0.9,
        }


def spec_of(**learning) -> StudySpec:
    with (files("polypace.study") / "templates" / "learn_ua.yaml").open() as stream:
        spec = read_study(stream.name)
    known = {"chain_lengths": (6, 8), "temperatures": (350.0,), "time": 2.0, "converged_for": None, "iterations": 9}
    data = {**spec.learning.model_dump(by_alias=False), **known, **learning}
    return spec.model_copy(update={"learning": type(spec.learning).model_validate(data)})


def run(tmp_path, loud, spec=None, **answers):
    spec = spec if spec is not None else spec_of()
    work = Script(tmp_path, loud, **answers)
    return learn(spec, plan_foundation(spec), work), work


def test_it_ends_when_no_replica_extrapolates(tmp_path):
    learned, work = run(tmp_path, {1: ["C6-350K", "C8-350K"], 2: ["C8-350K"]})
    assert learned.verdict == "converged: no replica passed gamma 1.5 for 2 ps"
    assert work.decisions == ["go on", "go on", learned.verdict]
    assert learned.fit.name == "fit/round-2" and learned.atoms == 600
    assert set(learned.fit.inputs) == {"C4", "round-1", "round-2"}
    assert [record["potential"] for record in learned.records] == ["fit/round-0", "fit/round-1", "fit/round-2"]
    assert [record["labelled_atoms_total"] for record in learned.records] == [300, 600, 600]


def test_replicas_go_on_from_where_they_were(tmp_path):
    _, work = run(tmp_path, {1: ["C8-350K"], 2: ["C8-350K"]})
    second = next(step for step in work.steps.values() if step.name == "explore/round-2-C6-350K")
    assert second.inputs["melt"].name == "explore/round-1-C6-350K"
    assert second.inputs["melt"].inputs["melt"].name == "melt/C6"


def test_quiet_time_adds_up_until_it_is_long_enough(tmp_path):
    learned, work = run(tmp_path, {1: ["C6-350K"]}, spec_of(converged_for=6.0))
    assert work.decisions == ["go on"] * 3 + ["converged: no replica passed gamma 1.5 for 6 ps"]
    assert learned.refits == 1 and [r["runs"][0]["quiet_ps"] for r in learned.records] == [0, 2, 4, 6]


def test_a_replica_that_lost_atoms_is_not_quiet(tmp_path):
    learned, work = run(tmp_path, {}, lost=[(1, "C8-350K")])
    assert work.decisions[0] == "go on" and learned.verdict.startswith("converged") and learned.refits == 1
    assert round_row(learned.records[0])["above"] == "1 of 2"


@pytest.mark.parametrize(
    ("learning", "verdict", "refits"),
    [
        ({"iterations": 2}, "budget used: iterations (2); the last potential has not explored", 2),
        ({"budget": {"atoms": 700}}, "budget used: 600 atoms are labelled, 300 more would be above 700", 2),
        ({"budget": {"hours": 0.02}}, "budget used: 0.02 h of 0.02 h", 1),
        ({"iterations": 0}, "no learning was asked for", 0),
    ],
)
def test_budgets(tmp_path, learning, verdict, refits):
    always = {number: ["C8-350K"] for number in range(1, 50)}
    learned, _ = run(tmp_path, always, spec_of(**learning), seconds=25.0)
    assert learned.verdict == verdict and learned.refits == refits


def test_an_added_budget_continues_the_old_loop(tmp_path):
    always = {number: ["C8-350K"] for number in range(1, 50)}
    short, before = run(tmp_path, always, spec_of(iterations=2))
    long, after = run(tmp_path, always, spec_of(iterations=4, budget={"atoms": 10_000}))
    assert set(before.steps) < set(after.steps)
    assert short.records[0] == long.records[0]


def test_hours_are_those_of_a_watch(tmp_path):
    assert covered([]) == 0
    assert covered([(5.0, 9.0), (0.0, 2.0), (1.0, 3.0), (6.0, 7.0)]) == 7.0  # side by side counts once, a break not
    learned, _ = run(tmp_path, {1: ["C6-350K"]}, seconds=10.0)
    first = learned.records[0]
    # two explorations and the validation; the selection; labels and fit
    assert first["wall_seconds"] == 30.0 and sum(first["seconds"].values()) == 60.0


def test_nothing_to_label_is_no_endless_loop(tmp_path):
    learned, _ = run(tmp_path, {}, lost=[(1, "C8-350K")], selected=0)
    assert learned.verdict.startswith("stuck") and learned.refits == 0


def test_a_potential_with_holes_gets_more_contact_frames(tmp_path):
    learned, _ = run(tmp_path, {1: ["C6-350K"]}, holes=["fit/round-1"])
    assert learned.fit.name == "fit/round-1-1"
    assert set(learned.fit.inputs) == {"C4", "round-1", "contacts-1"}
    assert learned.records[0]["contact_repairs"] == 1


def test_holes_that_stay_are_an_error_that_says_what_to_do(tmp_path):
    always = [f"fit/round-0{suffix}" for suffix in ("", "-1", "-2")]
    with pytest.raises(UnstableRunError, match=r"round-0 has 1 holes.*contact-3: 0.10 eV.*Add contact or hot frames"):
        run(tmp_path, {}, holes=always)


def test_replicas_are_all_combinations():
    spec = spec_of(temperatures=(350.0, 500.0), pressures=(1.0, 1000.0))
    names = [replica.name for replica in replicas(spec)]
    assert len(names) == 8 and names[0] == "C6-350K-1bar" and len(set(names)) == 8


def test_budgets_are_no_part_of_any_step(tmp_path):
    _, one = run(tmp_path, {1: ["C6-350K"]}, spec_of(budget={"hours": 1}))
    _, two = run(tmp_path, {1: ["C6-350K"]}, spec_of(budget={"hours": 2, "atoms": 5000}, iterations=5))
    assert list(one.steps) == list(two.steps)


def test_the_learning_curve_has_a_point_per_potential(tmp_path):
    learned, _ = run(tmp_path, {1: ["C6-350K"], 2: ["C6-350K"]}, spec_of(converged_for=4.0))
    results = {
        "learning": {"rounds": learned.records, "potential": learned.fit.name},
        "potential": {"validation": ERRORS},
    }
    assert [point["atoms"] for point in learning_curve(results)] == [0, 300, 600]
    results["learning"] |= {"rounds": learned.records[:2], "potential": "fit/round-2"}
    assert [point["atoms"] for point in learning_curve(results)] == [0, 300, 600]


def test_records_are_frozen(tmp_path):
    learned, _ = run(tmp_path, {})
    with pytest.raises(dataclasses.FrozenInstanceError):
        learned.atoms = 3
