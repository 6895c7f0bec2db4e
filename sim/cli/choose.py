"""A choice: many plans, of which the cheapest is wanted that holds its limits, and how sure that is."""

from __future__ import annotations

import sys

import pandas as pd
from rich.console import Console
from rich.table import Table

from sim.choose.answer import choose as contest
from sim.choose.plans import Plans
from sim.cli import DONE, OUR_FAULT
from sim.cli.show import WIDTH_OF_A_FILE
from sim.config.multirun import scenarios
from sim.errors import BadInput
from sim.tell.choose import Choice
from sim.tell.page import choice_page

MILLION = 1_000_000
SHOWN = ("best", "indistinguishable", "near_optimal", "undecided")
MOST_SHOWN = 12


def choose(overrides: list[str]) -> int:
    """Choose among all plans of the lists of values, write and show the answer, and return the exit code.

    All settings, the county's tables and the output folder are checked before the first plan is lived.
    """
    if any(word.split("=")[0] == "study.replications" for word in overrides):
        raise BadInput(
            "study.replications: a choice decides itself how often plans are lived; see choose.replications_first, "
            "choose.replications_most and choose.confirm_replications."
        )
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_A_FILE)
    plans = Plans(tuple(scenario.settings for scenario in scenarios(overrides)), console.print)
    console.print(f"{len(plans.settings)} plans that differ in {', '.join(plans.swept)}.")
    folder = contest(plans)
    page = choice_page(folder.path)
    _show(Choice(folder.path), console)
    console.print(f"Answer: {page}", soft_wrap=True)
    told = Console(stderr=True)
    for plan, fault in plans.faults.items():
        told.print(f"Plan {plans.settings[plan].scenario} failed: {fault}", markup=False, soft_wrap=True)
    return OUR_FAULT if plans.faults else DONE


def _show(choice: Choice, console: Console) -> None:
    """Show the best plan and those beside it, then the answer in words."""
    table = Table(title="Plans: the best, those beside it, and the nearest")
    for name in (*choice.notes["swept"], "", "no."):
        table.add_column(name, overflow="fold")
    for name in ("million yuan a year", "more than the best", "limits hold in"):
        table.add_column(name, justify="right", overflow="fold")
    rows = choice.rows[choice.rows["status"].isin(SHOWN) | (choice.rows.index == choice.notes["nearest"])]
    for _, row in rows.head(MOST_SHOWN).iterrows():
        more = "" if pd.isna(row["diff_mean"]) or row["status"] == "best" else f"{row['diff_mean'] / MILLION:+,.2f}"
        number = "" if pd.isna(row["alternative"]) else str(row["alternative"])
        holds = (
            ""
            if pd.isna(row["chance"])
            else f"{row['chance']:.0%} ({row['chance_low']:.0%} - {row['chance_high']:.0%})"
        )
        told = row["status"].replace("_", " ")
        table.add_row(*choice.settings(row), told, number, f"{row['cost_mean'] / MILLION:,.2f}", more, holds)
    console.print(table)
    for sentence in (*choice.answer(), choice.guarantee()[0]):
        console.print(sentence, soft_wrap=True)
