"""Does the store's own part grow with the mesh?"""

from __future__ import annotations

from typing import Any

from benchmarks.harness import found, measure
from benchmarks.model import OURS, Answer, Bench, Contestant, Goal, Measured, Scale

NAMES = {
    "commit": f"{OURS}: commit",
    "pin": f"{OURS}: pin and bind three inputs",
    "look": f"{OURS}: look for something new",
    "list": f"{OURS}: list every port",
    "open": f"{OURS}: open a sandbox",
}
WORK = (
    "A store as that many publications leave it, in domains of at most 200 products; ports of a "
    "domain share their entry, so that files have their true sizes and the disk has room. Measured "
    "is CPU, the median of several times, each with nothing in memory, as in a new process: "
    "committing one product (of a port in partitions, one of them), pinning a release and binding "
    "three inputs, looking whether there is a new release, listing every port as `mesh status` "
    "does, and opening a sandbox."
)


def ask(bench: Bench) -> Answer:
    """Measure by products and by partitions of each."""
    products = bench.choose((10, 200), (10, 1_000), (10, 1_000, 10_000))
    partitions = bench.choose((1, 40), (1, 365), (1, 365, 3_650))
    measured: list[Measured] = []
    for many in products:
        for cut in partitions:
            given: dict[str, Any] = {"products": many, "partitions": cut}
            times = bench.choose(2, 9, 15)
            contestants = [
                Contestant(
                    name,
                    "benchmarks.contestants.sizes:sizes",
                    {**given, "what": what, "times": times},
                )
                for what, name in NAMES.items()
            ]
            case = _case(many, cut)
            measured += measure(bench, case, contestants, repeats=bench.choose(1, 1, 3))
    goals = _goals(measured, products, partitions) if bench.scale is not Scale.TINY else ()
    return Answer("sizes", "The store as the mesh grows", WORK, tuple(measured), goals)


def _case(products: int, partitions: int) -> str:
    return f"{products:,} x {partitions:,}"


def _goals(
    measured: list[Measured], products: tuple[int, ...], partitions: tuple[int, ...]
) -> tuple[Goal, ...]:
    cases = [_case(many, cut) for many in products for cut in partitions]
    slowest = {
        what: 1000 * max(found(measured, NAMES[what], case).seconds for case in cases)
        for what in ("commit", "pin", "look", "open")
    }
    last = _case(products[-1], partitions[-1])
    listed = 1000 * found(measured, NAMES["list"], last).seconds * 10_000 / products[-1]
    return (
        *(
            Goal(f"{what}: at most 10 ms at every size", found_, at_most=10, unit="ms")
            for what, found_ in slowest.items()
        ),
        Goal("list: at most 20 ms for 10,000 ports", listed, at_most=20, unit="ms"),
    )
