"""Weeks are written on paper used before; nothing that stood there is ever read."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
from living import BY_HEART, job

from sim import live
from sim.chance import YearLuck
from sim.operate.stage import stage


def test_a_year_on_used_paper_is_that_on_new_paper(monkeypatch):
    used, villages = live._Desk(), job(*BY_HEART, "calendar.weeks_per_year=3")
    new = live.live_year(villages, 0, 0)
    used.roll = np.full(1 << 20, 65, dtype=np.uint8)
    monkeypatch.setattr(live, "_DESK", used)
    again = live.live_year(villages, 0, 0)
    assert 0 < used.used <= len(used.roll)
    for name, table in new.items():
        pd.testing.assert_frame_equal(table, again[name], check_exact=True, obj=name)


def test_weeks_of_other_sizes_share_one_roll_and_no_two_pages_overlap():
    villages, desk = job(*BY_HEART), live._Desk()
    luck, plan = YearLuck(villages.settings.seed, 0, villages.plan.years[0].year), villages.plan.years[0]
    coming = live.counts(villages, 0)[0]
    set_up = stage(villages.county, villages.settings, villages.ways, plan, coming, luck, 1)
    desk.sheet(set_up, 5)
    for days in (5, 2, 4):
        luck_paper, diary = desk.sheet(set_up, days)
        pages = [getattr(diary, kind.name) for kind in fields(diary)] + [luck_paper.meals]
        assert diary.sky.shape == (days, 2)
        for k, page in enumerate(pages):
            page.fill(k % 2 if page.dtype == bool else k)
        assert all((page == (k % 2 if page.dtype == bool else k)).all() for k, page in enumerate(pages))
        assert all(np.shares_memory(page, desk.roll) for page in pages if page.size)
