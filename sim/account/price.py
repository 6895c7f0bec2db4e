"""Which accounts there are, what one unit of each costs, and who pays which share of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sim.config import Price, Settings
from sim.config.money import Payer, Purse
from sim.errors import BadInput, refusals
from sim.plan.payroll import POSTS
from sim.units import DIGITS


@dataclass(frozen=True, slots=True)
class Charge:
    """One account: what kind of money it is, what is counted, which price applies, and who pays."""

    nature: str
    """capital, recurrent, transfer or income"""
    unit: str
    item: str
    """Entry of the price list; empty where amounts of yuan are counted, each at 1 yuan."""
    purpose: str
    """What it serves: bus, lodge, dine, wash, school, staff, town, campus or aid."""
    purse: Purse | Literal[""] = ""
    """Whose shares of `account.payers` apply; empty where `payer` is named."""
    payer: str = "county"
    payee: str = "outside"
    counts: str = ""
    """Item of quantities.parquet; empty: the one named as the account."""


def _building(unit: str, purpose: str, item: str = "") -> Charge:
    return Charge("capital", unit, item, purpose, "buildings")


def _aid(unit: str, item: str, purpose: str = "aid", counts: str = "", parties: tuple[str, str] = ("", "")) -> Charge:
    payer, payee = parties if parties[0] else ("upper", "county")
    return Charge("transfer", unit, item, purpose, payer=payer, payee=payee, counts=counts)


HARDSHIP = tuple(f"hardship_{mode}_{level}" for mode in ("lodger", "day") for level in ("primary", "junior"))
"""Living aid of pupils in hardship, by how they attend and by level."""
STOCKS: dict[str, Charge] = {
    "stop_place": _building("stop", "bus", "stop_place"),
    "bed_place": _building("bed", "lodge", "bed_place"),
    "canteen_seat_place": _building("seat", "dine", "canteen_seat_place"),
    "window_place": _building("window", "dine", "window_place"),
    "kitchen_meal": _building("meal", "dine", "kitchen_meal"),
    "tap_place": _building("tap", "wash", "tap_place"),
    "basin_place": _building("basin", "wash", "basin_place"),
    "toilet_place": _building("toilet", "wash", "toilet_place"),
    "shower_place": _building("shower", "wash", "shower_place"),
    "class_place": _building("class place", "school", "class_place"),
    "town_place": Charge("capital", "class place", "town_place", "town", "town_places"),
    "living_room": _building("room", "lodge", "living_room"),
    "road_safety_km": _building("km of road", "bus", "road_safety_km"),
    "teacher_flat": _building("flat", "staff", "teacher_flat"),
}
"""What is bought so that enough is there, wears out, and is bought again."""
WHERE_POSTS_SERVE = {"life_teacher": "lodge", "warden": "lodge", "canteen_worker": "dine"}
RETIRED = "post_retired_"
"""Posts of people without work who have left the payroll: this and what they were."""
ACCOUNTS: dict[str, Charge] = {
    **STOCKS,
    "project": Charge("capital", "yuan", "", "school", "buildings"),
    "bus_km": Charge("recurrent", "km", "bus_km", "bus", "bus_running"),
    "driver": Charge("recurrent", "post-year", "driver_year", "bus", "bus_running"),
    "attendant": Charge("recurrent", "post-year", "attendant_year", "bus", "bus_running"),
    **{
        f"bus_{what}": Charge("recurrent", "bus-year", f"bus_{what}_year", "bus", "bus_running", counts="buses_owned")
        for what in ("insurance", "inspection")
    },
    "line_bus_ride": Charge("recurrent", "ride", "line_bus_ride", "bus", "public_bus"),
    "bed_night": Charge("recurrent", "bed-night", "bed_night", "lodge", "staff"),
    "meal_breakfast": Charge("recurrent", "meal", "meal_breakfast", "dine", "food"),
    "meal_lunch": Charge("recurrent", "meal", "meal_lunch", "dine", "food"),
    "meal_dinner": Charge("recurrent", "meal", "meal_dinner", "dine", "food"),
    **{
        post: Charge("recurrent", "post-year", f"{post}_year", WHERE_POSTS_SERVE.get(post, "staff"), "staff")
        for post in POSTS
    },
    "school_upkeep": Charge("recurrent", "school-year", "campus_upkeep_year", "campus", "campuses"),
    "campus_upkeep": Charge("recurrent", "m2-year", "campus_idle_m2", "campus", "campuses", counts="campus_idle_m2"),
    "public_funds_primary": _aid("pupil-year", "public_funds_primary", "school"),
    "public_funds_junior": _aid("pupil-year", "public_funds_junior", "school"),
    "small_school_floor": _aid("pupil-year", "public_funds_primary", "school", "small_school"),
    "floor_kept": _aid("pupil-year", "public_funds_primary", "school", "closed_small_school"),
    "lodger_supplement": _aid("lodger-year", "lodger_supplement", "lodge", "lodgers"),
    "bus_aid": _aid("bus", "upper_bus_purchase", "bus"),
    "bus_service_reward": _aid("rider-year", "bus_service_reward", "bus", "riders"),
    "nutrition_aid": _aid("meal", "nutrition_meal", "aid", "meal_lunch", ("upper", "family")),
    **{name: Charge("transfer", "pupil-year", name, "aid", "aid", payee="family") for name in HARDSHIP},
    "family_fare": _aid("pupil-month", "family_fare_per_month", "bus", "riders", ("family", "county")),
    "fare_waived": _aid("pupil-month", "family_fare_per_month", "aid", "riders_hardship", ("county", "family")),
    "campus_lease": Charge("income", "m2-year", "campus_lease_m2", "campus", counts="campus_let_m2"),
    "campus_sale": Charge("income", "m2", "campus_sale_m2", "campus", counts="campus_sold_m2"),
    **{
        f"{RETIRED}{post}": Charge("income", "post-year", f"{post}_year", "staff", "staff", counts=f"idle_{post}")
        for post in POSTS
    },
}
"""Accounts of the ledger. A transfer is booked twice: what `payer` gives, `payee` gets."""
EARMARKED = ("public_funds_primary", "public_funds_junior")
"""Transfers that pay for the schools' own running, which the ledger does not hold: what a payer bears in all
is told without them, or the county would seem to pay for its buses out of chalk money."""
BUS_PURCHASE = "bus_purchase_"
"""Every kind of bus has an account of its own, this and the kind's name, so that an account has one price."""
PAYERS: tuple[Payer, ...] = ("county", "upper", "family")
TINY = 1e-9


def accounts(settings: Settings) -> Iterator[str]:
    """Name every account that a ledger of these settings may have."""
    yield from (f"{BUS_PURCHASE}{kind.name}" for kind in settings.fleet.kinds)
    yield from ACCOUNTS


def missing_prices(settings: Settings) -> list[str]:
    """Return what is wrong with the price list for all that the accounts need; [] when nothing is."""
    bought = [account for account in accounts(settings) if charge_of(account).nature == "capital"]
    return refusals(
        *(partial(life_years, settings, account) for account in bought),
        *(partial(unit_price, settings, account) for account in ACCOUNTS if account not in bought),
        partial(_aid_within_the_meal, settings),
        partial(_kinds_of_buses_there, settings),
        partial(entry, settings, "family_km", "family_cost"),
    )


def charge_of(account: str) -> Charge:
    """Return what an account is; those of the kinds of bus are made from the name."""
    if account.startswith(BUS_PURCHASE):
        return Charge("capital", "bus", f"bus_{account.removeprefix(BUS_PURCHASE)}", "bus", "bus_purchase")
    return ACCOUNTS[account]


def entry(settings: Settings, item: str, needed_by: str) -> Price:
    """Return an entry of the price list. Raises BadInput when it is missing."""
    if item not in settings.prices:
        raise BadInput(f"prices: no entry for {item}; the account {needed_by} needs it")
    return settings.prices[item]


def unit_price(settings: Settings, account: str) -> float:
    """Return the central price of one unit of an account in yuan."""
    item = charge_of(account).item
    return entry(settings, item, account).central if item else 1.0


def life_years(settings: Settings, account: str) -> float:
    """Return how many years what an account buys lasts. Raises BadInput when the price list does not say."""
    item = charge_of(account).item
    if not item:
        return settings.account.project_life_years
    years = entry(settings, item, account).life_years
    if years is None:
        raise BadInput(f"prices.{item}.life_years: is missing; what is bought (account {account}) needs a lifetime")
    return years


def shares(settings: Settings, account: str) -> dict[str, float]:
    """Return who pays which share of an account, to a millionth; the first who pays bears the rest to 1."""
    charge = charge_of(account)
    if not charge.purse:
        return {charge.payer: 1.0}
    told = settings.account.payers[charge.purse]
    first, *others = [payer for payer in PAYERS if told.get(payer, 0.0) > 0]
    parts: dict[str, float] = {payer: round(told[payer], DIGITS) for payer in others}
    return {first: round(1.0 - sum(parts.values()), DIGITS), **parts}


def _kinds_of_buses_there(settings: Settings) -> None:
    """Refuse buses of a kind that the fleet does not have."""
    known = [kind.name for kind in settings.fleet.kinds]
    unknown = [kind for kind, many in settings.account.buses_there.items() if many > 0 and kind not in known]
    if unknown:
        raise BadInput(f"account.buses_there: {', '.join(unknown)} is no kind of bus; known are {', '.join(known)}")


def _aid_within_the_meal(settings: Settings) -> None:
    """Refuse an aid for lunch that is more than families pay for it: they would be paid for eating."""
    aid, lunch = (entry(settings, item, "nutrition_aid").central for item in ("nutrition_meal", "meal_lunch"))
    share = settings.account.payers["food"].get("family", 0.0)
    if aid > lunch * share + TINY:
        says = (
            f"{aid:g} is more than families pay for a lunch: prices.meal_lunch {lunch:g} x account.payers.food.family"
        )
        raise BadInput(f"prices.nutrition_meal.central: {says} {share:g}")
