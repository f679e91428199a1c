"""What the scenarios share: arrivals, walking, counting at lines, and the ground truth.

People are agents of JuPedSim's collision-free speed model (Tordeux, Chraibi and Seyfried 2016). Counts are crossings
between zones, seen twice a second. Ground truth is pedpy's: classic density times surface for the areas, Voronoi density
for the front of a narrowing.
"""

import csv
import math
import random

import jupedsim as jps
import pandas as pd
import pedpy
from shapely import Polygon

LOOK_S = 0.5
TRUTH_S = 5.0
MISSED_SHARE = 0.05
RADIUS_M = 0.18
TIME_GAP_S = 0.6


def ramp(low, high, start_min, length_min):
    """Arrivals per minute that rise linearly from low to high."""
    return lambda minute: low + (high - low) * min(1.0, max(0.0, (minute - start_min) / length_min))


class Run:
    """One simulated run: zones name where people are, gates name the crossings from zone to zone."""

    def __init__(self, seed, walkable, zone_of, gates, areas, minutes, front=None, step_s=0.05):
        self.random = random.Random(seed)
        self.faults = random.Random(seed + 1_000_000)
        self.walkable, self.zone_of, self.gates, self.areas = walkable, zone_of, gates, areas
        self.minutes, self.front, self.step_s = minutes, front, step_s
        self.simulation = jps.Simulation(model=jps.CollisionFreeSpeedModel(), geometry=walkable, dt=step_s)
        self.zones, self.tracks, self.rows = {}, [], []
        self.dead_gate = self.faults.choice(sorted({gate for gate, _ in gates.values()}))
        self.dead_from = self.faults.randint(15, 30)
        self.clear_counts()

    def clear_counts(self):
        names = sorted({gate for gate, _ in self.gates.values()})
        self.count = {name: [0, 0] for name in names}
        self.faulty = {name: [0, 0] for name in names}

    def poisson(self, mean):
        """Knuth's method: the number of arrivals of one look."""
        limit, product, number = math.exp(-mean), self.random.random(), 0
        while product > limit:
            product *= self.random.random()
            number += 1
        return number

    def speed(self):
        """Weidmann (1993): 1.34 m/s with a standard deviation of 0.26."""
        return min(1.9, max(0.8, self.random.gauss(1.34, 0.26)))

    def add(self, box, journey, stage):
        """Adds a person somewhere in box (x0, y0, x1, y1); None when it is too full there."""
        for _ in range(12):
            place = (self.random.uniform(box[0], box[2]), self.random.uniform(box[1], box[3]))
            if not any(True for _ in self.simulation.agents_in_range(place, 2.2 * RADIUS_M)):
                return self.simulation.add_agent(
                    jps.CollisionFreeSpeedModelAgentParameters(
                        position=place, journey_id=journey, stage_id=stage, desired_speed=self.speed(),
                        radius=RADIUS_M, time_gap=TIME_GAP_S,
                    )
                )
        return None

    def look(self, keep):
        """Counts who changed zone since the last look; keeps positions for the ground truth when asked."""
        present = {}
        for agent in self.simulation.agents():
            x, y = agent.position
            zone = present[agent.id] = self.zone_of(x, y)
            before = self.zones.get(agent.id, zone)
            if before != zone:
                gate, direction = self.gates[(before, zone)]
                self.count[gate][direction] += 1
                if self.faults.random() >= MISSED_SHARE:
                    self.faulty[gate][direction] += 1
            if keep:
                self.tracks.append((agent.id, keep - 1, x, y))
        self.zones = present

    def play(self, arrive):
        """Runs to the end; `arrive(minute)` is called at each look and adds or steers people."""
        looks_per_minute = round(60 / LOOK_S)
        for look in range(self.minutes * looks_per_minute):
            arrive(look / looks_per_minute)
            self.simulation.iterate(round(LOOK_S / self.step_s))
            number = look + 1
            every = round(TRUTH_S / LOOK_S)
            self.look(number // every if number % every == 0 else 0)
            if number % looks_per_minute == 0:
                self.minute_ends(number // looks_per_minute)

    def minute_ends(self, minute):
        for gate in self.count:
            self.rows.append((minute, "count", gate, *self.count[gate]))
            if gate != self.dead_gate or minute <= self.dead_from:
                self.rows.append((minute, "faulty", gate, *self.faulty[gate]))
        self.clear_counts()

    def truth(self):
        """Ground truth a minute: occupancy at its end and mean, and the density at the front."""
        tracks = pd.DataFrame(self.tracks, columns=["id", "frame", "x", "y"])
        data = pedpy.TrajectoryData(tracks, frame_rate=1 / TRUTH_S)
        frames = round(60 / TRUTH_S)
        for name, polygon in self.areas.items():
            surface = polygon.area
            density = pedpy.compute_classic_density(traj_data=data, measurement_area=pedpy.MeasurementArea(polygon))
            persons = dict(zip(frames_of(density), density["density"] * surface))
            for minute in range(1, self.minutes + 1):
                of_minute = [persons.get(frame, 0.0) for frame in range((minute - 1) * frames, minute * frames)]
                self.rows.append((minute, "area", name, round(of_minute[-1], 3), round(sum(of_minute) / frames, 3)))
                if minute % 10 == 0:
                    sd = 0.1 * of_minute[-1] + 5.0
                    seen = max(0.0, of_minute[-1] + self.faults.gauss(0.0, sd))
                    self.rows.append((minute, "devices", name, round(seen, 1), round(sd, 1)))
        if self.front:
            cells = pedpy.compute_individual_voronoi_polygons(
                traj_data=data, walkable_area=pedpy.WalkableArea(self.walkable),
                cut_off=pedpy.Cutoff(radius=1.0, quad_segments=3), use_blind_points=True,
            )
            name, polygon = self.front
            density, _ = pedpy.compute_voronoi_density(
                individual_voronoi_data=cells, measurement_area=pedpy.MeasurementArea(polygon)
            )
            seen = dict(zip(frames_of(density), density["density"]))
            for minute in range(1, self.minutes + 1):
                of_minute = [seen.get(frame, 0.0) for frame in range((minute - 1) * frames, minute * frames)]
                self.rows.append((minute, "front", name, round(sum(of_minute) / frames, 4), 0))


def frames_of(table):
    """The frames of a table of pedpy, which is numbered by frame in some versions and has a column in others."""
    return table["frame"] if "frame" in table.columns else table.index


def box(x0, y0, x1, y1):
    """A rectangle."""
    return Polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def write(path, runs):
    """One CSV for all runs of a scenario: (kind of run, seed, rows)."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["run", "seed", "minute", "kind", "id", "a", "b"])
        for kind, seed, rows in runs:
            for row in rows:
                writer.writerow([kind, seed, *row])
