"""The record of candidates, results, publications and reads, for questions about history.

Derived from manifests and releases, so it may be lost and written again; it takes them as the
plain data of their JSON and knows nothing of the engine.
"""

from __future__ import annotations

from dataops_mesh.ledger.changes import Change, changes, pieces_of, switches_of
from dataops_mesh.ledger.database import Ledger, open_ledger
from dataops_mesh.ledger.decisions import standing_of
from dataops_mesh.ledger.operations import Operation, add_operation, operations
from dataops_mesh.ledger.owners import record_owners, recorded_owners
from dataops_mesh.ledger.query import (
    Event,
    ProductStatus,
    history,
    known_candidates,
    last_release,
    results_of,
    status,
)
from dataops_mesh.ledger.reads import last_reads
from dataops_mesh.ledger.registry import (
    Offer,
    Registration,
    Use,
    Word,
    record_registrations,
    registrations,
)
from dataops_mesh.ledger.runs import CANCELLED, FAILED, RunEnd, is_on_record, record_end
from dataops_mesh.ledger.write import record_candidate, record_release

__all__ = [
    "CANCELLED",
    "FAILED",
    "Change",
    "Event",
    "Ledger",
    "Offer",
    "Operation",
    "ProductStatus",
    "Registration",
    "RunEnd",
    "Use",
    "Word",
    "add_operation",
    "changes",
    "history",
    "is_on_record",
    "known_candidates",
    "last_reads",
    "last_release",
    "open_ledger",
    "operations",
    "pieces_of",
    "record_candidate",
    "record_end",
    "record_owners",
    "record_registrations",
    "record_release",
    "recorded_owners",
    "registrations",
    "results_of",
    "standing_of",
    "status",
    "switches_of",
]
