"""What looks like personal data is shown of no column, whatever its class says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quality_cases import parquet, run

from dataops_mesh.quality.redact import looks_like, shown
from dataops_mesh.spec.checks.measures import OutsideSet

PERSONAL = {
    "ana@mesh.example": "an e-mail", "write to Ana.Smith+x@sub.mesh.example!": "an e-mail",
    "DE89370400440532013000": "an IBAN", "iban de89 3704 0044 0532 0130 00 please": "an IBAN",
    "GB82-WEST-1234-5698-7654-32": "an IBAN", "4111111111111111": "a card number",
    "card 5500-0000-0000-0004": "a card number", "4111111111111111 0": "a card number",
    "7 4111 1111 1111 1111 22": "a card number", "ana\u200b@mesh.example": "an e-mail",
    "123-45-6789": "a social security number", "+49 (30) 1234 5678": "a phone number",
    "(555) 123-4567": "a phone number", "555-123-4567": "a phone number",
    "0049301234567": "a phone number", "030 / 123 45 67": "a phone number",
}  # fmt: skip
HARMLESS = ["EWR", "N10156", "2013-01-01 10:00:00-05", "2013-12-31", "10:15:00.000001", "1013.25",
            "40.6925, -74.1687", "4111111111111112", "https://mesh.example/a", "v1.2.3", "", "-99",
            "550e8400-e29b-41d4-a716-446655440000", "a @ b", "1,234,567.89"]  # fmt: skip


@pytest.mark.parametrize("text", PERSONAL)
def test_it_is_seen_and_replaced(text):
    assert looks_like(text) == PERSONAL[text]
    assert shown(text, 80) == f"<looks like {PERSONAL[text]}>"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_is_shown(text):
    assert shown(text, 80) == text


@given(st.text(max_size=60), st.sampled_from(sorted(PERSONAL)), st.text(max_size=60))
def test_words_around_it_hide_it_never(before, secret, after):
    assert secret not in (shown(f"{before} {secret} {after}", 80) or "")


def test_a_sample_of_a_public_column_is_masked_also_where_it_is_cut(tmp_path):
    long = "x" * 75 + " ana.smith@mesh.example"
    connection = parquet(tmp_path, f"select '{long}' as c union all select 'odd'")
    (result,) = run(connection, OutsideSet("c", ("fine",)), safe=("c",))
    assert {cell for row in result.sample for _, cell in row} == {"<looks like an e-mail>", "odd"}
