"""Whole duties of buses in one search: which stops and schools each bus visits, in which order, and when."""

from sim.plan.fleet.problem import Duties, Duty, Event, Problem
from sim.plan.fleet.whole import plan, search

__all__ = ["Duties", "Duty", "Event", "Problem", "plan", "search"]
