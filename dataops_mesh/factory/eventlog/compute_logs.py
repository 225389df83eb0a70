"""What a step prints, kept as Dagster keeps it, by children that outlive a Ctrl-C."""

import signal
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._serdes import ConfigurableClassData


class KeptComputeLogManager(LocalComputeLogManager):
    """Dagster's, whose children do not hear what a terminal sends to all its processes.

    They show on the terminal what the step prints, and each has one beside it that ends it when
    the run dies. At a Ctrl-C these printed their own tracebacks, and the run's last lines were
    lost. Whoever started them ends them with SIGTERM.
    """

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "KeptComputeLogManager":
        """Return the one that `dagster.yaml` or a default asks for."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Generator[CapturedLogContext, None, None]:
        """Keep what is printed until the block ends."""
        with ExitStack() as stack:
            with _started_without_interrupts():
                context = stack.enter_context(super().capture_logs(log_key))
            yield context


@contextmanager
def _started_without_interrupts() -> Iterator[None]:
    """Block SIGINT in this thread: children are born with it blocked; ours comes afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
