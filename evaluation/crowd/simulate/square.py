"""Scenario 2: a square of 256 m2 with four gates; people stroll for some minutes and leave by a gate of their choice."""

import jupedsim as jps
from shapely import union_all

from crowd import Run, box, ramp

MINUTES = 46
SIDE_M = 16.0
# Gates by name: middle of the opening, one step outwards. The openings are 3 m wide.
GATES = {"north": ((8, 16), (0, 1)), "east": ((16, 8), (1, 0)), "south": ((8, 0), (0, -1)), "west": ((0, 8), (-1, 0))}
SHARES = [0.4, 0.25, 0.2, 0.15]
STAY_MIN = 12.0


def outside_box(name):
    (x, y), (dx, dy) = GATES[name]
    ends = [(x - 1.5 * abs(dy), y - 1.5 * abs(dx)), (x + 6 * dx + 1.5 * abs(dy), y + 6 * dy + 1.5 * abs(dx))]
    (xs, ys) = zip(*ends)
    return min(xs), min(ys), max(xs), max(ys)


def zone_of(x, y):
    if 0 <= x <= SIDE_M and 0 <= y <= SIDE_M:
        return "square"
    return "north" if y > SIDE_M else "south" if y < 0 else "east" if x > SIDE_M else "west"


def run(kind, seed):
    """`busy` would settle at 380-460 persons, of 300 that the square may hold; `quiet` at 90-165."""
    walkable = union_all([box(0, 0, SIDE_M, SIDE_M)] + [box(*outside_box(name)) for name in GATES])
    gates = {(name, "square"): (name, 0) for name in GATES} | {("square", name): (name, 1) for name in GATES}
    run = Run(seed, walkable, zone_of, gates, {"square": box(0, 0, SIDE_M, SIDE_M)}, MINUTES, step_s=0.1)
    settled = run.random.uniform(380, 460) if kind == "busy" else run.random.uniform(90, 165)
    rate = ramp(4, settled / STAY_MIN, run.random.uniform(6, 12), run.random.uniform(22, 34))
    steering = run.simulation.add_direct_steering_stage()
    journey = run.simulation.add_journey(jps.JourneyDescription([steering]))
    waiting = {name: 0 for name in GATES}
    plans = {}

    def arrive(minute):
        for _ in range(run.poisson(rate(minute) / 120)):
            waiting[run.random.choices(list(GATES), SHARES)[0]] += 1
        for name in GATES:
            (x, y), (dx, dy) = GATES[name]
            spawn = (x + 3.5 * dx - 1.1 * abs(dy), y + 3.5 * dy - 1.1 * abs(dx),
                     x + 5.5 * dx + 1.1 * abs(dy), y + 5.5 * dy + 1.1 * abs(dx))
            spawn = (min(spawn[0], spawn[2]), min(spawn[1], spawn[3]), max(spawn[0], spawn[2]), max(spawn[1], spawn[3]))
            while waiting[name] > 0 and (agent := run.add(spawn, journey, steering)) is not None:
                waiting[name] -= 1
                stay = run.random.gammavariate(4, STAY_MIN / 4)
                out = run.random.choices(list(GATES), SHARES)[0]
                plans[agent] = {"until": minute + stay, "next": minute, "out": out, "entering": name}
        steer(minute)

    def steer(minute):
        for agent in run.simulation.agents():
            plan, (x, y) = plans[agent.id], agent.position
            inside = zone_of(x, y) == "square"
            (gx, gy), (dx, dy) = GATES[plan["out"]]
            if plan["entering"]:
                (ex, ey), (ix, iy) = GATES[plan["entering"]]
                agent.target = (ex - 2 * ix, ey - 2 * iy)
                if abs(x - agent.target[0]) + abs(y - agent.target[1]) < 1.5:
                    plan["entering"] = None
            elif minute >= plan["until"]:
                # First to the middle of the opening, then straight on: steering knows no walls.
                ahead = abs((x - gx) * dy) + abs((y - gy) * dx) < 1.0
                agent.target = (gx + 6 * dx, gy + 6 * dy) if ahead else (gx - 1.5 * dx, gy - 1.5 * dy)
                if not inside and (x - gx) * dx + (y - gy) * dy > 2.5:
                    run.simulation.mark_agent_for_removal(agent.id)
            elif minute >= plan["next"]:
                agent.target = (run.random.uniform(1, SIDE_M - 1), run.random.uniform(1, SIDE_M - 1))
                plan["next"] = minute + run.random.uniform(0.5, 2)

    run.play(arrive)
    run.truth()
    return run.rows
