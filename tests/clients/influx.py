"""Writes readings with InfluxDB's own Python clients: influx.py URL KEY VERSION. Ends with an error if the client is told one."""

import sys
from datetime import datetime, timezone
from urllib.parse import urlsplit


def second(url, key):
    """The client of version 2, one body with all kinds of values, and what it says of a line that is wrong."""
    from influxdb_client import InfluxDBClient, Point, WritePrecision
    from influxdb_client.client.write_api import SYNCHRONOUS
    from influxdb_client.rest import ApiException

    with InfluxDBClient(url=url, token=key, org="city", enable_gzip=True) as client:
        assert client.ping(), "ping"
        assert client.version().startswith("1.8"), client.version()
        at = datetime(2026, 3, 1, 8, 0, tzinfo=timezone.utc)
        points = [
            Point("air").tag("room", "a 1,=x").field("co2", 412).field("temperature", 21.55).field("window", "shut").time(at),
            Point("air").tag("room", "b").field("co2", 413).field("window", True).time(at, WritePrecision.S),
        ]
        with client.write_api(write_options=SYNCHRONOUS) as write:
            write.write("any", record=points[:1])
            write.write("any", record=points[1:], write_precision=WritePrecision.S)
            try:
                write.write("any", record="air,room=c co2=abc")
                sys.exit("a wrong line was taken")
            except ApiException as error:
                assert error.status == 400 and "line 1" in error.body, error


def first(url, key):
    """The client of version 1."""
    from influxdb import InfluxDBClient
    from influxdb.exceptions import InfluxDBClientError

    at = urlsplit(url)
    client = InfluxDBClient(at.hostname, at.port, "anybody", key, "city", gzip=True)
    assert client.ping().startswith("1.8")
    point = {"measurement": "air", "tags": {"room": "d"}, "time": "2026-03-01T08:00:00Z", "fields": {"co2": 414, "temperature": 3.0}}
    assert client.write_points([point], time_precision="ms")
    assert client.write_points(["air,room=e co2=415i 1772352000"], time_precision="s", protocol="line")
    try:
        client.write_points(["air,room=f co2=1e9 1772352000"], time_precision="s", protocol="line")
        sys.exit("a wrong value was taken")
    except InfluxDBClientError as error:
        assert error.code == 400 and "dropped=1" in str(error), error


if __name__ == "__main__":
    {"1": first, "2": second}[sys.argv[3]](sys.argv[1], sys.argv[2])
