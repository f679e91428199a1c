"""PostgreSQL as the peer of ingest: the same entities as JSONB documents with a GiST index on their position.

Starts a private cluster in a temporary folder (synchronous_commit on), upserts the bodies that
`polder bench batch --write` wrote (one statement a body, several connections) and then single entities by 32 clients
with pgbench, over the cluster's own socket. Prints one JSON object.
"""

import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import psycopg

BATCH_CLIENTS = 4
SINGLE_CLIENTS = 32

TABLE = """
CREATE TABLE documents (id text PRIMARY KEY, document jsonb NOT NULL, place point NOT NULL);
CREATE INDEX ON documents USING gist (place);
"""

UPSERT = """
INSERT INTO documents
SELECT e->>'id', e, point((e#>>'{location,value,coordinates,0}')::float8, (e#>>'{location,value,coordinates,1}')::float8)
FROM jsonb_array_elements(%s::jsonb) AS e
ON CONFLICT (id) DO UPDATE SET document = documents.document || excluded.document, place = excluded.place
"""

SINGLE = """
\\set n random(0, {last})
\\set v random(0, 90)
INSERT INTO documents VALUES (
  'urn:ngsi-ld:Vehicle:' || :n,
  format('{template}', :n, :v, :v)::jsonb,
  point(4.4 + (:n % 1000) * 1e-4, 51.88 + (:n / 1000 % 1000) * 1e-4))
ON CONFLICT (id) DO UPDATE SET document = documents.document || excluded.document, place = excluded.place;
"""

# One vehicle in the size of the batch's; %s are its number and two values. pgbench would take a colon before a word
# for a variable of its own, so there is a space behind each.
TEMPLATE = json.dumps({
    "id": "urn:ngsi-ld:Vehicle:%s",
    "type": "Vehicle",
    "speed": {"type": "Property", "value": "%s", "unitCode": "KMH", "observedAt": "2026-08-21T01:01:01Z"},
    "heading": {"type": "Property", "value": "%s", "unitCode": "DD", "observedAt": "2026-08-21T01:01:01Z"},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [4.4, 51.88]}},
    "serviceStatus": {"type": "Property", "value": "onRoute"},
    "refVehicleModel": {"type": "Relationship", "object": "urn:ngsi-ld:VehicleModel:7"},
})


def binaries() -> pathlib.Path:
    """The newest PostgreSQL that Debian installed."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        sys.exit("PostgreSQL is missing: apt-get install postgresql")
    return found[-1]


def as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


class Cluster:
    """A private cluster with a socket in its own folder."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="polder-pg-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        data = str(self.folder / "data")
        quiet = {"stdout": subprocess.DEVNULL, "cwd": self.folder}
        subprocess.run(as_postgres([str(binaries() / "initdb"), "-D", data, "-A", "trust", "-U", "bench"]), check=True, **quiet)
        settings = f"-k {self.folder} -c listen_addresses='' -c synchronous_commit=on -c shared_buffers=1GB -c max_wal_size=8GB"
        start = [str(binaries() / "pg_ctl"), "-D", data, "-w", "-o", settings, "-l", str(self.folder / "log"), "start"]
        subprocess.run(as_postgres(start), check=True, **quiet)
        return self

    def __exit__(self, *_):
        stop = [str(binaries() / "pg_ctl"), "-D", str(self.folder / "data"), "-m", "immediate", "stop"]
        subprocess.run(as_postgres(stop), stdout=subprocess.DEVNULL, cwd=self.folder, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self):
        return psycopg.connect(host=str(self.folder), user="bench", dbname="postgres", autocommit=True)


def batches(cluster: Cluster, bodies: list[str]) -> dict:
    work: queue.SimpleQueue = queue.SimpleQueue()
    for body in bodies:
        work.put(body)

    def client():
        with cluster.connect() as connection:
            while True:
                try:
                    body = work.get_nowait()
                except queue.Empty:
                    return
                for _ in range(20):
                    try:
                        connection.execute(UPSERT, (body,))
                        break
                    except psycopg.errors.DeadlockDetected:
                        continue

    started = time.monotonic()
    threads = [threading.Thread(target=client) for _ in range(BATCH_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - started
    items = sum(body.count('"type":"Vehicle"') for body in bodies)
    return {"items": items, "seconds": seconds, "itemsPerS": items / seconds}


def singles(cluster: Cluster, entities: int, seconds: int) -> dict:
    script = cluster.folder / "single.sql"
    script.write_text(SINGLE.format(last=entities - 1, template=TEMPLATE))
    command = [str(binaries() / "pgbench"), "-n", "-h", str(cluster.folder), "-U", "bench", "-f", str(script),
               "-c", str(SINGLE_CLIENTS), "-j", "2", "-T", str(seconds), "postgres"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    line = next(line for line in printed.splitlines() if line.startswith("tps = "))
    return {"itemsPerS": float(line.split()[2])}


def main():
    bodies = pathlib.Path(sys.argv[1]).read_text().splitlines()
    seconds = int(sys.argv[2])
    with Cluster() as cluster:
        with cluster.connect() as connection:
            connection.execute(TABLE)
        batch = batches(cluster, bodies)
        with cluster.connect() as connection:
            entities = connection.execute("SELECT count(*) FROM documents").fetchone()[0]
        print(json.dumps({"batch": batch, "single": singles(cluster, entities, seconds)}))


if __name__ == "__main__":
    main()
