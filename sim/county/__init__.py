"""The county: facts about schools, homes, pupils and roads; read from tables, checked, frozen."""

from sim.county.facts import Births, County, Hamlets, Roads, SchoolCalendar, Schools, Townships
from sim.county.read import check_county, read_county
from sim.county.road import Travel, check_reachable, edge_minutes, travel

__all__ = [
    "Births",
    "County",
    "Hamlets",
    "Roads",
    "SchoolCalendar",
    "Schools",
    "Townships",
    "Travel",
    "check_county",
    "check_reachable",
    "edge_minutes",
    "read_county",
    "travel",
]
