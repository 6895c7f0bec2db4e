"""Which accounts there are, and what one unit of each costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sim.config import Price, Settings
from sim.errors import BadInput, refusals


@dataclass(frozen=True, slots=True)
class Charge:
    """One account: what kind of money it is, what is counted, and which entry of the price list applies."""

    nature: str
    """capital, recurrent or transfer"""
    unit: str
    item: str
    """Entry of the price list; empty where the price stands in a county table."""
    payer: str = "county"
    payee: str = "outside"


ACCOUNTS: dict[str, Charge] = {
    "bed_place": Charge("capital", "bed", "bed_place"),
    "window_place": Charge("capital", "window", "window_place"),
    "canteen_seat_place": Charge("capital", "seat", "canteen_seat_place"),
    "project": Charge("capital", "project", ""),
    "bus_km": Charge("recurrent", "km", "bus_km"),
    "driver": Charge("recurrent", "post-year", "driver_year"),
    "attendant": Charge("recurrent", "post-year", "attendant_year"),
    "bus_insurance": Charge("recurrent", "bus-year", "bus_insurance_year"),
    "bed_night": Charge("recurrent", "bed-night", "bed_night"),
    "meal_breakfast": Charge("recurrent", "meal", "meal_breakfast"),
    "meal_lunch": Charge("recurrent", "meal", "meal_lunch"),
    "meal_dinner": Charge("recurrent", "meal", "meal_dinner"),
    "teacher": Charge("recurrent", "post-year", "teacher_year"),
    "life_teacher": Charge("recurrent", "post-year", "life_teacher_year"),
    "warden": Charge("recurrent", "post-year", "warden_year"),
    "canteen_worker": Charge("recurrent", "post-year", "canteen_worker_year"),
    "guard": Charge("recurrent", "post-year", "guard_year"),
    "public_funds_primary": Charge("transfer", "pupil-year", "public_funds_primary", "upper", "county"),
    "public_funds_junior": Charge("transfer", "pupil-year", "public_funds_junior", "upper", "county"),
    "small_school_floor": Charge("transfer", "pupil-year", "public_funds_primary", "upper", "county"),
    "lodger_supplement": Charge("transfer", "lodger-year", "lodger_supplement", "upper", "county"),
    "bus_aid": Charge("transfer", "bus", "upper_bus_purchase", "upper", "county"),
    "family_fare": Charge("transfer", "pupil-month", "family_fare_per_month", "family", "county"),
}
"""Accounts of the ledger. A transfer is booked twice: what `payer` gives, `payee` gets."""
EARMARKED = ("public_funds_primary", "public_funds_junior")
"""Transfers that pay for the schools' own running, which the ledger does not hold: what a payer bears in all
is told without them, or the county would seem to pay for its buses out of chalk money."""
BUS_PURCHASE = "bus_purchase_"
"""Every kind of bus has an account of its own, this and the kind's name, so that an account has one price."""
PROJECT_LIFE_YEARS = 30.0
"""Assumption: the works of a project last as long as a new dormitory."""


FURTHER = {
    "nutrition_meal": "meal_lunch",
    "small_school_floor_pupils": "small_school_floor",
    "fare_months_per_year": "family_fare",
}
"""Entries that accounts need beside the price of a unit."""


def missing_prices(settings: Settings) -> list[str]:
    """Return what the price list lacks of all that the accounts need; [] when nothing is missing."""
    bought = [f"{BUS_PURCHASE}{kind.name}" for kind in settings.fleet.kinds]
    bought += [account for account, charge in ACCOUNTS.items() if charge.nature == "capital"]
    return refusals(
        *(partial(life_years, settings, account) for account in bought),
        *(partial(unit_price, settings, account) for account in ACCOUNTS if account not in bought),
        *(partial(entry, settings, item, account) for item, account in FURTHER.items()),
        partial(share_of, settings, "family_meal_share", "meal_lunch"),
    )


def charge_of(account: str) -> Charge:
    """Return what an account is; those of the kinds of bus are made from the name."""
    if account.startswith(BUS_PURCHASE):
        return Charge("capital", "bus", f"bus_{account.removeprefix(BUS_PURCHASE)}")
    return ACCOUNTS[account]


def entry(settings: Settings, item: str, needed_by: str) -> Price:
    """Return an entry of the price list. Raises BadInput when it is missing."""
    if item not in settings.prices:
        raise BadInput(f"prices: no entry for {item}; the account {needed_by} needs it")
    return settings.prices[item]


def unit_price(settings: Settings, account: str) -> float:
    """Return the central price of one unit of an account in yuan."""
    return entry(settings, charge_of(account).item, account).central


def life_years(settings: Settings, account: str) -> float:
    """Return how many years what an account buys lasts. Raises BadInput when the price list does not say."""
    item = charge_of(account).item
    if not item:
        return PROJECT_LIFE_YEARS
    years = entry(settings, item, account).life_years
    if years is None:
        raise BadInput(f"prices.{item}.life_years: is missing; what is bought (account {account}) needs a lifetime")
    return years


def share_of(settings: Settings, item: str, needed_by: str) -> float:
    """Return a share of the price list, between 0 and 1. Raises BadInput when it is above 1."""
    share = entry(settings, item, needed_by).central
    if share > 1:
        raise BadInput(f"prices.{item}.central: {share} is more than the whole; a share is at most 1")
    return share


def meal_shares(settings: Settings, account: str) -> dict[str, float]:
    """Return who pays which share of a meal; the shares add up to 1.

    The nutrition aid of the upper levels pays lunch up to its amount; families pay `family_meal_share` of the
    rest and the county what is left.
    """
    price = unit_price(settings, account)
    aid = entry(settings, "nutrition_meal", account).central if account == "meal_lunch" else 0.0
    upper = min(1.0, aid / price) if price > 0 else 0.0
    family = (1.0 - upper) * share_of(settings, "family_meal_share", account)
    return {"upper": upper, "family": family, "county": max(0.0, 1.0 - upper - family)}
