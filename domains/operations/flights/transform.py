"""Flights out of New York, batch by batch: the file never is in memory as a whole."""

from __future__ import annotations

import pathlib
import zipfile
from collections.abc import Iterator
from datetime import datetime

import pyarrow
import pyarrow.compute as pc
from pyarrow import csv

INSTANT = pyarrow.timestamp("us", tz="UTC")
SCHEMA = pyarrow.schema(
    {
        "carrier": pyarrow.string(),
        "flight_number": pyarrow.int32(),
        "origin": pyarrow.string(),
        "scheduled_departure": INSTANT,
        "flight_date": pyarrow.date32(),
        "scheduled_hour": INSTANT,
        "destination": pyarrow.string(),
        "tail_number": pyarrow.string(),
        "departed_at": INSTANT,
        "departure_delay_minutes": pyarrow.int32(),
        "arrival_delay_minutes": pyarrow.int32(),
        "air_minutes": pyarrow.int32(),
        "distance_miles": pyarrow.int32(),
        "cancelled": pyarrow.bool_(),
        "known_aircraft": pyarrow.bool_(),
        "known_origin": pyarrow.bool_(),
        "known_destination": pyarrow.bool_(),
        "known_carrier": pyarrow.bool_(),
    }
)
# Types are given, not guessed: the first block of a file says little about the last.
INTEGERS = ("year", "month", "day", "flight", "minute", "dep_delay", "arr_delay", "air_time")
DELIVERED = csv.ConvertOptions(
    null_values=["NA"],
    strings_can_be_null=True,
    column_types={
        **dict.fromkeys((*INTEGERS, "distance"), pyarrow.int32()),
        **dict.fromkeys(("carrier", "tailnum", "origin", "dest"), pyarrow.string()),
        "time_hour": INSTANT,
    },
)


def transform(
    flights_zip: pathlib.Path,
    network_airports: pyarrow.Table,
    network_airlines: pyarrow.Table,
    fleet_aircraft: pyarrow.Table,
    now: datetime,
) -> pyarrow.RecordBatchReader:
    """Return the flights scheduled up to now, flagged with what the mesh knows of them."""
    known = {
        "airport": network_airports["airport"].combine_chunks(),
        "carrier": network_airlines["carrier"].combine_chunks(),
        "aircraft": fleet_aircraft["tail_number"].combine_chunks(),
    }

    def batches() -> Iterator[pyarrow.RecordBatch]:
        with zipfile.ZipFile(flights_zip) as archive, archive.open("flights.csv") as file:
            for delivered in csv.open_csv(file, convert_options=DELIVERED):
                flights = _flights(delivered, known)
                yield flights.filter(pc.less_equal(flights["scheduled_departure"], now))

    return pyarrow.RecordBatchReader.from_batches(SCHEMA, batches())


def _flights(
    delivered: pyarrow.RecordBatch, known: dict[str, pyarrow.Array]
) -> pyarrow.RecordBatch:
    """Rename, turn clock readings into instants, and flag."""
    tail_number, delay = delivered["tailnum"], delivered["dep_delay"]
    scheduled = pc.add(delivered["time_hour"], _minutes(delivered["minute"]))
    registered = pc.is_in(tail_number, known["aircraft"])
    columns = {
        "carrier": delivered["carrier"],
        "flight_number": delivered["flight"],
        "origin": delivered["origin"],
        "scheduled_departure": scheduled,
        "flight_date": _dates(delivered),
        "scheduled_hour": delivered["time_hour"],
        "destination": delivered["dest"],
        "tail_number": tail_number,
        "departed_at": pc.add(scheduled, _minutes(delay)),
        "departure_delay_minutes": delay,
        "arrival_delay_minutes": delivered["arr_delay"],
        "air_minutes": delivered["air_time"],
        "distance_miles": delivered["distance"],
        "cancelled": pc.is_null(delivered["dep_time"]),
        # Without a tail number there is nothing to know or not to know.
        "known_aircraft": pc.if_else(pc.is_null(tail_number), None, registered),
        "known_origin": pc.is_in(delivered["origin"], known["airport"]),
        "known_destination": pc.is_in(delivered["dest"], known["airport"]),
        "known_carrier": pc.is_in(delivered["carrier"], known["carrier"]),
    }
    return pyarrow.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _minutes(count: pyarrow.Array) -> pyarrow.Array:
    return pc.multiply(count.cast(pyarrow.int64()), 60_000_000).cast(pyarrow.duration("us"))


def _dates(delivered: pyarrow.RecordBatch) -> pyarrow.Array:
    """Return the local day from its three numbers, which needs no time zone database."""
    year, month, day = (
        pc.utf8_lpad(delivered[name].cast(pyarrow.string()), 2, "0")
        for name in ("year", "month", "day")
    )
    return pc.binary_join_element_wise(year, month, day, "-").cast(pyarrow.date32())
