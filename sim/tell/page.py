"""The pages: report.html, compare.html, choice.html, sensitivity.html; each is one file that needs no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from sim.store import RunFolder
from sim.tell import closing, money, plans, register, relief, risk
from sim.tell import sensitivity as effects
from sim.tell import table as tables
from sim.tell.answer import answer, key_figures
from sim.tell.choose import Choice
from sim.tell.drawing import Drawing
from sim.tell.effect import charts
from sim.tell.enrol import check_table, story
from sim.tell.figure import draw
from sim.tell.group import SchoolPlans
from sim.tell.handout import links, write_handouts
from sim.tell.number import percent
from sim.tell.occupancy import worst_weeks
from sim.tell.pairs import Pairs
from sim.tell.replay import replay_page
from sim.tell.run import Run, origin, run_of
from sim.tell.service import Service
from sim.tell.sites import Sites
from sim.tell.stress import Stress, struck, weather_table
from sim.tell.sweep import Sweep
from sim.tell.sweep_chart import chart
from sim.tell.template import render, script
from sim.tell.town import Town
from sim.tell.unplaced import unplaced

SECTIONS = (
    "answer",
    "run",
    "county",
    "enrolment",
    "closures",
    "bottlenecks",
    "fleet",
    "rides",
    "canteen",
    "dormitory",
    "weather",
    "limits",
    "budget",
    "assumptions",
    "synthetic",
    "scope",
    "method",
    "redraw",
)


TOWN = "town"
"""Section that stands after the pupils when there is anything to say of class places."""
STRESS = "stress"
"""Section that stands after the answer when a stress pack struck some weeks."""
RELIEF = "relief"
"""Section that stands after the bottlenecks when they were lived again."""
RISK = "risk"
"""Section that stands before the limits when the run tells risks."""
PLANS = "plans"
"""Section that stands before the rides when the county has bus runs of its own, or bells were chosen."""


def report(run: Run | Path, redraw: bool = True) -> Path:
    """Write report.html of a run from its files alone, its figures, sheets and replay; return where the report lies.

    Without `redraw`, figures that no price changes and the replay are left as they lie there.
    """
    run = run_of(run)
    sites = Sites(SchoolPlans(run))
    drawn = draw(run, redraw)
    for name, drawing in drawn.items():
        drawing.save(run.folder, name)
    write_handouts(sites, _made_up(run))
    replay = replay_page(run, _made_up(run), redraw)
    told = {"handouts": links(sites), "replay": replay and replay.name}
    page = render("report.html.j2", run.words, **_report(run, drawn), **told)
    return run.folder.write_text("report.html", page)


def _report(run: Run, drawn: dict[str, Drawing]) -> dict[str, Any]:
    """Return all that the report's template needs."""
    stress, service, town, told = Stress(run), Service(run), Town(run), money.money(run)
    relieved = relief.told(run)
    return {
        "run": run,
        "title": title(run),
        "answer": answer(run),
        "keys": key_figures(run),
        "facts": facts(run),
        "sections": _sections(run, stress.told, town.told, relieved, service.told, money.sections(told)),
        "service": service,
        "town": town,
        "stress": stress,
        "weather": weather_table(run),
        "figures": {name: Markup(each.svg) for name, each in drawn.items()},  # drawn here, its texts are escaped
        "made_up": _made_up(run),
        "place": f"results/{run.settings.study.name}/{run.path.name}",
        "worst": tables.bottleneck_table(run),
        "worst_weeks": worst_weeks(run),
        "harm": tables.harm_table(run),
        "relief": relief.relief_table(run) if relieved else None,
        "purchases": relief.purchase_table(run) if relieved else None,
        "purchase_story": relief.story(run) if relieved else [],
        "risk": risk if risk.told(run) else None,
        "verdicts": tables.verdict_table(run),
        "furthest": tables.worst_verdicts(run),
        "money": told,
        "forecast_story": story(run),
        "forecast_check": check_table(run),
        "closures": tables.closure_table(run),
        "closing_story": run.words.speak(closing.story(run)),
        "missing": closing.missing(run),
        "pages": closing.pages(run),
        "unplaced": unplaced(run),
        "prices": register.price_table(run),
        "limits": register.limit_table(run),
        "weights": register.weight_table(run),
        "origins": register.origin_table(run),
    }


def _sections(
    run: Run, struck: bool, crowded: bool, relieved: bool, compared: bool, costs: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the sections of the page in order, with those that are told only at times."""
    after = {"answer": (STRESS,) * struck, "enrolment": (TOWN,) * crowded, "fleet": (PLANS,) * compared}
    after["bottlenecks"] = (*((RELIEF,) * relieved), *((RISK,) * risk.told(run)))
    after["budget"] = costs
    return tuple(part for name in SECTIONS for part in (name, *after.get(name, ())))


def title(run: Run) -> str:
    """Return what the report is called."""
    return run.words("title", county=county_name(run), first=run.years[0], last=run.years[-1])


def county_name(run: Run) -> str:
    """Return the name of the county as people write it."""
    return run.words.term("county", run.settings.county.name)


def facts(run: Run) -> list[tuple[str, str]]:
    """Return what was run: label and value of each choice that matters."""
    word, settings, manifest = run.words, run.settings, run.manifest
    weeks = settings.calendar.weeks_per_year
    commit = str(manifest.get("git_commit") or word("unknown"))[:10] + (" +" if manifest.get("git_dirty") else "")
    told = {
        "scenario": settings.scenario,
        "county": word("fact.size", county=county_name(run), schools=len(run.schools), hamlets=len(run.hamlets)),
        "years": f"{run.years[0]} – {run.years[-1]} ({len(run.years)})",
        "replications": str(len(run.replications)),
        **({"precision": precise} if (precise := _precise(run)) else {}),
        "weeks": word("fact.all_weeks") if not weeks else word("fact.some_weeks", weeks=weeks),
        "seed": str(settings.seed),
        "closure": settings.closure.name,
        "assign": _assign(run),
        "births": word.term("births", settings.enrol.births),
        "fleet": _fleet(run),
        "stress": _stress(run),
        **({"repriced": str(manifest["repriced_from"])} if manifest.get("repriced_from") else {}),
        "version": f"{manifest.get('version', '')} ({commit})",
        "started": str(manifest.get("started_utc", "")).replace("T", " ").replace("+00:00", " UTC"),
    }
    return [(word(f"fact.{name}"), value) for name, value in told.items()]


def _precise(run: Run) -> str:
    """Return the precision that was asked for and which measures have it; nothing where none was asked for."""
    asked, word, table = run.settings.study.precision, run.words, run.if_there("precision")
    if asked is None or table.empty:
        return ""
    told = []
    for row in table.itertuples():
        state = "fact.always_nothing" if row.mean == 0 else "fact.precise" if row.reached else "fact.not_precise"
        relative = percent(row.relative, 1)
        told.append(word(state, measure=word.term("measure", row.measure), relative=relative, count=row.replications))
    return word("fact.precision_asked", asked=percent(asked, 1), told=word.join(told))


def _assign(run: Run) -> str:
    """Return where pupils are sent, and in town where that differs."""
    chosen, word = run.settings.assign, run.words
    apart = chosen.rule != "capacity" and chosen.town == "within_places"
    return word.join([word.term("assign", each) for each in (chosen.rule, *([chosen.town] if apart else []))])


def _stress(run: Run) -> str:
    pack, what = run.settings.stress, struck(run)
    if not pack.strikes:
        return what
    weeks = run.words.join([str(week) for week in pack.weeks])
    return run.words("fact.struck", what=what, weeks=weeks) if weeks else run.words("fact.always_struck", what=what)


def _fleet(run: Run) -> str:
    buses = run.settings.fleet.buses
    text = run.words("fact.as_needed") if buses is None else str(buses)
    beds = run.settings.lodge.beds_scale
    return run.words("fact.scales", buses=text, scale=f"{run.settings.fleet.scale:g}", beds=f"{beds:g}")


def _made_up(run: Run) -> bool:
    """Tell whether places or rolls of the county are made up: then the report says so at its head."""
    parts = [run.input(name) for name in ("hamlets.csv", "pupils.csv")]
    return any((origin(part["source"]) == "synthetic").any() for part in parts if "source" in part)


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
