"""serve: the app."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from ingest_core.cli.parser import command
from ingest_core.cli.supervisor import Supervisor
from ingest_core.errors import ConfigError


def add_commands(parsers: Any) -> None:
    """Registers the command that starts the app."""
    serve = command(parsers, "serve", "Start the app and open it in the browser.", _serve)
    serve.add_argument("--port", type=int, default=8501)
    serve.add_argument("--no-browser", action="store_true")
    serve.set_defaults(needs_workspace=False)


def _serve(_: object, args: argparse.Namespace) -> NoReturn:
    """Runs the Streamlit server, which opens the workspace itself, and starts it again when it had to leave."""
    app = Path(__file__).resolve().parents[2] / "app.py"
    if not app.exists():
        raise ConfigError(
            "The app is not installed beside ingest_core.", code="no_app", hint="Run it from the project folder."
        )
    home = getattr(args, "home", None) or os.environ.get("ONRAMP_HOME")
    if home is not None:
        os.environ["ONRAMP_HOME"] = str(Path(home).absolute())
    server = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(args.port), "--server.headless"]
    again = [*server, "true"]  # the person's page finds the new one by itself
    raise SystemExit(Supervisor(_say).run(again if args.no_browser else [*server, "false"], again, app.parent))


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
