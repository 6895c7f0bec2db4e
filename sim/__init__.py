"""Let a county live through the next ten years of school days before it closes a school.

The code is one river; a stage imports from the stages above it, never from those below::

    configs/*.yaml + county tables
            |
       config  --> County (facts), Settings (choices): frozen
            |
       chance   luck, drawn first; knows the county and the seed, blind to the choices
       plan     who goes where, how and with what, on the forecast
       operate  the pupils who really come meet the plan; SimPy lives the weeks
       measure  events -> tidy numbers
       account  quantities x prices
       judge    numbers against limits: verdicts, bottlenecks, risks
       tell     reads files only: report, workbook, figures

`store` alone knows what lies in a run folder; `check` refuses what cannot be planned, `study` composes the stages;
`base` says which county without closing a run is compared with, `reprice` makes all that depends on prices, now or
later; `cli` is what a person types.
"""

__version__ = "0.1.0"
