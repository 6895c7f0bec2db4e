"""The STRESS-DES checklist answered for one run, and the model at a glance."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from sim.tell import net, relief
from sim.tell.facts import county_name
from sim.tell.grid import Grid, grid
from sim.tell.number import number, percent
from sim.tell.register import kinds
from sim.tell.run import ORIGINS, Run, origin
from sim.tell.style import BLACK, BLUE, GREY, canvas
from sim.units import minutes_of

ITEMS = (
    "purpose", "outputs", "aims", "overview", "logic", "scenario", "algorithms", "entities", "activities", "resources",
    "queues", "entry", "sources", "preprocessing", "parameters", "assumptions", "initialisation", "length",
    "estimation", "software", "sampling", "execution", "system", "access",
)  # fmt: skip
"""In the order of Monks et al. (2019): objectives, logic, data, experimentation, implementation, code access."""
BOXES = {
    "county": (0.13, 0.80), "scenario": (0.13, 0.45), "forecast": (0.38, 0.80), "plan": (0.38, 0.45),
    "luck": (0.38, 0.10), "days": (0.63, 0.45), "measures": (0.63, 0.80), "money": (0.88, 0.80),
    "judged": (0.88, 0.45), "relief": (0.63, 0.10), "told": (0.88, 0.10),
}  # fmt: skip
"""Part of the model -> where the middle of its box is drawn."""
ARROWS = (
    ("county", "forecast"), ("forecast", "plan"), ("scenario", "plan"), ("plan", "days"), ("luck", "days"),
    ("days", "measures"), ("measures", "money"), ("measures", "judged"), ("money", "judged"), ("judged", "told"),
    ("county", "plan"),
)  # fmt: skip
AGAIN = (("judged", "relief"), ("relief", "days"))
"""What is lived again."""
LINE = 0.06
BOX = (0.225, 0.22)


def checklist(run: Run) -> Grid:
    """Return each item of the checklist with its answer for this run."""
    word, facts = run.words, {**_chosen(run), **_made(run)}
    old = not kinds(run)
    rows = []
    for item in ITEMS:
        key = f"stress_des_told.{item}" + ("_old" if old and item in ("parameters", "assumptions") else "")
        rows.append((word(f"stress_des.{item}"), word(key, **facts)))
    return grid([word("column.item"), word("column.this_run")], rows)


def _chosen(run: Run) -> dict[str, Any]:
    """Return what was chosen, in words: the texts of the checklist take what they need of it."""
    word, settings = run.words, run.settings
    enrolment = run.totals("enrolment", ["replication", "year"], "pupils")
    first = enrolment.loc[enrolment["year"] == run.years[0], "pupils"]
    buses = run.resources.loc[run.resources["resource"] == "bus", "capacity"]
    return {
        "county": county_name(run),
        "first": run.years[0],
        "limits": len(settings.limits),
        "scenario": settings.scenario,
        "closure": settings.closure.name,
        "years": len(run.years),
        "relief": word("stress_des.relief_on" if relief.told(run) else "stress_des.relief_off"),
        "compared": word("stress_des.net_on" if net.told(run) else "stress_des.net_off"),
        "rule": word.term("assign", settings.assign.rule),
        "planner": settings.fleet.planner,
        "rates": settings.enrol.rates,
        "pupils": number(first.mean(), 0),
        "buses": number(buses.max() if len(buses) else 0, 0),
        "kinds": word.join([word.term("resource", each) for each in sorted(run.resources["resource"].unique())]),
        "priority": word.join([word.term("lodge_by", each) for each in settings.lodge.priority]),
        "draws": settings.account.price_draws,
        "seed": settings.seed,
        "replications": word.count("replications", len(run.replications)),
        "weeks": weeks(run),
    }


def _made(run: Run) -> dict[str, Any]:
    """Return how the run was made and of what, from its manifest, tables and register."""
    word, manifest, count = run.words, run.manifest, kinds(run)
    commit = str(manifest.get("git_commit") or word("unknown"))[:10] + ("+" if manifest.get("git_dirty") else "")
    return {
        "changed": count.get("set", 0),
        "all": sum(count.values()),
        "assumed": count.get("assumed", 0) + count.get("derived", 0),
        "shares": _shares(run),
        "lived": number(len(run.days)),
        "version": manifest.get("version", ""),
        "python": manifest.get("python", word("unknown")),
        "packages": word.join([f"{name} {version}" for name, version in manifest.get("packages", {}).items()]),
        "minutes": number(minutes_of(manifest.get("seconds") or 0.0), 1),
        "cores": manifest.get("host_cores", word("unknown")),
        "commit": commit,
    }


def weeks(run: Run) -> str:
    """Return how many weeks of a year were lived, in words."""
    some, every = run.settings.calendar.weeks_per_year, len(run.input("calendar.csv"))
    return run.words("method.some_weeks", weeks=some, all=every) if some else run.words("method.all_weeks", all=every)


def _shares(run: Run) -> str:
    """Return which parts of all rows of the county's tables are real, derived and synthetic."""
    tables = [run.input(file.name) for file in sorted((run.path / "inputs").glob("*.csv"))]
    found = [origin(table["source"]).value_counts() for table in tables if "source" in table]
    rows = {kind: sum(int(each.get(kind, 0)) for each in found) for kind in (*ORIGINS, "other")}
    every = max(sum(rows.values()), 1)
    return run.words.join([f"{run.words(f'origin.{kind}')} {percent(rows[kind] / every)}" for kind in ORIGINS])


def diagram(run: Run) -> Figure:
    """Draw the model at a glance: what is passed on from part to part."""
    figure, axes = canvas(2.9)
    axes.set(xlim=(0, 1), ylim=(-0.04, 0.96))
    axes.axis("off")
    for name, (x, y) in BOXES.items():
        corner, lived = (x - BOX[0] / 2, y - BOX[1] / 2), name == "days"
        face, edge = ("#E8F1F8", BLUE) if lived else ("white", GREY)
        axes.add_patch(FancyBboxPatch(corner, *BOX, boxstyle="round,pad=0,rounding_size=0.015", fc=face, ec=edge))
        lines = run.words(f"model.{name}").split("\n")
        for k, line in enumerate(lines):  # one by one: only a single line is centred by the reader's own letters
            at = y + LINE * ((len(lines) - 1) / 2 - k)
            axes.text(x, at, line, ha="center", va="center", fontsize=7.6, color=BLACK)
    for start, end in (*ARROWS, *AGAIN):
        style = "--" if (start, end) in AGAIN else "-"
        arrow = {"arrowstyle": "-|>", "color": BLACK, "linestyle": style, "linewidth": 1.0, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", *_between(BOXES[start], BOXES[end])[::-1], arrowprops=arrow)
    return figure


def _between(start: tuple[float, float], end: tuple[float, float]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return where an arrow leaves one box and meets the next: at their sides, or at their corners when aslant."""
    across, up = (end[k] - start[k] for k in (0, 1))
    half = [BOX[k] / 2 * (1 if step > 0 else -1 if step < 0 else 0) for k, step in ((0, across), (1, up))]
    if across and up:
        half[1] = 0.6 * half[1]
    return (start[0] + half[0], start[1] + half[1]), (end[0] - half[0], end[1] - half[1])
