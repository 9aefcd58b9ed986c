"""``ratchet`` in this process. Its commands are made once, which takes longer than most of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from typer.main import get_command
from typer.testing import CliRunner

from bot.__main__ import cli

COMMANDS = get_command(cli)


class Told(NamedTuple):
    """The end of a command, and what it said."""

    exit_code: int
    stdout: str
    stderr: str


def invoke(arguments: Sequence[str], env: Mapping[str, str] | None = None) -> Told:
    """Runs ``ratchet`` with ``arguments`` to its end; ``env`` is set beside the environment.

    An error that `ratchet` does not tell is raised.
    """
    with CliRunner().isolation(env=env) as (out, err, _):
        code: object = None
        try:
            COMMANDS.main(args=list(arguments), prog_name="ratchet")
        except SystemExit as end:
            code = end.code
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        assert code is None or isinstance(code, int), code
        return Told(code or 0, out.getvalue().decode(), err.getvalue().decode())
