"""The copied figures of queueing theory are those of the validation folder, where it is there."""

from __future__ import annotations

import csv

import pytest

EXACT = {
    ("M/M/c", "Wq"): ["4.2631578947", "0.5541125541", "0.5875164505", "0.6687315241", "0.2753845024"],
    ("M/D/c", "Wq"): ["0.17674106", "2.14692321", "0.55390023", "0.03065319", "0.77669516", "0.10982779"],
    ("M/G/1", "Wq"): ["2.5", "10.0"],
    ("M^X/M/c", "Lq;Wq;L;p0"): ["12.79629630", "6.00431034"],
    ("M/M/1", "Lq;Wq;W"): ["2.25"],
    ("M/M/3", "p0;W"): ["0.4814815"],
    ("G/G/c Allen-Cunneen (approx)", "Wq approx"): ["0.46596287", "0.50154864"],
}


@pytest.mark.validation
@pytest.mark.parametrize(("model", "metric"), EXACT, ids=[model for model, _ in EXACT])
def test_the_figures_used_stand_in_the_table_of_known_values(validation, model, metric):
    with (validation / "queueing" / "known_values.csv").open(encoding="utf-8", newline="") as file:
        values = [row["value"] for row in csv.DictReader(file) if (row["model"], row["metric"]) == (model, metric)]
    for figure in EXACT[model, metric]:
        assert any(figure in value for value in values)
