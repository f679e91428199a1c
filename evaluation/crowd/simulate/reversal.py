"""Scenario 3: two halls joined by a passage of 1.2 m that is one-way: eastward for 15 minutes, then westward."""

import jupedsim as jps
from shapely import union_all

from crowd import Run, box, ramp

MINUTES = 52
TURN_MIN = 15
# What the passage lets through in this model, found on seeds from 100.
CAPACITY_PER_MIN = 112.0


def zone_of(x, y):
    for border, name in ((-22, "west"), (-6, "west_hall"), (6, "passage"), (22, "east_hall")):
        if x < border:
            return name
    return "east"


def run(kind, seed):
    """Eastward at about half of the capacity; westward `busy` rises to 1.15-1.4 times, `quiet` to 0.5-0.75 times."""
    walkable = union_all([box(-45, 0, -6, 8), box(-6, 3.4, 6, 4.6), box(6, 0, 45, 8)])
    names = [("west", "west_hall", "west_door"), ("west_hall", "passage", "west_end"),
             ("passage", "east_hall", "east_end"), ("east_hall", "east", "east_door")]
    gates = {(a, b): (gate, 0) for a, b, gate in names} | {(b, a): (gate, 1) for a, b, gate in names}
    areas = {"west_hall": box(-22, 0, -6, 8), "passage": box(-6, 3.4, 6, 4.6), "east_hall": box(6, 0, 22, 8)}
    run = Run(seed, walkable, zone_of, gates, areas, MINUTES, front=("east_hall", box(6.5, 2, 9, 6)))
    factor = run.random.uniform(1.15, 1.4) if kind == "busy" else run.random.uniform(0.5, 0.75)
    back = ramp(15, CAPACITY_PER_MIN * factor, TURN_MIN + run.random.uniform(2, 4), run.random.uniform(20, 26))
    forth = CAPACITY_PER_MIN * run.random.uniform(0.4, 0.6)
    exits = {"east": run.simulation.add_exit_stage(box(43, 0, 45, 8)), "west": run.simulation.add_exit_stage(box(-45, 0, -43, 8))}
    journeys = {side: run.simulation.add_journey(jps.JourneyDescription([stage])) for side, stage in exits.items()}
    waiting = [0]

    def arrive(minute):
        if minute < TURN_MIN - 2:
            waiting[0] += run.poisson(forth / 120)
            side, spawn = "east", (-44, 0.5, -38, 7.5)
        elif minute < TURN_MIN:
            waiting[0] = 0
            return
        else:
            waiting[0] += run.poisson(back(minute) / 120)
            side, spawn = "west", (38, 0.5, 44, 7.5)
        while waiting[0] > 0 and run.add(spawn, journeys[side], exits[side]) is not None:
            waiting[0] -= 1

    run.play(arrive)
    run.truth()
    return run.rows
