"""What a choice says: a row for each plan, and what the answer rests on."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from sim import __version__
from sim.choose.apart import distances
from sim.choose.contest import CONFIRM, RACE, SCREEN, Contest
from sim.choose.plans import Plans
from sim.choose.select import chance
from sim.measure.interval import CONFIDENCE, mean_interval
from sim.store import RunFolder, sweep_folder
from sim.tables.choice import STATUS

NOTES = "choice.json"
Interval = tuple[float, float, float]
NONE: Interval = (np.nan, np.nan, np.nan)


def choose(plans: Plans) -> RunFolder:
    """Hold the contest of the plans and write what came out; return the folder of the study."""
    first = plans.settings[0]
    contest = Contest(first.choose, first.study.years, distances(plans.swept), plans)
    contest.run()
    folder = sweep_folder(first)
    if contest.best is not None:
        plans.report(contest.best)
    rows = pd.DataFrame([_row(contest, plans, plan) for plan in range(len(plans.settings))])
    rows["status"] = pd.Categorical(rows["status"], STATUS, ordered=True)
    rows = rows.sort_values(["status", "diff_mean", "cost_mean"], kind="stable").astype({"status": "str"})
    folder.write_table("choice", rows)
    folder.write_text(NOTES, json.dumps(_notes(contest, plans, folder), indent=2, ensure_ascii=False) + "\n")
    return folder


def status(contest: Contest, plan: int) -> str:
    """Return what became of a plan."""
    known = contest.status.get(plan)
    if plan == contest.best or known or contest.best is None:
        return "best" if plan == contest.best else known or "undecided"
    rule, dearer = contest.rule, contest.dearer(plan)
    alike = not dearer[1] > rule.indifference_yuan
    near = dearer[0] <= rule.near_share * contest.seen[RACE][contest.best].cost.mean()
    if not (alike or near):
        return "worse"
    if not contest.seems_to_hold(plan):
        return "undecided"
    return "indistinguishable" if alike else "near_optimal"


def nearest(contest: Contest) -> int | None:
    """Return the plan that comes nearest to holding its limits: by futures, by years, then by how far they break."""

    def key(plan: int) -> tuple[float, ...]:
        stage = contest.stage_of(plan)
        assert stage is not None
        held, tries = contest.held(stage, plan)
        seen = contest.seen[stage][plan]
        return held / tries, seen.kept.all(axis=2).mean(), -seen.beyond.clip(min=0).mean()

    lived = [
        plan for plan in range(len(contest.far)) if contest.stage_of(plan) and contest.status.get(plan) != "failed"
    ]
    longest = [plan for plan in lived if contest.stage_of(plan) != SCREEN]
    return max(longest or lived, key=key, default=None)


def _row(contest: Contest, plans: Plans, plan: int) -> dict[str, Any]:
    """Return a plan's row of choice.csv."""
    told, stage = status(contest, plan), contest.stage_of(plan)
    row: dict[str, Any] = {
        "scenario": plans.settings[plan].scenario,
        "settings": " ".join(f"{key}={values[plan]}" for key, values in plans.swept.items()),
        "status": told,
        "alternative": contest.alternatives.index(plan) + 1 if plan in contest.alternatives else None,
        "stage": stage,
    }
    compared = contest.best is not None and plan in contest.seen[RACE] and told != "failed"
    row |= dict(zip(("diff_mean", "diff_low", "diff_high"), contest.dearer(plan) if compared else NONE, strict=True))
    return row | (_seen(contest, plans, plan, stage) if stage else {"years": 0, "replications": 0} | _unseen())


def _seen(contest: Contest, plans: Plans, plan: int, stage: str) -> dict[str, Any]:
    """Return what was seen of a plan in its last stage."""
    seen = contest.seen[stage][plan]
    held, tries = contest.held(stage, plan)
    broken, outside = (~seen.kept).mean(axis=(0, 1)), seen.beyond.clip(min=0).mean(axis=(0, 1))
    worst = max(range(len(broken)), key=lambda limit: (broken[limit], outside[limit]))
    beyond = outside[worst] / broken[worst] if broken[worst] else np.nan
    cost = [float(part[0]) for part in mean_interval(seen.cost[None])]
    found: dict[str, Any] = {"years": seen.kept.shape[1], "replications": tries}
    found |= dict(zip(("cost_mean", "cost_low", "cost_high"), cost, strict=True))
    found |= dict(zip(("chance", "chance_low", "chance_high"), chance(held, tries, CONFIDENCE), strict=True))
    found |= {"years_kept": seen.kept.all(axis=2).mean(), "weakest_broken": broken[worst], "weakest_beyond": beyond}
    return found | {"weakest": plans.standards[worst].name if broken[worst] else None}


def _unseen() -> dict[str, Any]:
    numbers = ("cost_mean", "cost_low", "cost_high", "chance", "chance_low", "chance_high", "years_kept")
    return dict.fromkeys((*numbers, "weakest_broken", "weakest_beyond"), np.nan) | {"weakest": None}


def _notes(contest: Contest, plans: Plans, folder: RunFolder) -> dict[str, Any]:
    """Return what the answer rests on."""
    first, rule = plans.settings[0], contest.rule
    names = [one.scenario for one in plans.settings]
    near = nearest(contest)
    best = contest.best
    return {
        "version": __version__,
        "seed": first.seed,
        "fresh_seed": plans.seed(CONFIRM),
        "first_year": first.study.first_year,
        "years": first.study.years,
        "calendar": first.calendar.name,
        "county": first.county.name,
        "report": first.report.model_dump(mode="json"),
        "choose": rule.model_dump(mode="json"),
        "swept": list(plans.swept),
        "limits": {one.name: one.limit.model_dump(mode="json") for one in plans.standards},
        "best": None if best is None else names[best],
        "best_folder": None if best is None else plans.folder_of(CONFIRM, best).relative_to(folder.path).as_posix(),
        "nearest": None if near is None else names[near],
        "not_told_apart": [names[plan] for plan in contest.tied],
        "confirmed": [names[plan] for plan in contest.confirmed],
        "needed": contest.chances.needed(max(0, len(contest.confirmed) - 1)),
        "may_break_years": contest.may_break,
        "faults": {names[plan]: fault for plan, fault in plans.faults.items()},
        "stages": _stages(contest, folder),
    }


def _stages(contest: Contest, folder: RunFolder) -> dict[str, dict[str, float]]:
    """Return what each stage cost: plans, years lived that no stage before it had lived, seconds.

    When a choice that was made before is asked for again, nothing is lived, and the seconds stay those of that time.
    """
    file = folder.file(NOTES)
    before = json.loads(file.read_text(encoding="utf-8"))["stages"] if file.is_file() else {}
    lived = {
        stage: {plan: seen.kept.shape[0] * seen.kept.shape[1] for plan, seen in found.items()}
        for stage, found in contest.seen.items()
    }
    again = {RACE: sum(lived[SCREEN].get(plan, 0) for plan in lived[RACE])}
    return {
        stage: {
            "plans": len(years),
            "plan_years": sum(years.values()) - again.get(stage, 0),
            "seconds": round(max(contest.seconds[stage], before.get(stage, {}).get("seconds", 0.0)), 1),
        }
        for stage, years in lived.items()
    }
