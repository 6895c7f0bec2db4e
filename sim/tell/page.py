"""The pages: report.html, compare.html, choice.html, sensitivity.html; each is one file that needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from sim.store import RunFolder
from sim.tell import closing, head, method, money, plans, register, relief, risk, stress_des
from sim.tell import sensitivity as effects
from sim.tell import table as tables
from sim.tell.answer import context
from sim.tell.choose import Choice
from sim.tell.drawing import Drawing
from sim.tell.effect import charts
from sim.tell.enrol import check_table, story
from sim.tell.facts import facts, made_up, title
from sim.tell.figure import draw
from sim.tell.group import SchoolPlans
from sim.tell.hamlets import Hamlets
from sim.tell.handout import links, write_handouts
from sim.tell.occupancy import worst_weeks
from sim.tell.pairs import Pairs
from sim.tell.replay import replay_page
from sim.tell.run import Run, run_of
from sim.tell.service import Service
from sim.tell.sites import Sites
from sim.tell.stress import Stress, weather_table
from sim.tell.sweep import Sweep
from sim.tell.sweep_chart import chart
from sim.tell.template import render, script
from sim.tell.town import Town
from sim.tell.unplaced import unplaced

FIRST_HAMLETS, MOST_HAMLETS = 10, 50
"""So many hamlets are listed below the head page: at first sight, and in all."""
CONTENTS = {
    "happens": ("run", "county", "enrolment", "town", "closures", "bottlenecks", "limits", "relief", "risk",
                "hamlets", "stress"),
    "days": ("fleet", "plans", "rides", "canteen", "dormitory", "weather"),
    "money": ("budget", "net", "family", "campuses"),
    "made": ("method", "stress_des", "assumptions", "synthetic", "scope", "redraw"),
}  # fmt: skip
"""Part of the report -> its sections, in the order in which they stand on the page."""
AT_TIMES = ("town", "relief", "risk", "stress", "plans", "net", "family", "campuses")
"""Sections that are told only where there is something to tell."""
WITHIN = {
    "method": tuple(f"method_{part}" for part in method.PARTS),
    "assumptions": ("settings", "standards", "prices"),
}
"""Section -> its sub-sections; those of the budget are what it tells."""
SECTIONS = ("answer", *(name for part in CONTENTS.values() for name in part if name not in AT_TIMES))
"""Sections that every report has."""


def report(run: Run | Path, redraw: bool = True) -> Path:
    """Write report.html of a run from its files alone, its figures, sheets and replay; return where the report lies.

    Without `redraw`, figures that no price changes and the replay are left as they lie there.
    """
    run = run_of(run)
    sites, drawn = Sites(SchoolPlans(run)), draw(run, redraw)
    for name, drawing in drawn.items():
        drawing.save(run.folder, name)
    write_handouts(sites, made_up(run))
    replay = replay_page(run, made_up(run), redraw)
    told = {"handouts": links(sites), "replay": replay and replay.name}
    page = render("report.html.j2", run.words, **_report(run, drawn), **told)
    return run.folder.write_text("report.html", page)


def _report(run: Run, drawn: dict[str, Drawing]) -> dict[str, Any]:
    """Return all that the report's template needs."""
    stress, service, town, told = Stress(run), Service(run), Town(run), money.money(run)
    relieved, homes = relief.told(run), Hamlets(run)
    there = {"town": town.told, "relief": relieved, "stress": stress.told, "plans": service.told}
    there["risk"] = risk.told(run)
    return {
        "run": run,
        "title": title(run),
        "answers": head.head(run, homes),
        "decisions": head.decisions(run, homes),
        "unknown": head.unknown(run),
        "keys": context(run),
        "facts": facts(run),
        "contents": _contents(there, told),
        "service": service,
        "town": town,
        "stress": stress,
        "weather": weather_table(run),
        "figures": {name: Markup(each.svg) for name, each in drawn.items()},  # drawn here, its texts are escaped
        "made_up": made_up(run),
        "synthetic": {name for part in ("happens", "days", "money") for name in CONTENTS[part]} - {"run"},
        "place": f"results/{run.settings.study.name}/{run.path.name}",
        "worst": tables.bottleneck_table(run),
        "worst_weeks": worst_weeks(run),
        "harm": tables.harm_table(run),
        **_helps(run, relieved),
        "risk": risk if there["risk"] else None,
        "hamlets": homes.table(FIRST_HAMLETS),
        "further_hamlets": homes.table(MOST_HAMLETS, skip=FIRST_HAMLETS),
        "verdicts": tables.verdict_table(run),
        "furthest": tables.worst_verdicts(run),
        "money": told,
        "forecast_story": story(run),
        "forecast_check": check_table(run),
        **_closing(run),
        **_made(run),
    }


def _helps(run: Run, relieved: bool) -> dict[str, Any]:
    """Return what the report says of help that was tried; nothing where none was."""
    if not relieved:
        return {"relief": None, "purchases": None, "purchase_story": []}
    return {
        "relief": relief.relief_table(run),
        "purchases": relief.purchase_table(run),
        "purchase_story": relief.story(run),
    }


def _closing(run: Run) -> dict[str, Any]:
    """Return what the report says of schools that close."""
    return {
        "closures": tables.closure_table(run),
        "closing_story": run.words.speak(closing.story(run)),
        "missing": closing.missing(run),
        "pages": closing.pages(run),
        "unplaced": unplaced(run),
    }


def _made(run: Run) -> dict[str, Any]:
    """Return what the report says of how it was made: method, checklist, assumptions and sources."""
    return {
        "method": method.statement(run),
        "checklist": stress_des.checklist(run),
        "register_intro": register.intro(run),
        "settings": register.setting_tables(run),
        "prices": register.price_table(run),
        "limits": register.limit_table(run),
        "weights": register.weight_table(run),
        "origins": register.origin_table(run),
    }


def _contents(there: dict[str, bool], told: dict[str, Any]) -> dict[str, list[tuple[str, list[str]]]]:
    """Return the contents: for each part its sections that are told, each with its sub-sections."""
    shown = {name for name, is_told in there.items() if is_told} | set(money.sections(told))
    parts = {
        part: [name for name in names if name not in AT_TIMES or name in shown] for part, names in CONTENTS.items()
    }
    within = WITHIN | {"budget": money.within(told)}
    return {part: [(name, list(within.get(name, ()))) for name in names] for part, names in parts.items()}


def comparison(sweep_folder: Path) -> Path:
    """Write compare.html of a sweep from its summary.parquet and its scenarios' tables; return where the page lies."""
    sweep = Sweep(Path(sweep_folder))
    folder = RunFolder(sweep.path)
    drawn = chart(sweep)
    drawn.save(folder, "compare")
    page = render(
        "compare.html.j2",
        sweep.words,
        title=sweep.words("compare.title"),
        sweep=sweep,
        pairs=Pairs(sweep) if len(sweep.scenarios) > 1 else None,
        script=script("compare.js"),
        plotly=Markup(get_plotlyjs()),
        chart=Markup(drawn.svg),
        main=sweep.main_table(),
        full=sweep.full_table(),
    )
    return folder.write_text("compare.html", page)


def choice_page(folder: Path) -> Path:
    """Write choice.html of a choice among plans from its choice.csv and choice.json; return where the page lies."""
    choice = Choice(Path(folder))
    study, drawn = RunFolder(choice.path), plans.chart(choice)
    drawn.save(study, "choice")
    page = render(
        "choose.html.j2",
        choice.words,
        title=choice.words("choose.title"),
        choice=choice,
        chart=Markup(drawn.svg),
        caption=plans.caption(choice),
        different=plans.different(choice),
        plans=plans.all_plans(choice),
        limits=plans.limits(choice),
        stages=plans.stages(choice),
    )
    return study.write_text("choice.html", page)


def sensitivity(study_folder: Path) -> Path:
    """Write sensitivity.html of a study from its tables, and its figures; return where the page lies."""
    told, folder = effects.Told(Path(study_folder)), RunFolder(Path(study_folder))
    figures = charts(told)
    for name, drawing in figures.items():
        drawing.save(folder, name)
    page = render(
        "sensitivity.html.j2",
        told.words,
        title=told.words("sensitivity.title"),
        told=told,
        answer=effects.answer(told),
        figures={name: Markup(drawing.svg) for name, drawing in figures.items()},
        laws=effects.law_table(told),
        effects=effects.effect_table(told) if told.table else None,
        alone=effects.tornado_table(told),
        luck=effects.luck_table(told),
    )
    return folder.write_text("sensitivity.html", page)
