"""Scenario 1: a corridor of 4 m with a bottleneck of 1.2 m; arrivals rise above what it lets through, or stay below."""

import jupedsim as jps
from shapely import union_all

from crowd import Run, box, ramp

MINUTES = 60
APPROACH_M = 16.0
# What the bottleneck lets through in this model, found on seeds from 100.
CAPACITY_PER_MIN = 112.0


def run(kind, seed):
    """`busy` rises to 1.15-1.35 times the bottleneck's capacity and falls again, `quiet` to 0.5-0.75 times."""
    walkable = union_all([box(-45, 0, 0, 4), box(0, 1.4, 2, 2.6), box(2, 0, 12, 4)])
    zone_of = lambda x, y: "upstream" if x < -APPROACH_M else "approach" if x < 0 else "beyond"
    gates = {
        ("upstream", "approach"): ("entry", 0), ("approach", "upstream"): ("entry", 1),
        ("approach", "beyond"): ("bottleneck", 0), ("beyond", "approach"): ("bottleneck", 1),
    }
    areas = {"approach": box(-APPROACH_M, 0, 0, 4)}
    run = Run(seed, walkable, zone_of, gates, areas, MINUTES, front=("approach", box(-2.5, 0.5, -0.5, 3.5)))
    factor = run.random.uniform(1.15, 1.35) if kind == "busy" else run.random.uniform(0.5, 0.75)
    start, length = run.random.uniform(8, 14), run.random.uniform(24, 30)
    rise = ramp(20, CAPACITY_PER_MIN * factor, start, length)
    fall = ramp(0, CAPACITY_PER_MIN * factor - 20, start + length + 6, 4)
    rate = lambda minute: rise(minute) - fall(minute)
    exit_stage = run.simulation.add_exit_stage(box(10, 0, 12, 4))
    journey = run.simulation.add_journey(jps.JourneyDescription([exit_stage]))
    waiting = [0]

    def arrive(minute):
        waiting[0] += run.poisson(rate(minute) / 120)
        while waiting[0] > 0 and run.add((-44.5, 0.5, -40, 3.5), journey, exit_stage) is not None:
            waiting[0] -= 1

    run.play(arrive)
    run.truth()
    return run.rows

