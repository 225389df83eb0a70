"""A real S3-compatible store (SeaweedFS, one binary) in a folder of its own, with a bucket."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from ports import free_port

KEY, SECRET = "meshkey", "mesh5ecret5ecret"


def weed() -> str:
    """Return SeaweedFS's program, where it is installed."""
    beside = Path(sys.executable).parent / "weed"
    return str(beside) if beside.is_file() else shutil.which("weed") or ""


@dataclass
class Lake:
    """A bucket, as its owner writes to it."""

    port: int
    store: Any

    @property
    def connection(self) -> str:
        return f"http://{KEY}:{SECRET}@127.0.0.1:{self.port}"

    def put(self, name: str, content: bytes) -> None:
        import obstore

        obstore.put(self.store, name, content)

    def delete(self, name: str) -> None:
        import obstore

        obstore.delete(self.store, name)


@contextmanager
def lake(folder: Path) -> Iterator[Lake]:
    """Run a store and yield its bucket `lake`."""
    port = free_port()
    ports = [f"-{part}={free_port()}" for part in ("master.port", "volume.port", "filer.port")]
    identity = {
        "name": "mesh",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "List", "Write"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}), "utf-8")
    (folder / "data").mkdir()
    log = folder / "log.txt"
    command = [
        weed(), "server", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        *ports, "-s3", f"-s3.port={port}", f"-s3.config={config}", "-master.telemetry=false",
        "-volume.max=4", "-master.volumeSizeLimitMB=64",
    ]  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=folder)
        try:
            yield _bucket(port, process, log)
        finally:
            process.kill()  # its files go with the test
            process.wait()


def _bucket(port: int, process: subprocess.Popen[bytes], log: Path) -> Lake:
    import obstore
    from obstore.store import S3Store

    store = S3Store(
        "lake",
        endpoint=f"http://127.0.0.1:{port}",
        access_key_id=KEY,
        secret_access_key=SECRET,
        region="us-east-1",
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    until = time.monotonic() + 60
    while True:
        try:
            _make_bucket(port)
            obstore.put(store, "ready", b"1")
            obstore.delete(store, "ready")
        except Exception:
            assert process.poll() is None, log.read_text("utf-8", "replace")[-2000:]
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return Lake(port, store)


def put_as_it_is(port: int, path: str, content: bytes = b"") -> requests.Response:
    """Ask for what obstore would not: a bucket, or a file of any name; signed as S3 has it.

    Args:
        port: of the store.
        path: as a URL has it.
        content: of the file.
    """
    now = dt.datetime.now(dt.UTC)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    host, digest = f"127.0.0.1:{port}", hashlib.sha256(content).hexdigest()
    signed = "host;x-amz-content-sha256;x-amz-date"
    asked = (
        f"PUT\n{path}\n\nhost:{host}\nx-amz-content-sha256:{digest}\nx-amz-date:{stamp}\n\n"
        f"{signed}\n{digest}"
    )
    scope = f"{day}/us-east-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in (day, "us-east-1", "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    proof = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers = {
        "x-amz-date": stamp,
        "x-amz-content-sha256": digest,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, "
        f"SignedHeaders={signed}, Signature={proof}",
    }
    return requests.put(f"http://{host}{path}", data=content, headers=headers, timeout=5)


def _make_bucket(port: int) -> None:
    answer = put_as_it_is(port, "/lake")
    assert answer.status_code in {200, 409}, answer.text
