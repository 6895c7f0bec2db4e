"""Settings about roads and buses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sim.config.kinds import (
    Amount,
    AnyCount,
    ClockMin,
    Count,
    Counts,
    Group,
    Positive,
    PositiveCount,
    Scale,
    Share,
    Speed,
    Switch,
    Text,
    Word,
)

ROAD_CLASSES = ("national", "county", "township", "village")
BENDS = ("straight", "bends", "sharp", "steep")


class Road(Group):
    """How fast one can travel."""

    speed_km_per_h: Mapping[str, Speed]
    """Free speed by class of road."""
    bend_speed_km_per_h: Mapping[str, Speed]
    """Highest speed by bends and slope of a road."""
    cap_km_per_h: Speed
    """Legal limit of a school bus."""
    cap_adverse_km_per_h: Speed
    """Legal limit of a school bus on sharp bends, steep or narrow roads, ice and fog."""
    walk_km_per_h: Annotated[float, Field(gt=0, le=10, strict=True, allow_inf_nan=False)]
    """Walking speed of a pupil."""

    @model_validator(mode="after")
    def _every_road(self) -> Road:
        """Refuse speeds that leave out a class of road or bend, or invent one."""
        for key, wanted in (("speed_km_per_h", ROAD_CLASSES), ("bend_speed_km_per_h", BENDS)):
            if set(getattr(self, key)) != set(wanted):
                raise ValueError(f"{key}: needs exactly one speed for each of {', '.join(wanted)}")
        return self


class BusKind(Group):
    """A size of school bus."""

    name: Word
    """Short name; its price is `prices.bus_<name>`."""
    rated: PositiveCount
    """People it may carry, driver and attendants included."""
    seats: PositiveCount
    """Seats for pupils."""
    attendants: PositiveCount
    """Attendants on every run; it goes with fewer, but never without any."""

    @model_validator(mode="after")
    def _people_fit(self) -> BusKind:
        """Refuse a bus with more people than it is rated for."""
        if self.seats + self.attendants + 1 > self.rated:
            raise ValueError(
                f"{self.seats} pupils, {self.attendants} attendants and the driver are more than the "
                f"{self.rated} people the bus is rated for"
            )
        return self


class Fleet(Group):
    """School buses and how they are run."""

    buses: Count | Counts | None
    """Number of buses with the spare ones, or numbers by kind; null: as many as the duties need."""
    scale: Scale
    """Multiplies the number of buses."""
    spare_share: Share
    """Spare buses per bus the duties need."""
    kinds: Annotated[tuple[BusKind, ...], Field(min_length=1)]
    """Sizes of bus that can be had."""
    rated_most: PositiveCount
    """Most people a school bus may carry by law."""
    second_attendant_above_seats: PositiveCount
    """With more seats for pupils than that, a bus needs a seat for a second attendant."""
    runs: Literal["plan", "given", "improve"]
    """Which runs are lived: planned ones, those of the county's runs.csv as they are, or these improved."""
    stop_walk_km: Amount
    """Riders of grades 4 to 9 may walk so far along the roads to a stop shared by hamlets; 0: a stop in each."""
    stop_walk_young_km: Amount
    """The same for grades 1 to 3."""
    eligible_km: Amount
    """Pupils who live nearer walk, or are brought by their family."""
    family_share: Share
    """Share of the pupils beyond that distance whose family brings them."""
    line_bus_share: Share
    """Share of those left who take a public line, where one passes the hamlet."""
    ride_limit_young_min: Positive
    """Longest way to school in grades 1 to 3."""
    ride_limit_older_min: Positive
    """Longest way to school in grades 4 to 9."""
    ride_limit_lodger_min: Positive
    """Longest weekly ride of a lodger."""
    far_detour_min: Amount
    """A ride that is over the limit even when direct may take so much longer to pick up others."""
    limit_includes_walk_and_wait: Switch
    """Whether the limit counts the walk to the stop and the wait, or the ride alone."""
    wait_at_stop_min: Amount
    """Planned wait at the stop."""
    walk_to_stop_min: Amount
    """Planned walk from the door to the stop."""
    arrive_earliest_before_bell_min: Amount
    """A bus arrives no earlier than so long before the first lesson."""
    arrive_latest_before_bell_min: Amount
    """A bus is to arrive at least so long before the first lesson."""
    depart_latest_after_close_min: Amount
    """A bus home leaves no later than so long after school."""
    lodger_window_min: Amount
    """Time over which the lodgers' runs of the first and the last day of the week are spread."""
    late_allowed_min: Amount
    """With too few buses, a run may be planned to be late by so much before it is dropped."""
    turnaround_min: Amount
    """Rest of a bus between two runs."""
    dwell_stop_s: Amount
    """Seconds a stop takes, whoever embarks."""
    dwell_pupil_s: Amount
    """Seconds more for each pupil who embarks."""
    unload_school_s: Amount
    """Seconds that unloading at a school takes."""
    unload_pupil_s: Amount
    """Seconds more for each pupil who alights."""
    noise_day_sd: Amount
    """Spread of travel time that a whole day shares (standard deviation of the logarithm)."""
    noise_leg_sd: Amount
    """Spread of travel time of one leg (standard deviation of the logarithm)."""
    second_run_latest_min: ClockMin
    """A bus that comes back for left-behind pupils must set out for them by this time (after midnight)."""
    second_run_home_latest_min: ClockMin
    """Who is not on a bus home by this time stays at school for the night (after midnight)."""
    breakdown_per_km: Share
    """Chance that a bus breaks down on a km."""
    repair_min: Positive
    """Time until a broken bus runs again (median)."""
    repair_sd_log: Amount
    """Spread of that time (standard deviation of the logarithm)."""
    transfer_pupil_s: Amount
    """Seconds each pupil takes to change to the spare bus."""
    driver_absent_share: Share
    """Share of drivers who are absent on a day."""
    attendant_absent_share: Share
    """Share of attendants who are absent on a day."""
    reserve_driver_share: Share
    """Drivers in reserve per driver on duty; they also drive the spare buses."""
    reserve_attendant_share: Share
    """Attendants in reserve per attendant on duty."""
    handover_to_grade: Annotated[int, Field(ge=0, le=9, strict=True)]
    """Pupils up to this grade are handed to a guardian at the stop; 0: nobody is."""
    guardian_late_share: Share
    """Share of handovers at which the guardian is not yet there."""
    guardian_late_min: Positive
    """How late such a guardian is (mean of an exponential)."""
    guardian_wait_min: Amount
    """How long a bus waits for a guardian; then the pupil stays aboard until the end of the run."""
    line_bus_seats: Count
    """Seats for pupils in each public bus that passes a hamlet."""
    line_buses_in_time: PositiveCount
    """Public buses that pass a hamlet in time for school; the plan counts on their seats and no more."""
    line_bus_headway_min: Positive
    """Time until the next public bus."""
    solver_iterations: PositiveCount
    """Steps of the route search for each school; steps, not seconds, so that results repeat."""
    planner: Literal["duties", "schools"]
    """How daily runs are planned: each school by itself, or from there on all together as duties of buses; mixed loads
    are planned so, whatever is said here."""
    search_looks: AnyCount
    """Length of the search of `planner=duties`, in events looked at for each stop; not in seconds."""
    mixed_loads: Switch
    """Whether pupils of several schools may be on board together, on daily runs that are planned here."""
    school_again: Switch
    """Whether a bus may come to the same school twice in a morning."""
    apart: tuple[tuple[Text, ...], ...]
    """Groups of schools, by id: schools of two groups may not share a bus in the morning, nor in the afternoon."""
    lodger_runs: Switch
    """Whether buses bring lodgers on the first and fetch them on the last day of the week."""

    @model_validator(mode="after")
    def _known_kinds(self) -> Fleet:
        """Refuse a number of buses for a kind that is not in `kinds`, and two kinds of one name."""
        names = [kind.name for kind in self.kinds]
        if len(set(names)) < len(names):
            raise ValueError("kinds: two kinds of bus have the same name")
        unknown = [] if not isinstance(self.buses, Mapping) else [k for k in self.buses if k not in names]
        if unknown:
            raise ValueError(f"buses: {', '.join(unknown)} is no kind of bus; known are {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _has_seats(self) -> Fleet:
        """Refuse numbers by kind that make a fleet without a seat."""
        if isinstance(self.buses, Mapping) and not any(self.buses.values()):
            raise ValueError(
                "buses: these buses have no seats; give at least one bus of a kind, or 0 to see a year without buses"
            )
        return self

    @model_validator(mode="after")
    def _window_is_open(self) -> Fleet:
        """Refuse an arrival window that ends before it begins, and the young walking farther than the others."""
        early, late = self.arrive_earliest_before_bell_min, self.arrive_latest_before_bell_min
        if early < late:
            raise ValueError(
                f"arrive_earliest_before_bell_min: the window in which buses arrive begins {early:g} min before the "
                f"bell, but ends {late:g} min before it (fleet.arrive_latest_before_bell_min)"
            )
        if self.stop_walk_young_km > self.stop_walk_km:
            raise ValueError(
                f"stop_walk_young_km: grades 1 to 3 would walk {self.stop_walk_young_km:g} km to a stop, the others "
                f"{self.stop_walk_km:g} km (fleet.stop_walk_km)"
            )
        return self
