"""The back-test on New Hampshire: the reader gives the published errors, the recipe keeps its promises."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.validation


@pytest.fixture(scope="module")
def study(root: Path, validation: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("enrolment_study", root / "experiments" / "enrolment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.DATA = validation / "enrolment"
    module.DRAWS = 100
    return module


@pytest.fixture(scope="module")
def told(study: ModuleType) -> pd.DataFrame:
    return study.district_errors()


def test_the_plain_recipe_errs_as_published_and_ours_no_more_than_half_a_point_off(study: ModuleType) -> None:
    found = study.state_errors().query("base == 2015")
    np.testing.assert_allclose(found["plain"], [-0.41, -1.22, -1.95, -2.41], atol=0.006)
    assert (found["recipe"] - found["plain"]).abs().max() < 0.5


def test_districts_are_foretold_better_than_by_as_many_as_now(study: ModuleType, told: pd.DataFrame) -> None:
    ratio = study.errors_by(told, "size")["recipe_to_flat"]
    assert (ratio <= pd.Series({"<100": 1.0, "100-299": 0.90, "300-999": 0.90, ">=1000": 0.80})).all()


def test_five_years_from_2014_flat_errs_as_published(study: ModuleType, told: pd.DataFrame) -> None:
    far = study.errors_by(told.query("base == 2014 and ahead == 5"), "size")
    assert far["districts"].iloc[:2].tolist() == [9, 22]
    np.testing.assert_allclose(far["flat"].iloc[:2], [14.2, 10.5], atol=0.06)
    assert (far["plain"] > far["flat"]).iloc[:2].all()


def test_intervals_hold_what_they_promise(study: ModuleType, told: pd.DataFrame) -> None:
    whole, by_size = study.coverage_by(told).loc["all"], study.coverage_by(told, "size")
    assert 0.74 <= whole["0.80"] <= 0.90
    assert whole["0.95"] >= 0.92
    assert by_size["0.80"].between(0.74, 0.90).all()
