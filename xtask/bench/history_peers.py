"""PostgreSQL and DuckDB as the peers of history: the same rows, the same questions, CPU seconds of the engine alone.

Usage: history_peers.py SEGMENTS, the folder `segments` below the folder that the example history_bench filled. DuckDB
reads those Parquet files where they lie, on one thread. PostgreSQL gets series, time and value in a private cluster in
a temporary folder, with a btree over (series, ts), after VACUUM ANALYZE; its CPU time is that of the one backend,
without parallel workers and without JIT (which costs these questions more than it saves). Large answers are summed up
inside the engine, so that no client's time is counted. Prints one JSON object: bytes on disk, and for each question the
CPU seconds of one run and a checksum that Polder's answer must equal.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import duckdb
import psycopg

START = "2026-08-01T00:00:00Z"
HOUR, DAY = 3_600_000_000, 86_400_000_000


def averages(micros: int, table: str, where: str, postgres: bool) -> str:
    """The sum of all averages per series and period."""
    bucket = f"epoch_us(ts) // {micros}"
    if postgres:
        bucket = f"date_bin('{micros // 1_000_000} seconds', ts, 'epoch')"
    inner = f"SELECT series, {bucket} AS bucket, avg(value) AS a FROM {table} WHERE {where} GROUP BY 1, 2"
    return f"SELECT sum(a) FROM ({inner}) AS buckets"


def questions(table: str, postgres: bool) -> list[tuple[str, int, object]]:
    """Name, repetitions, and the statement of a round; the same rounds as in the example."""

    def one_day(count: int, number: int) -> str:
        day = f"TIMESTAMPTZ '{START}' + INTERVAL '{number % 28} days'"
        # Python would need one more package for DuckDB's moments with a zone.
        moment = "ts" if postgres else "epoch_us(ts)"
        return (
            f"SELECT {moment}, value FROM {table} WHERE series = {number * 7 % count} "
            f"AND ts >= {day} AND ts < {day} + INTERVAL '1 day' ORDER BY ts"
        )

    def p95(_count: int, _number: int) -> str:
        name = "percentile_cont(0.95) WITHIN GROUP (ORDER BY value)" if postgres else "quantile_cont(value, 0.95)"
        return f"SELECT sum(q) FROM (SELECT series, {name} AS q FROM {table} GROUP BY series) AS percentiles"

    return [
        ("one day of one series", 300, one_day),
        (
            "hourly averages of one series",
            100,
            lambda count, number: averages(HOUR, table, f"series = {number * 7 % count}", postgres),
        ),
        ("hourly averages of all series", 3, lambda _c, _n: averages(HOUR, table, "true", postgres)),
        ("95th percentile of each series", 3, p95),
        ("daily averages of 50 series", 20, lambda _c, _n: averages(DAY, table, "series < 50", postgres)),
    ]


def measure(ask, cpu_s, table: str, postgres: bool, count: int) -> dict:
    """Asks every question as often as the example does."""
    answers = {}
    for name, repeats, statement in questions(table, postgres):
        ask(statement(count, 0))
        started, checksum = cpu_s(), 0.0
        for number in range(repeats):
            checksum += sum(row[-1] for row in ask(statement(count, number)))
        answers[name] = {"cpuS": (cpu_s() - started) / repeats, "checksum": checksum, "repeats": repeats}
    return answers


def measure_duckdb(segments: pathlib.Path) -> tuple[dict, int]:
    """DuckDB on the segments; also writes the rows for PostgreSQL beside them."""
    connection = duckdb.connect()
    connection.execute("SET threads = 1; SET TimeZone = 'UTC'")
    connection.execute(
        "CREATE VIEW observations AS "
        f"SELECT series, time AS ts, value FROM read_parquet('{segments}/*/*.parquet')"
    )
    count = connection.execute("SELECT count(DISTINCT series) FROM observations").fetchone()[0]
    answers = measure(
        lambda statement: connection.execute(statement).fetchall(), time.process_time, "observations", False, count
    )
    return answers, count


def export(segments: pathlib.Path, path: pathlib.Path) -> None:
    """The rows as CSV in the order in which they came, for COPY."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        "COPY (SELECT series, time AS ts, value "
        f"FROM read_parquet('{segments}/*/*.parquet') ORDER BY time, series) TO '{path}' (HEADER false)"
    )


def as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


class Cluster:
    """A private cluster with a socket in its own folder."""

    def __enter__(self):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        if not found:
            sys.exit("PostgreSQL is missing: apt-get install postgresql")
        self.binaries = found[-1]
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="polder-pg-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        data = str(self.folder / "data")
        self.run([str(self.binaries / "initdb"), "-D", data, "-U", "bench", "--auth=trust"])
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c shared_buffers=2GB " \
            "-c work_mem=256MB -c max_parallel_workers_per_gather=0 -c jit=off -c timezone=UTC -c max_wal_size=8GB"
        self.run([str(self.binaries / "pg_ctl"), "-D", data, "-w", "-l", str(self.folder / "log"), "-o", options, "start"])
        return self

    def __exit__(self, *_):
        data = str(self.folder / "data")
        self.run([str(self.binaries / "pg_ctl"), "-D", data, "-m", "immediate", "stop"])
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, command: list[str]) -> None:
        subprocess.run(as_postgres(command), check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def connect(self):
        return psycopg.connect(host=str(self.folder), user="bench", dbname="postgres", autocommit=True)


def measure_postgres(rows: pathlib.Path, count: int) -> tuple[dict, int]:
    """PostgreSQL on a table with a btree."""
    with Cluster() as cluster, cluster.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE observations (series int NOT NULL, ts timestamptz NOT NULL, value float8)")
        with rows.open("rb") as file, cursor.copy("COPY observations FROM STDIN (FORMAT csv)") as copy:
            while block := file.read(1 << 20):
                copy.write(block)
        cursor.execute("CREATE INDEX ON observations (series, ts)")
        cursor.execute("VACUUM ANALYZE observations")
        stat = pathlib.Path(f"/proc/{connection.info.backend_pid}/schedstat")
        answers = measure(
            lambda statement: cursor.execute(statement).fetchall(),
            lambda: int(stat.read_text().split()[0]) / 1e9,
            "observations",
            True,
            count,
        )
        size = cursor.execute("SELECT pg_total_relation_size('observations')").fetchone()[0]
        return answers, size


def main() -> None:
    segments = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="polder-rows-"))
    try:
        duck, count = measure_duckdb(segments)
        export(segments, folder / "rows.csv")
        postgres, size = measure_postgres(folder / "rows.csv", count)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps({"postgresBytes": size, "postgres": postgres, "duckdb": duck}))


if __name__ == "__main__":
    main()
