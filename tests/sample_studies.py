"""Made-up studies for the tests of pages: a choice among plans, and which settings decide; nothing is lived."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from sim.choose.standard import standards
from sim.config import load
from sim.config.sensitivity import asked
from sim.store import RunFolder

SWEPT = ("fleet.buses", "lodge.beds_scale")
PLANS = (  # buses, beds, status, alternative, stage, million yuan more than the best, chance
    (9, 1.2, "best", None, "confirm", 0.0, 0.95),
    (9, 1.3, "indistinguishable", None, "confirm", 0.02, 0.95),
    (10, 1.0, "near_optimal", 1, "confirm", 0.8, 0.9),
    (12, 1.2, "worse", None, "race", 6.0, 1.0),
    (9, 1.1, "undecided", None, "race", -0.1, 0.8),
    (9, 1.0, "infeasible", None, "race", -0.3, 0.4),
    (7, 1.0, "screened_out", None, "screen", np.nan, 0.0),
    (0, 1.0, "failed", None, None, np.nan, np.nan),
)
BEST_YUAN = 40_000_000.0
REPLICATIONS = {"screen": 5, "race": 30, "confirm": 40}


def sample_choice(folder: Path, *overrides: str) -> Path:
    """Write choice.csv and choice.json of a choice among eight plans, one of each status; return the folder."""
    settings = load(["county=three_villages", "study.years=10", *overrides])
    rows = [_plan(*plan) for plan in PLANS]
    names = [row["scenario"] for row in rows]
    notes = {
        "version": "0.0.0", "seed": 1, "fresh_seed": 2, "first_year": 2023, "years": 10, "calendar": "sampled",
        "county": settings.county.name, "report": settings.report.model_dump(mode="json"),
        "choose": settings.choose.model_dump(mode="json"), "swept": list(SWEPT),
        "limits": {one.name: one.limit.model_dump(mode="json") for one in standards(settings)},
        "best": names[0], "best_folder": f"confirm/{names[0]}", "nearest": names[0], "not_told_apart": [names[1]],
        "confirmed": names[:3], "needed": 38, "may_break_years": 1, "faults": {names[-1]: "no bus"},
        "stages": {stage: {"plans": 4, "plan_years": 1200, "seconds": 60.5} for stage in REPLICATIONS},
    }  # fmt: skip
    run = RunFolder(folder)
    run.write_table("choice", pd.DataFrame(rows))
    run.write_text("choice.json", json.dumps(notes))
    return folder


def _plan(
    buses: int, beds: float, status: str, alternative: int | None, stage: str | None, more: float, chance: float
) -> dict[str, object]:
    """Return a plan's row of choice.csv."""
    row: dict[str, object] = {
        "scenario": f"fleet.buses={buses},lodge.beds_scale={beds}",
        "settings": f"fleet.buses={buses} lodge.beds_scale={beds}",
        "status": status,
        "alternative": alternative,
        "stage": stage,
        "years": 0 if stage is None else 3 if stage == "screen" else 10,
        "replications": REPLICATIONS.get(stage or "", 0),
    }
    cost, diff = BEST_YUAN + np.nan_to_num(more) * 1e6 if stage else np.nan, more * 1e6
    for name, value, half in (("cost", cost, 5e5), ("diff", diff, 1e5 * (more != 0))):
        row |= {f"{name}_mean": value, f"{name}_low": value - half, f"{name}_high": value + half}
    row |= {"chance": chance, "chance_low": max(chance - 0.1, 0.0), "chance_high": min(chance + 0.04, 1.0)}
    row |= {"years_kept": chance, "weakest": "left_behind" if chance < 1 else None}
    return row | {"weakest_broken": 1 - chance, "weakest_beyond": 0.4}


def sample_sensitivity(folder: Path, *overrides: str) -> Path:
    """Write the tables of a study of the usual uncertain settings, each output with other numbers; return the folder.

    The first-order index of the k-th setting for the j-th output is 0.5 / (1 + (k + j) % 8).
    """
    question, settings = asked(["county=three_villages", *overrides])
    pairs = [
        (output, key, 0.5 / (1 + (k + j) % len(question.settings)))
        for j, output in enumerate(question.outputs)
        for k, key in enumerate(question.settings)
    ]
    table = pd.DataFrame(pairs, columns=["output", "setting", "first"])
    indices = _between(_between(table, "first", 0.04).assign(total=table["first"] * 1.2), "total", 0.05)
    tornado = table[["output", "setting"]].assign(base=1e6, at_low=-4e5 * table["first"], at_high=6e5 * table["first"])
    tornado = _between(_between(tornado, "at_low", 1e4), "at_high", 1e4).assign(low_value="0.75", high_value="1.2")
    luck = pd.DataFrame({"output": question.outputs, "mean": 1e6, "deviation": 2e4, "draws": 20, "share": 0.1})
    run = RunFolder(folder)
    for name, frame in {"indices": indices, "tornado": tornado, "luck": _between(luck, "share", 0.05)}.items():
        run.write_table(name, frame)
    about = {"sensitivity": question.model_dump(mode="json"), "evaluations": 661}
    run.write_yaml("sensitivity.yaml", about | {"settings": settings.model_dump(mode="json")})
    return folder


def _between(table: pd.DataFrame, name: str, half: float) -> pd.DataFrame:
    """Put an interval beside a number."""
    return table.assign(**{f"{name}_low": table[name] - half, f"{name}_high": table[name] + half})
