"""The ledger's tables. Times are ISO 8601 in UTC, so that they sort as text on any database."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()


def _keys(*names: str) -> tuple[Column[str], ...]:
    """Return the columns that name a row."""
    return tuple(Column(name, String(255), primary_key=True) for name in names)


candidates = Table(
    "candidates",
    metadata,
    Column("candidate", String(255), primary_key=True),
    Column("product", String(255), nullable=False),
    Column("product_version", String(64), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("reasons", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("checks_declared", Integer, nullable=False),
    Column("coverage", Float),
    Column("transform_fingerprint", String(255), nullable=False),
    Column("code_version", String(255), nullable=False),
    Column("git_commit", String(64), nullable=False),
    Column("base", BigInteger, nullable=False),
    Column("run_id", String(255), nullable=False),
    Column("person", String(255), nullable=False),
    Column("started", String(40), nullable=False),
    Column("finished", String(40), nullable=False),
    Column("now", String(40), nullable=False),
    Index("candidates_by_product", "product", "finished"),
    # What happened in the whole mesh, and how many of each kind a day, without reading all of it.
    Index("candidates_by_time", "finished", "verdict"),
)

results = Table(
    "results",
    metadata,
    *_keys("candidate", "port", "check"),
    Column("fingerprint", String(255), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("observed", Float),
    Column("rows", BigInteger),
    Column("reason", Text, nullable=False),
    Column("seconds", Float, nullable=False),
)

reads = Table(
    "reads",
    metadata,
    *_keys("candidate", "name"),
    Column("address", String(255)),
    Column("publication", BigInteger),
    Column("input_candidate", String(255)),
    Column("fingerprint", String(255), nullable=False),
)

# One line for each output port that was built: what a later publication is compared with.
ports = Table(
    "ports",
    metadata,
    *_keys("candidate", "address"),
    Column("partition", String(255), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("fingerprint", String(255), nullable=False),
    Column("columns", Text, nullable=False),
)

# How many nulls each column had, and its mean where that may be shown: what is usual for it.
profiles = Table(
    "profiles",
    metadata,
    *_keys("candidate", "address", "column"),
    Column("nulls", BigInteger, nullable=False),
    Column("mean", Float),
)

# How many different values a column had, where that may be shown. A table and no column of
# `profiles`, so that a ledger of an older version becomes one of this by being opened.
distinct_counts = Table(
    "distinct_counts",
    metadata,
    *_keys("candidate", "address", "column"),
    Column("count", BigInteger, nullable=False),
)

publications = Table(
    "publications",
    metadata,
    Column("publication", BigInteger, primary_key=True),
    Column("address", String(255), primary_key=True),
    Column("product", String(255), nullable=False),
    Column("candidate", String(255), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("fingerprint", String(255), nullable=False),
    Column("published", String(40), nullable=False),
    Column("run_id", String(255), nullable=False),
    Column("person", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Index("publications_by_product", "product", "publication"),
)

# One line for each partition that a release switched beside others: a rebuild, a rollback of all.
# `publications` names only the newest candidate of such a port.
parts = Table(
    "parts",
    metadata,
    Column("publication", BigInteger, primary_key=True),
    *_keys("address", "partition"),
    Column("candidate", String(255), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("fingerprint", String(255), nullable=False),
    Index("parts_by_candidate", "candidate"),
)

# One line for each release that switched nothing (a hold, a lift), and for each other in which
# something was held: enough to write it again.
decisions = Table(
    "decisions",
    metadata,
    Column("release", BigInteger, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("product", String(255), nullable=False),
    Column("partition", String(255), nullable=False),
    Column("addresses", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Column("run_id", String(255), nullable=False),
    Column("person", String(255), nullable=False),
    Column("reason", Text, nullable=False),
    Column("standing", Text, nullable=False),
    Index("decisions_by_product", "product", "release"),
)

# What follows is seen by looking at published data and at runs. It cannot be derived from the
# log; when it is lost, the next look opens again what is still wrong.
audits = Table(
    "audits",
    metadata,
    Column("product", String(255), primary_key=True),
    Column("at", String(40), primary_key=True),
    Column("publication", BigInteger, nullable=False),
    Column("candidate", String(255), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("checks", Integer, nullable=False),
    Column("failed", Text, nullable=False),
    Column("seconds", Float, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("incident", String(64), primary_key=True),
    Column("product", String(255), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("why", Text, nullable=False),
    Column("run_id", String(255), nullable=False),
    Column("publication", BigInteger),
    Column("opened", String(40), nullable=False),
    Column("closed", String(40)),
    # One open incident of a kind, whoever sees it first.
    Index(
        "incidents_open",
        "product",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("closed IS NULL"),
        postgresql_where=text("closed IS NULL"),
    ),
)

deliveries = Table(
    "deliveries",
    metadata,
    *_keys("about", "channel"),
    Column("what", String(16), primary_key=True),
    Column("publication", BigInteger),
    Column("at", String(40), nullable=False),
)

# What came of each export of a published port; when it is lost, the next one looks at the target.
exports = Table(
    "exports",
    metadata,
    *_keys("product", "target"),
    Column("at", String(40), primary_key=True),
    Column("outcome", String(16), nullable=False),
    Column("release", BigInteger, nullable=False),
    Column("state", String(64), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("why", Text, nullable=False),
    Column("failures", Integer, nullable=False),
)

# Who is telling a channel something at this moment, so that two who look do not both tell it.
claims = Table(
    "claims",
    metadata,
    *_keys("about", "channel"),
    Column("what", String(16), primary_key=True),
    Column("by", String(64), nullable=False),
    Column("until", Float, nullable=False),
)

# Who may publish which domain: as the store has it, which decides.
owners = Table(
    "owners",
    metadata,
    Column("domain", String(255), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("repository", Text, nullable=False),
    Column("person", String(255), nullable=False),
    Column("at", String(40), nullable=False),
    Column("how", String(32), nullable=False),
)

# What each domain says it owns and reads, one line for each time that it said something new. The
# texts are in the store, under `declaration`; a domain that is loaded again writes it again.
declarations = Table(
    "declarations",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("product", String(255), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("version", String(64), nullable=False),
    Column("status", String(32), nullable=False),
    Column("declaration", String(64), nullable=False),
    Column("facts", Text, nullable=False),
    Column("repository", Text, nullable=False),
    Column("git_commit", String(64), nullable=False),
    Column("code_version", String(255), nullable=False),
    Column("environment", String(255), nullable=False),
    Column("person", String(255), nullable=False),
    Column("registered", String(40), nullable=False),
    Index("declarations_by_product", "product", "number"),
)

# What a person did or asked for, written before it took effect; what came of it, the log says.
operations = Table(
    "operations",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("person", String(255), nullable=False),
    Column("repository", Text, nullable=False),
    Column("operation", String(64), nullable=False),
    Column("subjects", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("release", BigInteger, nullable=False),
    Column("details", Text, nullable=False),
    Index("operations_by_time", "at"),
)

# Runs that left no candidate: cancelled, ended from outside, or failed before anything was built.
runs = Table(
    "attempts",
    metadata,
    *_keys("run_id", "product", "partition"),
    Column("ended", String(40), primary_key=True),
    Column("outcome", String(16), nullable=False),
    Column("why", Text, nullable=False),
    Column("publication", BigInteger),
    Column("person", String(255), nullable=False),
    Column("started", String(40), nullable=False),
    Index("attempts_by_product", "product", "ended"),
)

# By which digests the store keeps what a candidate was built by and judged by.
evidence = Table(
    "evidence",
    metadata,
    Column("candidate", String(255), primary_key=True),
    Column("partition", String(255), nullable=False),
    Column("declaration", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("judged", String(64), nullable=False),
    Column("events", Text, nullable=False),
)
