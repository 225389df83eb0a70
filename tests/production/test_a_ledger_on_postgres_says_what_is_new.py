"""On PostgreSQL a sensor asks one question, and what others write changes the answer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from postgres import binaries, postgres

from dataops_mesh.errors import StoreError
from dataops_mesh.ledger import Operation, add_operation, open_ledger
from dataops_mesh.ledger.mark import mark_of
from dataops_mesh.ledger.trouble.incidents import (
    AuditRecord,
    Trouble,
    record_audit,
    update_incidents,
)


@pytest.mark.needs_postgres
def test_what_is_written_changes_the_answer_and_a_dead_database_is_no_answer():
    assert binaries()
    name, now = "shop.orders", datetime.now(UTC)
    with postgres() as url:
        ledger = open_ledger(url)
        marks = [mark_of(url, [name])]
        update_incidents(ledger, [name], [Trouble(name, "caught", "", "why")], now)
        marks.append(mark_of(url, [name]))
        update_incidents(ledger, [name], [], now)
        marks.append(mark_of(url, [name]))
        record_audit(ledger, AuditRecord(name, now, 1, "c", "passed", 1, (), 0.1))
        marks.append(mark_of(url, [name]))
        add_operation(ledger, Operation(now, "ana", "here", "gc"))
        marks.append(mark_of(url, [name]))
        assert mark_of(url, [name]) == marks[-1]
        assert len(set(marks)) == 4, "what was opened and closed between two looks is no news"
        ledger.close()
    with pytest.raises(StoreError):
        mark_of(url, [name])
