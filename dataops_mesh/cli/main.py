"""`mesh`: what it takes is in `commands`, by panel; each imports what it needs when it is called.

Exit codes: 0 all is well; 1 a gate closed or a check found problems; 2 the call, a declaration
or a setting is not valid; 3 a bug in mesh itself.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Annotated

import typer

from dataops_mesh.cli.commands.decide import add_decide_commands
from dataops_mesh.cli.commands.domains import add_domain_commands
from dataops_mesh.cli.commands.hold import add_hold_commands
from dataops_mesh.cli.commands.imports import add_import_commands
from dataops_mesh.cli.commands.incident import add_incident_commands
from dataops_mesh.cli.commands.look import add_look_commands
from dataops_mesh.cli.commands.new import add_new_commands
from dataops_mesh.cli.commands.reports import add_report_commands
from dataops_mesh.cli.commands.run import add_run_commands
from dataops_mesh.cli.commands.sandbox import add_sandbox_commands
from dataops_mesh.cli.commands.store import add_store_commands
from dataops_mesh.cli.commands.write import add_write_commands
from dataops_mesh.cli.output import BUG, INTERRUPTED, WRONG, say_bug, say_disk, say_problems
from dataops_mesh.cli.withdrawing import add_withdraw_command
from dataops_mesh.errors import DISK, MeshError
from dataops_mesh.settings import PREFIX

_LINE = (f"{PREFIX}SANDBOX", "DAGSTER_HOME")  # what a command in a sandbox changes
_AGAIN = 0.05  # seconds after which an interrupt that was lost is raised again
app = typer.Typer(
    name="mesh",
    help="Data products behind a gate: declare, run, look, roll back.",
    epilog="Exit codes: 0 all is well; 1 a gate closed or a check found problems; 2 the call, a "
    "declaration or a setting is not valid; 3 a bug in mesh itself.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _say_version(asked: bool) -> None:  # noqa: FBT001 - what typer calls
    if asked:
        from dataops_mesh import __version__

        print(f"dataops-mesh {__version__}")  # noqa: T201 - the CLI's output
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="show it")
    ] = False,
) -> None:
    """Data products behind a gate: declare, run, look, roll back."""
    del version
    if context.invoked_subcommand and os.environ.get(f"{PREFIX}SANDBOX"):
        from dataops_mesh.cli.sandbox.entering import enter_asked

        enter_asked(context.invoked_subcommand)


add_new_commands(app)
add_import_commands(app)
add_write_commands(app)
add_run_commands(app)
add_look_commands(app)
add_decide_commands(app)
add_domain_commands(app)
add_hold_commands(app)
add_incident_commands(app)
add_withdraw_command(app)
add_sandbox_commands(app)
add_store_commands(app)
add_report_commands(app)
add_import_commands(app)


def main() -> None:
    """Run the command line and turn problems into messages."""
    # A library below dbt puts a handler on the root logger unless there is one.
    logging.getLogger().addHandler(logging.NullHandler())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is no bug
            stream.reconfigure(errors="backslashreplace")
    hook = sys.unraisablehook
    interrupted = _listen()
    before = {name: os.environ.get(name) for name in _LINE}
    try:
        app(prog_name="mesh")
    except MeshError as error:
        if interrupted:
            sys.exit(INTERRUPTED)
        say_problems(error)
        sys.exit(WRONG)
    except BrokenPipeError:
        # Who reads has read enough, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.errno not in DISK:
            say_bug(error)
            sys.exit(BUG)
        say_disk(error)
        sys.exit(WRONG)
    except Exception as error:  # noqa: BLE001 - a bug: said in one line, with the place of the rest
        if interrupted:
            sys.exit(INTERRUPTED)
        say_bug(error)
        sys.exit(BUG)
    finally:  # whoever called us in his own process goes on where he was
        sys.unraisablehook = hook
        _restore(before)


def _restore(before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _listen() -> Sequence[int]:
    """Let SIGINT and SIGTERM stop what runs, and return those that came.

    DuckDB makes a `RuntimeError` of an interrupt during a query: no bug, whoever meets it. One that
    is raised in a `__del__` or a callback of a weak reference is lost: Python hands it to
    `sys.unraisablehook`, and from there it is raised again a moment later.
    """
    came: list[int] = []
    said = sys.unraisablehook

    def stop(number: int, _: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    def again(lost: sys.UnraisableHookArgs) -> None:
        if lost.exc_type is not KeyboardInterrupt or not came:
            said(lost)
            return
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)

    sys.unraisablehook = again
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as a shell starts what is behind
        signal.signal(signal.SIGINT, stop)
    return came


if __name__ == "__main__":
    main()
