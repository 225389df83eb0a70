"""What the processes of the tests on concurrency and kills do: count, one more each run."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

from dataops_mesh.errors import ConflictError
from dataops_mesh.run.environment import open_environment
from dataops_mesh.run.product import run_product
from dataops_mesh.settings import load_settings
from dataops_mesh.spec.loader import load_product


def count(root: str, times: int) -> None:
    """Run the product, and say each publication; one that was overtaken too often is tried again."""
    settings = load_settings(Path(root))
    found = load_product(settings.domains_folder / "shop" / "counter", settings.root)
    done = 0
    while done < times or times == 0:
        try:
            report = run_product(found, open_environment(settings), run_id=uuid.uuid4().hex[:12])
        except ConflictError:
            continue
        assert report.published
        done += 1
        sys.stdout.write(f"{report.publication}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    count(sys.argv[1], int(sys.argv[2]))
