"""Where data lies that is no file here: the web, a bucket, a database, what a dlt resource asks."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit, urlunsplit

PARTITION_KEY = "{partition}"
WEB, BUCKET = ("http", "https"), "s3"
SCHEMES = (*WEB, BUCKET)
_WORD = re.compile(r"[A-Za-z0-9_.:+-]*")
_RESOURCE = re.compile(r"([^:()]+\.py):([A-Za-z_]\w*)(?:\(([^()]+)\))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Remote:
    """What a source fetches before it is read as files.

    Args:
        url: an address of HTTP(S), or of files in a bucket, `s3://bucket/prefix/*.parquet`.
        query: one SELECT, in the words of the database.
        resource: a resource of dlt, `<file>.py:<name>`, or `<file>.py:<name>({partition})`.
        connection: the name of what opens it; only the gate knows what that is.
        changed: a SELECT that answers cheaply whether the query has anything new.
        every: how many seconds lie between two looks for something new; 0 if nobody said.
    """

    url: str = ""
    query: str = ""
    connection: str = ""
    changed: str = ""
    every: float = 0.0
    resource: str = ""

    @property
    def is_cut(self) -> bool:
        """Tell whether each partition is fetched by itself."""
        return any(PARTITION_KEY in text for text in (self.url, self.query, self.resource))

    @property
    def shown(self) -> str:
        """Return where the data is, without anything that may be a secret.

        >>> Remote(url="https://data.example/a.csv?token=x").shown
        'https://data.example/a.csv'
        """
        if self.query:
            return f"a query on {self.connection}"
        if self.resource:
            return f"the resource {self.resource}"
        return shown(self.url)

    def of(self, key: str) -> Remote:
        """Return what is fetched for a partition.

        >>> Remote(url="https://data.example/{partition}.csv").of("a b").url
        'https://data.example/a%20b.csv'
        """
        named = key if self.is_bucket else quote(key, safe="")
        return replace(
            self,
            url=self.url.replace(PARTITION_KEY, named),
            query=self.query.replace(PARTITION_KEY, key),
            changed=self.changed.replace(PARTITION_KEY, key),
            resource=self.resource.replace(PARTITION_KEY, key),
        )

    @property
    def is_bucket(self) -> bool:
        """Tell whether it is files of a bucket."""
        return self.url.startswith(f"{BUCKET}://")


def called(resource: str) -> tuple[str, str, str] | None:
    """Return the file of a resource, its name, and what it is called with; None if it is none.

    >>> called("orders.py:orders"), called("api/orders.py:day({partition})"), called("orders")
    (('orders.py', 'orders', ''), ('api/orders.py', 'day', '{partition}'), None)
    """
    found = _RESOURCE.fullmatch(resource)
    return (found[1], found[2], found[3] or "") if found else None


def shown(url: str) -> str:
    """Return an address without its query: a token may stand in it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def is_word(key: str) -> bool:
    """Tell whether a partition's key can be put into a query or a name, whatever is around it.

    >>> is_word("2013-01-05"), is_word("it's"), is_word("a/../b")
    (True, False, False)
    """
    return bool(_WORD.fullmatch(key))
