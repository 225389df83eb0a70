"""Makes the shared builders importable: pytest puts the folder of a conftest on the path."""

from __future__ import annotations
