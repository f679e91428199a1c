"""Simulates a scenario and writes its CSV: python run.py square --seeds 1-10 --out ../square.csv"""

import argparse
import sys

import corridor
import crowd
import reversal
import square

SCENARIOS = {"corridor": corridor.run, "square": square.run, "reversal": reversal.run}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--seeds", default="1-10", help="first and last seed")
    parser.add_argument("--kinds", default="busy,quiet", help="kinds of run")
    parser.add_argument("--out", required=True, help="the CSV to write")
    options = parser.parse_args()
    first, last = (int(part) for part in options.seeds.split("-"))
    runs = []
    for kind in options.kinds.split(","):
        for seed in range(first, last + 1):
            # The same seed in both kinds would give the same noise: quiet runs draw from their own numbers.
            rows = SCENARIOS[options.scenario](kind, seed if kind == "busy" else seed + 10_000)
            runs.append((kind, seed, rows))
            print(f"{options.scenario} {kind} {seed}", file=sys.stderr, flush=True)
            crowd.write(options.out, runs)


if __name__ == "__main__":
    main()
