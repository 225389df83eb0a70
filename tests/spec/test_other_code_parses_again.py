"""What was parsed by other code than today's is not taken: code is told by its dates."""

from __future__ import annotations

import os
import time

import pytest

from dataops_mesh.spec.kept import kept


@pytest.mark.parametrize("name", ["spec/deep/two.py", "spec/schema.json", "errors.py"])
def test_code_of_the_same_size_and_date_is_other_code(name, tmp_path, monkeypatch):
    """As in an image whose files all have one date."""
    for folder in ("spec/deep", "policy", "transform"):
        (tmp_path / folder).mkdir(parents=True)
    files = [tmp_path / one for one in ("spec/deep/two.py", "spec/schema.json", "errors.py", "cron.py")]  # fmt: skip
    for file in files:
        file.write_text("a = 1", "utf-8")
        os.utime(file, (0, 0))
    monkeypatch.setattr(kept, "_LIBRARY", tmp_path)
    digest = kept.library.__wrapped__
    before = digest()
    assert before == digest()
    time.sleep(0.02)  # what clocks of file systems can tell
    (tmp_path / name).write_text("a = 2", "utf-8")
    os.utime(tmp_path / name, (0, 0))
    edited = digest()
    (tmp_path / "policy" / "new.py").touch()
    assert len({before, edited, digest()}) == 3
