"""The tables of a run's folder about rolls: how well they were forecast, and whether classrooms hold them."""

from __future__ import annotations

from sim.tables.closing import SCENARIO, SITE, YEAR, interval, run_file
from sim.tables.column import flag, number, text, whole

FORECAST_CHECK = run_file(
    "forecast_check.csv",
    "How the forecast made a year ago, from the history without its last year, stands against that year's rolls",
    "scenario year area_id",
    SCENARIO, YEAR,
    text("area_id", "Township, or `county`: all of them"),
    text("rates", "Rates behind it: assumed, estimated from history, or assumed as history was too short",
         allowed=("assumed", "estimated", "too_short")),
    whole("pupils", "Pupils on the roll of the year", "pupil"),
    number("forecast_pupils", "Pupils forecast a year before", "pupil"),
    number("low_80_pupils", "Low end of the forecast's 80 % interval", "pupil"),
    number("high_80_pupils", "High end of the forecast's 80 % interval", "pupil"),
    number("low_95_pupils", "Low end of the forecast's 95 % interval", "pupil"),
    number("high_95_pupils", "High end of the forecast's 95 % interval", "pupil"),
    whole("last_pupils", "Pupils on the roll a year before: the flat forecast", "pupil"),
    number("error_share", "Forecast less roll, as a share of the roll; null without pupils", "share", low=None,
           nullable=True),
)  # fmt: skip
CLASS_PLACES = run_file(
    "class_places.csv",
    "Places of the classrooms against the pupils who come, for every open school whose classrooms are told",
    "scenario year site_id",
    SCENARIO, YEAR, SITE,
    text("level", "Size of its classes; nine-year schools are primary", allowed=("primary", "junior")),
    flag("is_town", "1: a school of the county town"),
    whole("places", "Pupils its classrooms hold at the norm", "pupil"),
    whole("places_added", "Those of them that projects have added by this year", "pupil"),
    *interval("pupils", "Pupils who come", "pupil"),
    number("class_size_mean", "Pupils of a class: mean over replications", "pupil", nullable=True),
    number("over_mean", "Pupils beyond the places: mean over replications", "pupil"),
    number("unused_mean", "Places without a pupil: mean over replications", "pupil"),
    number("p_over", "Chance of more pupils than places", "share", high=1),
    number("expected_low_births", "Pupils expected if births are low, without luck", "pupil"),
    number("expected_medium_births", "Pupils expected if births are medium, without luck", "pupil"),
    number("expected_high_births", "Pupils expected if births are high, without luck", "pupil"),
)  # fmt: skip
