"""The pupils who really come meet the plan; SimPy lives the weeks.

A process here may wait, take and tell: it draws no random number, keeps no statistic, reads no setting and no
file. What it tells goes into the `Diary` of the week.
"""
