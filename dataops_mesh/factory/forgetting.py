"""What Dagster keeps of what a removal takes: samples of check results, and printed output."""

from collections.abc import Callable, Collection
from typing import Protocol, runtime_checkable

from dataops_mesh.factory.describe import CANDIDATE
from dataops_mesh.factory.events import SAMPLE
from dataops_mesh.factory.instance import open_instance
from dataops_mesh.run.word.erase import Forgot, Traces
from dataops_mesh.settings import Settings

STRANGE = (
    "Dagster's instance was not written by `mesh`: samples of what was erased may be left in its "
    "event log (docs/removing.md says how to delete them)"
)


@runtime_checkable
class Forgets(Protocol):
    """The instance that `mesh` writes (eventlog/instance.py), which only Dagster loads."""

    def forget_samples(
        self, name: str, about: str, candidates: Collection[str], runs: Collection[str]
    ) -> tuple[str, bool]:
        """Delete the samples of candidates; say what is left, and whether to try again."""
        ...


def forget_in(settings: Settings) -> Callable[[Traces], Forgot]:
    """Return what deletes the traces of a removal from the workspace's Dagster instance.

    Check results keep their numbers. What the runs printed goes whole, other products' lines of
    the same run included: nobody can tell them apart.
    """

    def forget(traces: Traces) -> Forgot:
        with open_instance(settings) as instance:
            for run in sorted(traces.runs):
                instance.compute_log_manager.delete_logs(prefix=[run, "compute_logs"])
            if not isinstance(instance, Forgets):
                return Forgot((STRANGE,))
            left, again = instance.forget_samples(SAMPLE, CANDIDATE, traces.candidates, traces.runs)
        return Forgot((left,) if left else (), again)

    return forget
