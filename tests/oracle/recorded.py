"""What Lamppost must make of the recorded city data, computed from the CSV files by plain loops.

Written from the contracts in tests/contracts and the data's README alone; shares no code with Lamppost.
"""
import csv
import glob
import gzip
import io
import os
from collections import Counter
from datetime import datetime, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment):
    delta = moment - EPOCH
    return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds


class NoSuchLocalTime(Exception):
    pass


class OutOfRange(Exception):
    pass


def naive(pattern, zone):
    zone = ZoneInfo(zone)
    seen = {}

    def read(text):
        if text not in seen:
            local = datetime.strptime(text, pattern)
            moment = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
            seen[text] = micros(moment) if moment.astimezone(zone).replace(tzinfo=None) == local else None
        if seen[text] is None:
            raise NoSuchLocalTime
        return seen[text]

    return read


def offset(text):
    return micros(datetime.fromisoformat(text))


def half_away(x):
    whole = (abs(x) * 2 + 1) // 2
    return int(whole if x >= 0 else -whole)


class Field:
    """One field: unit conversion as factor and offset, resolution as digits, range in units."""

    def __init__(self, kind, digits, low, high, factor=1, plus=0, words=None):
        self.kind, self.digits, self.low, self.high = kind, digits, low, high
        self.factor, self.plus, self.words = Fraction(factor), Fraction(plus), words
        self.seen = {}

    def steps(self, text):
        if text not in self.seen:
            if self.words is not None:
                self.seen[text] = self.words[text]
            else:
                value = half_away((Fraction(text) * self.factor + self.plus) * 10**self.digits)
                inside = self.low * 10**self.digits <= value <= self.high * 10**self.digits
                self.seen[text] = value if inside else OutOfRange
        if self.seen[text] is OutOfRange:
            raise OutOfRange
        return self.seen[text]


class Dataset:
    """Expected rows of one dataset, and its expected rejects by (reason, field) as distinct messages."""

    def __init__(self, name, zone, every, fields):
        self.name, self.zone, self.every, self.fields = name, ZoneInfo(zone), every, fields
        self.names = list(fields)
        self.rows = {}
        self.rejects = {}
        self.messages = 0
        self.sensor_every = {}

    def reject(self, reason, field, message):
        self.rejects.setdefault((reason, field), set()).add(message)

    def take(self, sensor, when, cells, message):
        """One message: cells are (field, text) of what is mapped and present."""
        self.messages += 1
        try:
            at = when()
        except NoSuchLocalTime:
            return self.reject("no_such_local_time", "", message)
        if not cells:
            return self.reject("no_fields", "", message)
        values = {}
        for field, text in cells:
            try:
                values[field] = self.fields[field].steps(text)
            except OutOfRange:
                self.reject("out_of_range", field, message)
        if values:
            row = self.rows.setdefault((sensor, at), {})
            row.update(values)

    def reject_counts(self):
        return Counter({key: len(messages) for key, messages in self.rejects.items()})


def rows(path, delimiter=","):
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(io.StringIO(file.read()), delimiter=delimiter)


def present(row, pairs, missing):
    """(field, text) of the mapped columns that the row has and that are not a missing marker."""
    return [(field, row[column]) for field, column in pairs if column in row and row[column] not in missing]


def bikes(data):
    dataset = Dataset("bikes", "Europe/Berlin", 3600, {
        "bikes": Field("count", 0, 0, 4500), "bikes_in": Field("count", 0, 0, 4500),
        "bikes_out": Field("count", 0, 0, 4500),
        "temperature": Field("gauge", 1, -60, 140, Fraction(9, 5), 32), "rain": Field("count", 1, 0, 200),
    })
    pairs = [("bikes", "channels_all"), ("bikes_in", "channels_in"), ("bikes_out", "channels_out"),
             ("temperature", "site_temperature"), ("rain", "site_rain_accumulation")]
    for path in sorted(glob.glob(f"{data}/bike-counts-bw/*.csv.gz")):
        for row in rows(path):
            stamp = row["iso_timestamp"]
            dataset.take(row["counter_site_id"], lambda: offset(stamp), present(row, pairs, {"", "na"}),
                         tuple(row.values()))
    return dataset


def rooms(data):
    dataset = Dataset("rooms", "Europe/Amsterdam", 60, {
        "co2": Field("gauge", 1, 200, 10000), "temperature": Field("gauge", 2, -20, 60),
        "humidity": Field("gauge", 1, 1, 100, 100), "valve": Field("gauge", 1, 0, 100, 100),
        "persons": Field("gauge", 0, 0, 200), "occupied": Field("state", 0, 0, 1, words={"0.0": 0, "1.0": 1}),
    })
    names = {"co2__ppm": "co2", "temp_in__degC": "temperature", "rel_humidity__0": "humidity",
             "valve_frac__0": "valve", "occupancy__p": "persons", "occupancy__bool": "occupied"}
    for path in ("999169", "917810", "925038"):
        for row in rows(f"{data}/indoor-co2-b4b/{path}_raw_measurements.csv.gz"):
            message, sensor = tuple(row.values()), f"{row['id']}/{row['source']}"
            if row["property"] not in names:
                dataset.messages += 1
                dataset.reject("no_fields", row["property"], message)
                continue
            stamp = row["timestamp"]
            dataset.take(sensor, lambda: offset(stamp), [(names[row["property"]], row["value"])], message)
    return dataset


def parking_bath(data):
    dataset = Dataset("parking_bath", "Europe/London", 300, {
        "cars": Field("gauge", 0, 0, 1400), "capacity": Field("gauge", 0, 1, 2000),
        "filled": Field("gauge", 2, 0, 110, 100),
        "trend": Field("state", 0, 0, 2, words={"Static": 0, "Filling": 1, "Emptying": 2}),
    })
    local = naive("%Y-%m-%d %H:%M:%S", "Europe/London")
    pairs = [("cars", "Occupancy"), ("capacity", "Capacity"), ("filled", "Proportion"), ("trend", "Status")]
    for path in sorted(glob.glob(f"{data}/parking-bath/*.csv.gz")):
        for row in rows(path):
            dataset.take(row["Name"], lambda: local(row["LastUpdate"]), present(row, pairs, ()), tuple(row.values()))
    return dataset


def parking_birmingham(data):
    dataset = Dataset("parking_birmingham", "Europe/London", 1800, {
        "cars": Field("gauge", 0, 0, 10000), "capacity": Field("gauge", 0, 1, 10000),
    })
    local = naive("%Y-%m-%d %H:%M:%S", "Europe/London")
    pairs = [("cars", "Occupancy"), ("capacity", "Capacity")]
    for row in rows(f"{data}/parking-birmingham/birmingham_2016q4.csv.gz"):
        dataset.take(row["SystemCodeNumber"], lambda: local(row["LastUpdated"]), present(row, pairs, ()),
                     tuple(row.values()))
    return dataset


def aberdeen(data):
    dataset = Dataset("aberdeen", "Europe/London", 150, {
        "pm10": Field("gauge", 1, -10, 500), "pm2_5": Field("gauge", 2, -10, 500), "no2": Field("gauge", 0, -20, 1000),
        "ozone": Field("gauge", 0, -20, 1000), "temperature": Field("gauge", 1, -40, 60),
        "humidity": Field("gauge", 1, 2, 100), "pressure": Field("gauge", 1, 850, 1100, Fraction(1, 100)),
    })
    utc = naive("%Y-%m-%dT%H:%M:%S", "UTC")
    local = naive("%Y-%m-%d %H:%M:%S", "Europe/London")
    dust = [("pm10", "P1"), ("pm2_5", "P2")]
    climate = [("temperature", "temperature"), ("humidity", "humidity"), ("pressure", "pressure")]
    station = [("no2", "Nitrogen Dioxide"), ("pm10", "PM10"), ("pm2_5", "PM2.5"), ("ozone", "Ozone")]
    for kind, pairs in (("sds011", dust), ("dht22", climate), ("bme280", climate)):
        for row in rows(f"{data}/air-aberdeen/{kind}_20190325_20190421.csv.gz", ";"):
            dataset.take(row["sensor_id"], lambda: utc(row["timestamp"]), present(row, pairs, {""}), tuple(row.values()))
    for path in sorted(glob.glob(f"{data}/air-aberdeen/reference/*.csv.gz")):
        name = os.path.basename(path).removesuffix(".csv.gz").removeprefix("aberdeen-")
        dataset.sensor_every[name] = 3600
        for row in rows(path, ";"):
            cells = present(row, station, {"", None})
            dataset.take(name, lambda: local(row["DateTime"]), cells, (name, *row.values()))
    return dataset


ALL = {f.__name__: f for f in (bikes, rooms, parking_bath, parking_birmingham, aberdeen)}

if __name__ == "__main__":
    import sys
    import time
    for name, make in ALL.items():
        began = time.time()
        made = make(sys.argv[1])
        print(f"{name}: {made.messages} messages, {len(made.rows)} readings, "
              f"{sum(made.reject_counts().values())} rejects {dict(made.reject_counts())}, {time.time() - began:.1f} s")
