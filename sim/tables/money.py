"""The tables of a run's folder about money: the ledger added up, spread, compared."""

from __future__ import annotations

from sim.tables.closing import SCENARIO, SITE, YEAR, interval, run_file
from sim.tables.column import Column, Table, flag, number, text, whole

PAYERS = ("county", "upper", "family", "outside")
NATURES = ("capital", "recurrent", "transfer", "income")

ACCOUNT = text("account", "What is paid for; total: everything, without the earmarked transfers in payers' totals")
PAYER = text("payer", "Who pays; all: together", allowed=(*PAYERS, "all"))


def _quantiles(stem: str, over: str, unit: str) -> tuple[Column, ...]:
    """Declare the median, 80 % and 95 % quantile."""
    return tuple(
        number(f"{stem}p{percent}", f"{percent} % quantile over {over}", unit, low=None) for percent in (50, 80, 95)
    )


def _spread(meaning: str, unit: str) -> tuple[Column, ...]:
    """Declare mean, interval of the mean, and quantiles over luck and prices."""
    return (*interval("", meaning, unit), *_quantiles("", "replications and price draws", unit))


ACCOUNTS = run_file(
    "accounts.csv",
    "The chart of accounts: what is counted, which price applies, and who shares the cost",
    "scenario account",
    SCENARIO,
    text("account", "Account of the ledger"),
    text("nature", "Kind of amount", allowed=NATURES),
    text("purpose", "What it serves"),
    text("unit", "Unit of the quantity"),
    text("item", "Entry of the price list; null: the quantity is in yuan", nullable=True),
    text("counts", "Item of quantities.parquet that is counted"),
    text("purse", "Whose shares of `account.payers` apply; null: payer and payee are fixed", nullable=True),
    text("payer", "Who pays, where no purse says so"),
    text("payee", "Who is paid"),
    number("life_years", "Years that what is bought lasts", "year", nullable=True),
    flag("in_total", "The totals of the payers count it; else it pays for what the ledger does not hold"),
)  # fmt: skip
BUDGET = run_file(
    "budget.csv",
    "The ledger added up by year, account and payer, with its spread; lines named total add up",
    "scenario year account nature payer",
    SCENARIO, YEAR, ACCOUNT,
    text("nature", "Nature of the money; all: together", allowed=(*NATURES, "all")),
    PAYER,
    *_spread("Cash of the year, at central prices", "yuan"),
    *_quantiles("luck_", "replications, at central prices", "yuan"),
    number("annualised", "Mean with purchases spread over their lives", "yuan", low=None),
    number("residual", "Value left, at the end of the last year, of what was bought in the year; straight line", "yuan",
           low=None),
    number("npv", "Mean discounted to the first year", "yuan", low=None),
    number("npv_residual", "Residual discounted to the first year, from the end of the last", "yuan", low=None),
    number("nominal", "Mean with inflation since the first year", "yuan", low=None),
    whole("replications", "Replications behind it", low=1),
)  # fmt: skip
BUDGET_SITES = run_file(
    "budget_sites.csv",
    "The ledger added up by year, school and payer, with its spread",
    "scenario year site_id payer",
    SCENARIO, YEAR, SITE, PAYER,
    *_spread("Cash of the year, at central prices", "yuan"),
)  # fmt: skip
ALL_YEARS = run_file(
    "all_years.csv",
    "All years added up, for each payer, with the spread of the sum; with a base case also the difference to it",
    "scenario against payer measure",
    SCENARIO,
    text("against", "What it is less: nothing, or the same of not closing", allowed=("nothing", "not_closing")),
    PAYER,
    text("measure", "As paid, discounted to the first year, and less what is left of purchases at the end of the last",
         allowed=("cash", "present", "present_less_residual")),
    *_spread("Sum of the years, at central prices", "yuan"),
    number("p_below", "Share of replications and price draws in which it is below zero", "share", high=1),
)  # fmt: skip
CAPITAL = run_file(
    "capital.csv",
    "What is bought, when it is replaced, what it costs a year and what is left of it; means, at central prices",
    "scenario year account",
    SCENARIO, YEAR,
    text("account", "What is bought"),
    number("bought", "Bought in the year", "unit"),
    number("replaced", "Of it, in place of what wore out in the year at the same site", "unit"),
    text("unit", "Unit of what is bought"),
    number("unit_price_yuan", "Price of one", "yuan"),
    number("mean", "Paid in the year, by all payers together", "yuan"),
    number("life_years", "How long it lasts", "year"),
    number("in_service", "Bought so far and not worn out; without what was there before", "unit"),
    number("annual", "Cost a year of all in service, spread over their lives", "yuan"),
    number("residual", "Value left, at the end of the last year, of what was bought in the year", "yuan"),
)  # fmt: skip
UNIT_COSTS = run_file(
    "unit_costs.csv",
    "What one of everything costs a year, purchases spread over their lives, and how well buses are used",
    "scenario year measure",
    SCENARIO, YEAR,
    text("measure", "What is divided by what"),
    *_spread("Value, at central prices", ""),
    text("unit", "Unit"),
)  # fmt: skip
DRIVERS = run_file(
    "drivers.csv",
    "What drives the spread of the mean yearly cost: luck, and each uncertain price, one at a time",
    "scenario payer driver",
    SCENARIO,
    text("payer", "Whose cost; all: together", allowed=("all", "county")),
    text("driver", "luck, or an entry of the price list"),
    number("low", "Mean yearly cost when only this one is at its 10 % quantile for the cost", "yuan", low=None,
           nullable=True),
    number("high", "The same at its 90 % quantile", "yuan", low=None, nullable=True),
    number("share", "Share of the variances, each taken alone", "share", high=1, nullable=True),
)  # fmt: skip
BANDS = run_file(
    "bands.csv",
    "Costs of one of everything, over all years, beside those of real counties",
    "scenario band",
    SCENARIO,
    text("band", "Entry of the settings `bands`"),
    text("measure", "Measure of unit_costs.csv"),
    *interval("value", "Value over all years", ""),
    number("band_low", "Low end of the band"),
    number("band_high", "High end of the band"),
    flag("inside", "The mean lies in the band"),
    text("because", "Accounts that make most of the cost, with shares: account:share;account:share", nullable=True),
    text("source", "Where the band comes from"),
    whole("year", "Year the band's figure is from", "year"),
)  # fmt: skip
NET = run_file(
    "net.csv",
    "Cost less that of not closing, in the same luck and at the same drawn prices (`account.base=not_closing`)",
    "scenario year account payer",
    SCENARIO, YEAR, ACCOUNT, PAYER,
    *_spread("Difference of the year's cash, at central prices; positive: closing costs more", "yuan"),
    number("p_cheaper", "Share of replications and price draws in which closing costs less", "share", high=1),
)  # fmt: skip

MONEY_TABLES: tuple[Table, ...] = (
    ACCOUNTS, BUDGET, BUDGET_SITES, ALL_YEARS, CAPITAL, UNIT_COSTS, DRIVERS, BANDS, NET,
)  # fmt: skip
