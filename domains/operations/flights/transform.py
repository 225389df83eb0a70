"""Flights out of New York, batch by batch: the file never is in memory as a whole."""

from __future__ import annotations

import pathlib
import zipfile
from collections.abc import Iterator
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

INSTANT = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    {
        "carrier": pa.string(),
        "flight_number": pa.int32(),
        "origin": pa.string(),
        "scheduled_departure": INSTANT,
        "flight_date": pa.date32(),
        "scheduled_hour": INSTANT,
        "destination": pa.string(),
        "tail_number": pa.string(),
        "departed_at": INSTANT,
        "departure_delay_minutes": pa.int32(),
        "arrival_delay_minutes": pa.int32(),
        "air_minutes": pa.int32(),
        "distance_miles": pa.int32(),
        "cancelled": pa.bool_(),
        "known_aircraft": pa.bool_(),
        "known_origin": pa.bool_(),
        "known_destination": pa.bool_(),
        "known_carrier": pa.bool_(),
    }
)
# Types are given, not guessed: the first block of a file says little about the last.
INTEGERS = ("year", "month", "day", "flight", "minute", "dep_delay", "arr_delay", "air_time")
DELIVERED = csv.ConvertOptions(
    null_values=["NA"],
    strings_can_be_null=True,
    column_types={
        **dict.fromkeys((*INTEGERS, "distance"), pa.int32()),
        **dict.fromkeys(("carrier", "tailnum", "origin", "dest"), pa.string()),
        "time_hour": INSTANT,
    },
)


def transform(
    flights_zip: pathlib.Path,
    network_airports: pa.Table,
    network_airlines: pa.Table,
    fleet_aircraft: pa.Table,
    now: datetime,
    partition_start: date,
    partition_end: date,
) -> pa.RecordBatchReader:
    """Return a month's flights scheduled up to now, flagged with what the mesh knows of them."""
    known = {
        "airport": network_airports["airport"].combine_chunks(),
        "carrier": network_airlines["carrier"].combine_chunks(),
        "aircraft": fleet_aircraft["tail_number"].combine_chunks(),
    }

    def batches() -> Iterator[pa.RecordBatch]:
        with zipfile.ZipFile(flights_zip) as archive, archive.open("flights.csv") as file:
            for delivered in csv.open_csv(file, convert_options=DELIVERED):
                flights = _flights(_of_month(delivered, partition_start), known)
                day = flights["flight_date"]
                within = pc.and_(
                    pc.greater_equal(day, partition_start), pc.less(day, partition_end)
                )
                flown = pc.less_equal(flights["scheduled_departure"], now)
                yield flights.filter(pc.and_(within, flown))

    return pa.RecordBatchReader.from_batches(SCHEMA, batches())


def _of_month(delivered: pa.RecordBatch, first: date) -> pa.RecordBatch:
    """Return the rows of one month; most of a file is of others, and is not worked on."""
    return delivered.filter(pc.equal(delivered["month"], first.month))


def _flights(delivered: pa.RecordBatch, known: dict[str, pa.Array]) -> pa.RecordBatch:
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
    return pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _minutes(count: pa.Array) -> pa.Array:
    return pc.multiply(count.cast(pa.int64()), 60_000_000).cast(pa.duration("us"))


def _dates(delivered: pa.RecordBatch) -> pa.Array:
    """Return the local day from its three numbers, which needs no time zone database."""
    year, month, day = (
        pc.utf8_lpad(delivered[name].cast(pa.string()), 2, "0") for name in ("year", "month", "day")
    )
    return pc.binary_join_element_wise(year, month, day, "-").cast(pa.date32())
