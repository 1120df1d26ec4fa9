"""Asks a running Lamppost for aggregates and compares each cell with what plain loops compute from the CSV files.

    python3 compare.py DATA URL [--tables FOLDER] [--tiers FOLDER] [--rejects FILE] DATASET...

Prints one line per comparison and ends with exit code 1 and the first differences when there is any.
"""
import argparse
import csv
import io
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import recorded
from recorded import EPOCH, UTC, half_away, micros

FUNCTIONS = {"count": ("n", "sum", "mean", "min", "max", "coverage"), "gauge": ("n", "mean", "min", "max", "coverage"),
             "state": ("n", "coverage")}


class Windows:
    """Start and end of the bucket of an instant, computed in the data's zone."""

    def __init__(self, bucket, zone):
        self.bucket, self.zone, self.seen = bucket, zone, {}
        self.width = {"15m": 900_000_000, "1h": 3_600_000_000}.get(bucket)

    def of(self, at):
        if self.width:
            start = at // self.width * self.width
            return start, start + self.width
        quarter = at // 900_000_000
        if quarter not in self.seen:
            day = (EPOCH + timedelta(microseconds=at)).astimezone(self.zone).date()
            if self.bucket == "month":
                first = day.replace(day=1)
                after = (first + timedelta(days=32)).replace(day=1)
            else:
                first, after = day, day + timedelta(days=1)
            self.seen[quarter] = tuple(
                micros(datetime(d.year, d.month, d.day, tzinfo=self.zone).astimezone(UTC)) for d in (first, after))
        return self.seen[quarter]


def divided(numerator, denominator):
    """Quotient of whole numbers, rounded half away from zero; the denominator is positive."""
    size = (2 * abs(numerator) + denominator) // (2 * denominator)
    return size if numerator >= 0 else -size


def fixed(text, digits):
    """A decimal's text as a whole number of its last digit; nothing for no text. More digits than that are a fault."""
    if text == "":
        return None
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(digits, "0")) if len(part) <= digits else text


def aggregate(dataset, bucket, together):
    """(sensor or None, start) -> field -> [n, sum, min, max, n per sensor]."""
    windows = Windows(bucket, dataset.zone)
    found = defaultdict(dict)
    for (sensor, at), values in dataset.rows.items():
        cells = found[(None if together else sensor, windows.of(at)[0])]
        for field, value in values.items():
            cell = cells.get(field)
            if cell is None:
                cell = cells[field] = [0, 0, value, value, defaultdict(int)]
            cell[0] += 1
            cell[1] += value
            cell[2] = min(cell[2], value)
            cell[3] = max(cell[3], value)
            cell[4][sensor] += 1
    return found, windows


def coverage(dataset, since, start, end, counts):
    """Σ min(n, expected) ÷ Σ expected over the sensors in service, in ten-thousandths (rule 26)."""
    if len(since) == 1 and since[0][1] <= start:
        sensor, _ = since[0]
        every = dataset.sensor_every.get(sensor, dataset.every) * 1_000_000
        width = end - start
        return None if width < every else divided(min(counts.get(sensor, 0) * every, width) * 10000, width)
    got = due = Fraction(0)
    for sensor, first in since:
        every = dataset.sensor_every.get(sensor, dataset.every) * 1_000_000
        if first >= end or end - start < every:
            continue
        expected = Fraction(end - max(start, first), every)
        due += expected
        got += min(counts.get(sensor, 0), expected)
    return half_away(got * 10000 / due) if due else None


def expected_row(dataset, cells, since, start, end):
    """column -> (whole number, digits after the point)."""
    row = {}
    for name, field in dataset.fields.items():
        n, total, low, high, counts = cells.get(name, (0, 0, None, None, {}))
        row[f"{name}_n"] = (n, 0)
        row[f"{name}_coverage"] = (coverage(dataset, since, start, end, counts), 4)
        if field.kind != "state":
            row[f"{name}_sum"] = (total if n else None, field.digits)
            row[f"{name}_mean"] = (divided(total * 10000, n) if n else None, field.digits + 4)
            row[f"{name}_min"] = (low, field.digits)
            row[f"{name}_max"] = (high, field.digits)
    return row


def fetch(url, dataset, parameters):
    query = urllib.parse.urlencode(parameters)
    address = f"{url}/api/v1/datasets/{dataset}/aggregates?{query}"
    try:
        with urllib.request.urlopen(address, timeout=120) as answer:
            return list(csv.DictReader(io.StringIO(answer.read().decode())))
    except urllib.error.HTTPError as error:
        sys.exit(f"{address}: {error.code} {error.read().decode()}")


def chunks(times, zone, months):
    """Spans of civil months that hold all the data."""
    at, last = [(EPOCH + timedelta(microseconds=t)).astimezone(zone) for t in (min(times), max(times))]
    year, month = at.year, at.month
    while (year, month) <= (last.year, last.month):
        after = year * 12 + month - 1 + months
        yield tuple(datetime(y, m, 1, tzinfo=zone).isoformat() for y, m in
                    ((year, month), (after // 12, after % 12 + 1)))
        year, month = after // 12, after % 12 + 1


def compare(url, dataset, bucket, together, differences):
    found, windows = aggregate(dataset, bucket, together)
    first = {}
    for sensor, at in dataset.rows:
        first[sensor] = min(at, first.get(sensor, at))
    names = [f"{name}_{function}" for name, field in dataset.fields.items() for function in FUNCTIONS[field.kind]]
    checked, seen = 0, set()
    spans = list(chunks([at for _, at in dataset.rows], dataset.zone, 1 if bucket in ("15m", "1h") else 12))
    if bucket == "15m" and not together and len(found) > 200_000:
        # Quarter hours of very many rows: every third month, to keep the check short.
        spans = spans[-1::-3]
        inside = [tuple(micros(datetime.fromisoformat(t).astimezone(UTC)) for t in span) for span in spans]
        found = {key: cells for key, cells in found.items() if any(a <= key[1] < b for a, b in inside)}
    for start, end in spans:
        for row in fetch(url, dataset.name, {
                "bucket": bucket, "group": "none" if together else "sensor", "fields": ",".join(names), "from": start,
                "to": end, "tz": dataset.zone.key, "format": "csv", "limit": 1_000_000}):
            key = (row.get("sensor"), micros(datetime.fromisoformat(row["start"])))
            if key in seen or key not in found:
                differences.append(f"{dataset.name} {bucket}: row {key} {'twice' if key in seen else 'not expected'}")
                continue
            seen.add(key)
            lo, hi = windows.of(key[1])
            if micros(datetime.fromisoformat(row["end"])) != hi:
                differences.append(f"{dataset.name} {bucket} {key}: end {row['end']}")
            since = list(first.items()) if together else [(key[0], first[key[0]])]
            want = expected_row(dataset, found[key], since, lo, hi)
            for name in names:
                value, digits = want[name]
                if fixed(row[name], digits) != value:
                    text = f"{dataset.name} {bucket} {key} {row['start']} {name}"
                    differences.append(f"{text}: {row[name]!r}, not {value} with {digits} digits")
            checked += len(names)
    missing = set(found) - seen
    differences.extend(f"{dataset.name} {bucket}: row {key} missing" for key in list(missing)[:20])
    group = "all together" if together else "each sensor"
    print(f"  {dataset.name:20} {bucket:6} {group:12} {len(seen):7} rows, {checked:9} cells", flush=True)


def compare_rejects(dataset, file, differences):
    """The status answer lists rejects as (source, reason, field) with the number of distinct messages."""
    got = {}
    for reject in json.load(open(file))["rejects"]:
        if reject["source"].split("/")[0] == dataset.name:
            key = (reject["reason"], reject["field"])
            got[key] = got.get(key, 0) + reject["messages"]
    want = dict(dataset.reject_counts())
    if got != want:
        differences.append(f"{dataset.name} rejects: {got}, not {want}")
    print(f"  {dataset.name:20} {sum(want.values())} rejects in {len(want)} sorts")


def compare_tables(dataset, folder, differences):
    """The Delta table, read by two programs that are not ours, holds exactly the expected rows, sorted, no key twice."""
    import deltalake
    import duckdb

    table = deltalake.DeltaTable(f"{folder}/{dataset.name}/raw")
    columns = ["sensor", "time", *dataset.fields]
    names = ", ".join(columns)
    # Times as whole microseconds: no zone of the reader's machine comes in.
    micro = names.replace("time", "epoch_us(time)", 1)
    by_delta = deltalake.QueryBuilder().register("t", table).execute(f"select {names} from t").read_all()
    by_delta = list(zip(*(by_delta.column(name).to_pylist() for name in columns)))
    files = table.file_uris()
    by_duck = duckdb.sql(f"select {micro} from read_parquet(?, hive_partitioning=false)", params=[files]).fetchall()
    want = {key: {name: published(dataset, name, value) for name, value in values.items()}
            for key, values in dataset.rows.items()}
    for reader, rows in (("deltalake", by_delta), ("DuckDB", by_duck)):
        got = {}
        for sensor, at, *values in rows:
            key = (sensor, at if reader == "DuckDB" else micros(at.astimezone(UTC)))
            if key in got:
                differences.append(f"{dataset.name}: {reader} reads key {key} twice")
            got[key] = {name: value for name, value in zip(dataset.fields, values) if value is not None}
        for key in list(set(got) ^ set(want))[:5]:
            state = "missing" if key in want else "not expected"
            differences.append(f"{dataset.name}: {reader} reads key {key}: {state}")
        wrong = [key for key in want if key in got and got[key] != want[key]][:5]
        differences.extend(f"{dataset.name} {reader} {key}: {got[key]}, not {want[key]}" for key in wrong)
    for file in files:
        keys = duckdb.sql("select sensor, epoch_us(time) from read_parquet(?, hive_partitioning=false)", params=[[file]]).fetchall()
        if any(a >= b for a, b in zip(keys, keys[1:])):
            differences.append(f"{file}: not sorted")
    print(f"  {dataset.name:20} {len(by_duck)} rows in {len(files)} files, by DuckDB and deltalake")


def compare_tiers(dataset, folder, differences):
    """Each tier's files, read by DuckDB, hold exactly what the rows of their closed windows come to, sorted, no key twice."""
    import deltalake
    import duckdb

    for tier, bucket in (("15m", "15m"), ("1h", "1h"), ("1d", "day")):
        table = deltalake.DeltaTable(f"{folder}/{dataset.name}/{tier}")
        closed = table.transaction_version("tier/closed") or 0
        found, windows = aggregate(dataset, bucket, False)
        numbers = [name for name, field in dataset.fields.items() if field.kind != "state"]
        columns = [f"{name}_n" for name in dataset.fields]
        columns += [f"{name}_{part}" for name in numbers for part in ("sum", "min", "max")]
        files = table.file_uris()
        rows = duckdb.sql(f"select sensor, epoch_us(time), {', '.join(columns)} from read_parquet(?, hive_partitioning=false)",
                          params=[files]).fetchall() if files else []
        seen = set()
        for sensor, start, *values in rows:
            key, row = (sensor, start), dict(zip(columns, values))
            if key in seen or key not in found:
                differences.append(f"{dataset.name} {tier}: row {key} {'twice' if key in seen else 'not expected'}")
                continue
            seen.add(key)
            for name, field in dataset.fields.items():
                n, total, low, high, _ = found[key].get(name, (0, None, None, None, None))
                want = {"n": n} if field.kind == "state" else {"n": n, "sum": total, "min": low, "max": high}
                for part, value in want.items():
                    got = row[f"{name}_{part}"]
                    got = got if got is None or part == "n" else int(got.scaleb(field.digits))
                    if got != value:
                        differences.append(f"{dataset.name} {tier} {key} {name}_{part}: {got}, not {value}")
        due = {key for key in found if windows.of(key[1])[1] <= closed and found[key]}
        differences.extend(f"{dataset.name} {tier}: row {key} missing" for key in sorted(due - seen)[:5])
        for file in files:
            keys = duckdb.sql("select sensor, epoch_us(time) from read_parquet(?, hive_partitioning=false)", params=[[file]])
            keys = keys.fetchall()
            if any(a >= b for a, b in zip(keys, keys[1:])):
                differences.append(f"{file}: not sorted")
        print(f"  {dataset.name:20} {tier:6} {len(rows)} rows in {len(files)} files, by DuckDB, {len(found) - len(due)} not closed")


STATE_WORDS = {"occupied": ["no", "yes"], "trend": ["Static", "Filling", "Emptying"]}


def published(dataset, name, value):
    """A value as the table shows it: the word of a state, else a decimal."""
    field = dataset.fields[name]
    return STATE_WORDS[name][value] if field.kind == "state" else Decimal(value).scaleb(-field.digits)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("url")
    parser.add_argument("datasets", nargs="*", default=[])
    parser.add_argument("--buckets", default="15m,1h,day,month")
    parser.add_argument("--rejects")
    parser.add_argument("--tables")
    parser.add_argument("--tiers")
    asked = parser.parse_args()
    differences, began = [], time.time()
    for name in asked.datasets or recorded.ALL:
        dataset = recorded.ALL[name](asked.data)
        for bucket in asked.buckets.split(","):
            for together in (False, True):
                compare(asked.url, dataset, bucket, together, differences)
        if asked.rejects:
            compare_rejects(dataset, asked.rejects, differences)
        if asked.tables:
            compare_tables(dataset, asked.tables, differences)
        if asked.tiers:
            compare_tiers(dataset, asked.tiers, differences)
    print(f"{len(differences)} differences in {time.time() - began:.0f} s")
    if differences:
        sys.exit("\n".join(differences[:40]))


if __name__ == "__main__":
    main()
