"""What a mask makes of a value in SQL is what it makes of it in Python."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import nullcontext
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_mesh.engine import mask
from dataops_mesh.engine.mask import Masked, expression, mask_port
from dataops_mesh.errors import RunError
from dataops_mesh.spec.mask import Mask, MaskKind
from dataops_mesh.spec.model import Address

KEY = "a long enough key of people"


def hashed(text: str) -> str:
    return hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


VALUES = {
    "VARCHAR": st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    "BIGINT": st.integers(-(2**62), 2**62),
    "DECIMAL(18,3)": st.integers(-(10**14), 10**14).map(lambda n: Decimal(n).scaleb(-3)),
    "DATE": st.dates(date(1, 1, 1), date(9999, 1, 1)),
    "TIMESTAMP": st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1)),  # noqa: DTZ001
}
MASKS = {
    "VARCHAR": [
        Mask(MaskKind.HASH, secret="people"),  # noqa: S106 - its name
        Mask(MaskKind.PARTIAL, first=2, last=1),
        Mask(MaskKind.PARTIAL, last=4),
        Mask(MaskKind.CONSTANT, constant="it's"),
    ],
    "BIGINT": [Mask(MaskKind.BUCKET, bucket=7), Mask(MaskKind.CONSTANT, constant=3)],
    "DECIMAL(18,3)": [Mask(MaskKind.BUCKET, bucket=Decimal("0.25"))],
    "DATE": [Mask(MaskKind.BUCKET, bucket="month"), Mask(MaskKind.CONSTANT)],
    "TIMESTAMP": [Mask(MaskKind.BUCKET, bucket="hour")],
}
CASES = [(kind, mask) for kind, masks in MASKS.items() for mask in masks]


def wanted(mask: Mask, value: object) -> object:
    """Say in Python what the mask makes of a value."""
    if value is None or mask.makes_nulls:
        return None
    match mask.kind:
        case MaskKind.HASH:
            return hashed(str(value))
        case MaskKind.CONSTANT:
            return mask.constant
        case MaskKind.PARTIAL:
            text, hidden = str(value), len(str(value)) - mask.first - mask.last
            if hidden <= 0:
                return "*" * len(text)
            return text[: mask.first] + "*" * hidden + text[len(text) - mask.last :]
    if isinstance(value, datetime):
        return value.replace(minute=0, second=0, microsecond=0)
    if isinstance(value, date):
        return value.replace(day=1)
    return value // mask.bucket * mask.bucket if isinstance(value, int) else _floor(value, mask)


def _floor(value, mask: Mask) -> Decimal:
    return (value / mask.bucket).to_integral_value("ROUND_FLOOR") * mask.bucket


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_sql_makes_of_a_value_is_what_python_makes_of_it(data):
    kind, mask = data.draw(st.sampled_from(CASES))
    values = data.draw(st.lists(st.none() | VALUES[kind], min_size=1, max_size=8))
    value, itself = expression(Masked("x", mask, KEY.encode()), "x", kind)
    with duckdb.connect() as con:
        con.execute(f"create table t (n int, x {kind})")
        con.executemany("insert into t values (?, ?)", list(enumerate(values)))
        found = con.execute(f"select {value}, {itself} from t order by n").fetchall()
    for given_value, (made, same) in zip(values, found, strict=True):
        assert made == wanted(mask, given_value)
        if given_value is not None and made == given_value:
            assert same  # else the writing would end


@pytest.mark.parametrize(
    ("rows", "made", "fits"),
    [
        (("a", "b"), "'x' || mail", True),
        (("a", "a", "b"), "'x' || mail", True),
        ((None, None, "b"), "'x' || mail", True),
        (("a", "b", None), "'xx'", False),
        (("a", "a", "b"), "'xx'", False),
        ((), "'xx'", True),
    ],
)
def test_a_key_repeats_in_the_masked_form_as_often_as_in_the_clear_one(
    tmp_path: Path, monkeypatch, rows, made, fits
):
    """Whatever a mask makes: one that makes the same of two values ends the writing."""
    (tmp_path / "people").mkdir()
    file = tmp_path / "people" / "part-0.parquet"
    masks = [Masked("mail", Mask(MaskKind.HASH), KEY.encode())]
    monkeypatch.setattr(
        mask, "_hash", lambda column, _: f"CASE WHEN {column} IS NOT NULL THEN {made} END"
    )
    told = nullcontext() if fits else pytest.raises(RunError, match="other keys than the clear")
    with duckdb.connect() as con:
        table = pa.table({"mail": pa.array(rows, pa.string())})
        pq.write_table(table, file)
        with told:
            mask_port(con, tmp_path, Address("hr", "people"), masks, keys=[("mail",)])
