"""A job market with planted truth: is the engine telling the truth?"""

from layer7.simulation.events import events, to_events
from layer7.simulation.market import Market
from layer7.simulation.run import Simulation, simulate
from layer7.simulation.scenarios import SCENARIOS
from layer7.simulation.schema import EVENT_SCHEMA
from layer7.simulation.writing import write_events, write_truth

__all__ = [
    "EVENT_SCHEMA",
    "SCENARIOS",
    "Market",
    "Simulation",
    "events",
    "simulate",
    "to_events",
    "write_events",
    "write_truth",
]
