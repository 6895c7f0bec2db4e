"""Every setting of a run: what it means, which values it may take, and where the chosen value comes from.

`load` composes the YAML files of `configs/` with what a person typed into a frozen `Settings`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from sim.config.band import Band
from sim.config.campus import Campus, Use
from sim.config.close import Assign, Closure, ClosureStep, NamedClosure
from sim.config.enrol import Enrol, Recipe
from sim.config.hazard import SKIES, Health, Sky, Stress, Weather
from sim.config.kinds import AnyCount, Group, Name
from sim.config.money import HARMS, Account, Judge, Limit, Price
from sim.config.pupils import (
    CONFIGS,
    Bells,
    CountyChoice,
    PlanBasis,
    Staff,
)
from sim.config.school import Dine, Lodge, Peak, Shift, Wash
from sim.config.service import BusKind, Fleet, Road
from sim.config.work import CalendarChoice, Executor, Report, Study
from sim.errors import BadInput
from sim.units import MINUTES_PER_DAY

__all__ = [
    "CONFIGS",
    "HARMS",
    "LENGTH",
    "MONEY",
    "SKIES",
    "Account",
    "Assign",
    "BadInput",
    "Band",
    "Bells",
    "BusKind",
    "CalendarChoice",
    "Campus",
    "Closure",
    "ClosureStep",
    "CountyChoice",
    "Dine",
    "Enrol",
    "Executor",
    "Fleet",
    "Health",
    "Judge",
    "Limit",
    "Lodge",
    "NamedClosure",
    "Peak",
    "PlanBasis",
    "Price",
    "Recipe",
    "Report",
    "Road",
    "Settings",
    "Shift",
    "Sky",
    "Staff",
    "Stress",
    "Study",
    "Use",
    "Wash",
    "Weather",
    "load",
]

GRADES = 9
LENGTH = ("years", "replications", "replications_most", "precision", "precision_measures")
"""Keys of `study` that say how much is lived: a study can be made longer, and what was lived stays."""
MONEY = ("prices", "account", "bands")
"""Groups of settings that change no day that is lived: what was lived can be priced again."""


class Settings(Group):
    """All settings of one scenario."""

    seed: AnyCount
    """Root of all luck: the same seed gives the same results."""
    scenario: Name
    """Name of the scenario; its folder in the study."""
    county: CountyChoice
    """Which county."""
    enrol: Enrol
    """How many pupils come."""
    closure: Closure
    """Which schools close."""
    assign: Assign
    """Who goes to which school."""
    campus: Campus
    """What becomes of the campuses of closed schools."""
    plan: PlanBasis
    """What the plan is made for."""
    road: Road
    """How fast one travels."""
    fleet: Fleet
    """Buses."""
    lodge: Lodge
    """Beds."""
    dine: Dine
    """Meals."""
    wash: Wash
    """Water and toilets."""
    bells: Bells
    """Times of the school day."""
    weather: Weather
    """What the weather does."""
    health: Health
    """Illness."""
    staff: Staff
    """Posts by norm."""
    calendar: CalendarChoice
    """Weeks lived."""
    stress: Stress
    """What goes wrong on purpose."""
    prices: Mapping[str, Price]
    """The price list: one entry for each thing."""
    bands: Mapping[str, Band]
    """What real counties pay: one entry for each figure."""
    limits: Mapping[str, Limit]
    """The standards: one entry for each."""
    account: Account
    """How money is added up."""
    judge: Judge
    """How harm is weighed."""
    report: Report
    """What is told, to whom."""
    executor: Executor
    """Where the work is done."""
    study: Study
    """How often, how long, where to."""

    @model_validator(mode="after")
    def _buses_have_prices(self) -> Settings:
        """Refuse a kind of bus without a price."""
        missing = [f"bus_{kind.name}" for kind in self.fleet.kinds if f"bus_{kind.name}" not in self.prices]
        if missing:
            raise ValueError(f"prices: no entry for {', '.join(missing)}; every kind of bus needs its price")
        return self

    @model_validator(mode="after")
    def _meals_fit_the_day(self) -> Settings:
        """Refuse meals of which, with all their sittings, the last bell rings when the next meal has begun."""
        dine, bells = self.dine, self.bells
        sittings = min(dine.sittings_most, GRADES)  # a grade eats in one of them
        meal_min = sittings * (dine.bell_after_min + dine.sittings_gap_min) - dine.sittings_gap_min
        meals = (
            ("breakfast_min", meal_min + dine.breakfast_wait_min, "bells.lunch_min", bells.lunch_min),
            ("lunch_min", meal_min, "bells.dinner_min", bells.dinner_min),
            ("dinner_min", meal_min, "midnight", MINUTES_PER_DAY),
            ("late_dinner_min", dine.bell_after_min, "midnight", MINUTES_PER_DAY),
        )
        ends = [(meal, getattr(bells, meal) + length, then, begins) for meal, length, then, begins in meals]
        late = [
            f"the meal at bells.{meal} ({getattr(bells, meal):g}) lasts until {end:g}, beyond {then} ({begins:g})"
            for meal, end, then, begins in ends
            if end > begins
        ]
        if late:
            keys = ("sittings_most", "bell_after_min", "sittings_gap_min", "breakfast_wait_min")
            given = ", ".join(f"dine.{key} {getattr(dine, key):g}" for key in keys)
            raise ValueError(f"dine: with {given}, {'; '.join(late)}")
        return self

    @model_validator(mode="after")
    def _bells_move_with_the_plan(self) -> Settings:
        """Refuse to choose bells for runs whose times are given."""
        if self.bells.windows and self.fleet.runs != "plan":
            raise ValueError(
                f"bells.windows: first bells can be chosen for planned runs only, and fleet.runs is {self.fleet.runs}; "
                "choose fleet.runs=plan, or take the windows away"
            )
        return self

    @model_validator(mode="after")
    def _buses_arrive_after_midnight(self) -> Settings:
        """Refuse first bells so early that the window in which buses arrive begins the day before."""
        bells, fleet = self.bells, self.fleet
        for key, before in (
            ("primary_first_min", fleet.arrive_earliest_before_bell_min),
            ("junior_first_min", fleet.arrive_earliest_before_bell_min),
            ("lodger_monday_min", fleet.lodger_window_min),
        ):
            if getattr(bells, key) < before:
                raise ValueError(
                    f"bells.{key}: buses may arrive {before:g} min before the bell at {getattr(bells, key):g}, "
                    "which is the day before"
                )
        return self

    @model_validator(mode="after")
    def _buses_come_before_beds_are_found(self) -> Settings:
        """Refuse second runs home that set out when those they are for already stay for the night."""
        last, stay = self.fleet.second_run_home_latest_min, self.bells.late_dinner_min
        if last > stay:
            raise ValueError(
                f"fleet.second_run_home_latest_min: {last:g} is after bells.late_dinner_min ({stay:g}), when whoever "
                "is not on a bus home stays for the night"
            )
        return self

    def hash(self, *without: str) -> str:
        """Return a fingerprint of everything that can change a number (not of report, workers or place).

        SHA-256 in hexadecimal over the settings as JSON with sorted keys, `without` some groups or keys of `study`.
        """
        kept: dict[str, Any] = self.model_dump(mode="json", exclude={"report", "executor", *without})
        kept["study"] = {key: kept["study"][key] for key in sorted({*kept["study"]} - {"out", "workers", *without})}
        text = json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def load(overrides: list[str] | tuple[str, ...] = ()) -> Settings:
    """Return the settings that a person asked for, for example `load(["fleet.scale=1.2", "closure=none"])`.

    Raises BadInput that names the key and says what would be right.
    """
    from sim.config.compose import compose, refuse_sweep, settings_from

    tree = compose(list(overrides))
    refuse_sweep(overrides)
    return settings_from(tree, overrides)
