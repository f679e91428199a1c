"""Turns counts that are one a row into a table with a column for each series, as `polder forecast nowcast` reads it.

    python3 evaluation/forecast/wide.py traffic cities/rotterdam/data/traffic/readings.csv.gz > traffic.csv
    python3 evaluation/forecast/wide.py crowd evaluation/crowd/square.csv 5 1-5 > history.csv

`traffic`: vehicles for each five minutes of stations with at least 500 readings; times are UTC. `crowd`: persons who enter at
each gate of each simulated run, added up to as many minutes, of the runs with these seeds; the day is made up.
"""

import csv
import gzip
import sys
from collections import defaultdict
from datetime import datetime, timedelta


def rows(path):
    """The rows of a CSV file as dictionaries."""
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
    with opened as file:
        yield from csv.DictReader(file)


def traffic(path):
    """Flow of each station by time, in vehicles for each five minutes."""
    series = defaultdict(dict)
    for row in rows(path):
        series[row["station"]][row["utc"]] = f"{float(row['flow_vph']) / 12:g}"
    return {name: values for name, values in series.items() if len(values) >= 500}


def crowd(path, minutes, seeds):
    """Persons who enter at each gate of each run, by time."""
    first, last = (int(seed) for seed in seeds.split("-"))
    step = int(minutes)
    sums = defaultdict(lambda: defaultdict(float))
    for row in rows(path):
        if row["kind"] == "count" and first <= int(row["seed"]) <= last:
            slot = (int(row["minute"]) - 1) // step
            time = datetime(2026, 1, 5, 12) + timedelta(minutes=slot * step)
            sums[f"{row['run']} {row['seed']} {row['id']}"][time.isoformat()] += float(row["a"])
    return {name: {time: f"{value:g}" for time, value in values.items()} for name, values in sums.items()}


def main():
    kind, *rest = sys.argv[1:]
    series = {"traffic": traffic, "crowd": crowd}[kind](*rest)
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["time", *series])
    for time in sorted({time for values in series.values() for time in values}):
        table.writerow([time, *(values.get(time, "") for values in series.values())])


if __name__ == "__main__":
    main()
