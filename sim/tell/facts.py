"""What was run: the choices that matter, as label and value; and how the run and its county are called."""

from __future__ import annotations

from sim.tell.number import percent
from sim.tell.run import Run, origin
from sim.tell.stress import struck


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


def made_up(run: Run) -> bool:
    """Tell whether places or rolls of the county are made up: then the report says so at its head."""
    parts = [run.input(name) for name in ("hamlets.csv", "pupils.csv")]
    return any((origin(part["source"]) == "synthetic").any() for part in parts if "source" in part)
