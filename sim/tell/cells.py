"""Small cells: what is published never shows a group of one to four pupils."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

FEWEST = 5
"""Smallest group that a public report shows (MODEL.md, section 11)."""

HIDDEN = "*"
"""Stands where a number is hidden because of the group it speaks of, or so that it gives no other one away."""


def is_small(pupils: float) -> bool:
    """Tell whether a group is too small to be shown; no pupil at all is no group."""
    return 0 < pupils < FEWEST


def hidden(pupils: Sequence[float], public: bool, total_shown: bool = True, few: Sequence[bool] = ()) -> list[bool]:
    """Tell which of the cells of one row are hidden, so that none can be worked out from the row's total.

    Cells of 1-4 pupils are hidden, and those marked in `few`, which tell what 1-4 pupils live. When their total is
    shown and the hidden cells together would be found by subtraction (one hidden cell, or hidden cells that add up to
    fewer than 5), the next smallest is hidden too; beside cells of `few` an empty one, where nothing else is left.
    """
    hide = [public and (is_small(value) or small) for value, small in zip_longest(pupils, few, fillvalue=False)]
    while total_shown and any(hide) and not all(hide) and _found_out(pupils, hide):
        rest = [place for place, gone in enumerate(hide) if not gone and pupils[place] > 0]
        rest = rest or [place for place, gone in enumerate(hide) if few and not gone]
        if not rest:
            break
        hide[min(rest, key=lambda place: pupils[place])] = True
    return hide


def _found_out(pupils: Sequence[float], hide: Sequence[bool]) -> bool:
    """Tell whether the total less what is shown gives a hidden cell away."""
    gone = [value for value, away in zip(pupils, hide, strict=True) if away]
    return len(gone) == 1 or sum(gone) < FEWEST
