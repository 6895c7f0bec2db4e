"""Settings about idle campuses: what becomes of the land and buildings of closed schools."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from sim.config.kinds import Amount, Count, Group, Positive, PositiveCount, Share

People = Literal["aged_3_to_5", "under_3", "left_behind", "pupils", "nobody"]
"""Who is counted within reach of a campus."""


class Use(Group):
    """A use of idle campuses, and what it needs."""

    use: Literal["preschool", "activity_centre", "childcare", "left_behind_home", "seniors_room", "public_use"]
    """What the campus becomes."""
    least_m2: Amount
    """Smallest floor area that will do."""
    counts: People
    """Who is counted within reach: children of 3 to 5 years or under 3 (from births), pupils whose parents work away,
    all pupils, or nobody in particular."""
    comes_share: Share
    """Share of those counted who would come; the others have a place elsewhere, or want none."""
    least_people: Amount
    """Fewest who must come for it to be opened."""
    m2_each: Amount
    """Floor area that each of them needs: a campus takes no more people than it has room for, and those it takes are
    not counted again for the same use elsewhere; 0: it takes all within reach."""
    per_township: Count
    """Most campuses of one township that get this use."""

    @model_validator(mode="after")
    def _somebody_comes(self) -> Use:
        """Refuse a use that waits for people whom nobody counts."""
        if self.counts == "nobody" and self.least_people > 0:
            raise ValueError(
                f"least_people: {self.least_people:g} of nobody can never come; use 0, or say in counts who is counted"
            )
        return self


class Campus(Group):
    """What becomes of the campuses of closed schools: who owns them, who uses them, and what is let or sold."""

    owner_after: Literal["county", "county_company"]
    """Who owns a county's campus once its school is closed: the county, or the county's own company, which is no
    income."""
    uses: Annotated[tuple[Use, ...], Field(min_length=1)]
    """Uses in order of priority: each is offered the campuses that those before it have left."""
    reach_km: Positive
    """Whoever lives so near by road is counted for a campus."""
    begins_after_years: Count
    """Years from closing until a new use or a lease begins; until then the campus is idle."""
    let_from_m2: Amount | None
    """Campuses of at least this floor area that no use takes are let; null: none is."""
    sell_after_years: PositiveCount | None
    """Campuses that are neither used nor let are sold so many years after closing; null: none is."""
    m2_per_place: Positive
    """Floor area of a pupil place, for schools whose area campuses.csv does not tell."""
    places_per_class: Positive
    """Pupil places of a classroom of theirs; where no table tells classrooms, they have one for each grade."""

    @field_validator("uses")
    @classmethod
    def _once(cls, uses: tuple[Use, ...]) -> tuple[Use, ...]:
        """Refuse a use that is listed twice."""
        names = [one.use for one in uses]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is listed more than once; keep one entry for each use")
        return uses
