"""Drives the command line as a script would: arguments in, exit code and text out, one workspace folder."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_core.cli.main import main
from ingest_core.workspace import Workspace

RECEIPT = {
    "request_id", "source", "file", "sha256", "uploaded_by", "status", "badges", "physical_lines", "lines", "blank",
    "stored", "rejected", "duplicates", "suppressed", "withheld", "created", "updated", "unchanged", "merged",
    "conflicts", "memberships_ended", "profiles_before", "profiles_after", "members", "segment", "rejects_by_reason",
    "steps", "started_at", "finished_at", "undone_at",
}  # fmt: skip
"""The fields of a receipt as the contract names them."""

PARTS = ("blank", "stored", "rejected", "duplicates", "suppressed", "withheld")


@dataclass(frozen=True)
class Outcome:
    """What one command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as the one JSON document it must be."""
        return json.loads(self.out)


class Onramp:
    """One workspace folder and the commands run on it."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *arguments: object) -> Outcome:
        """Runs a command with ``--home`` and nothing else added."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["--home", str(self.home), *map(str, arguments)])
        return Outcome(code, out.getvalue(), err.getvalue())

    def json(self, *arguments: object) -> Any:
        """The result of a command that must succeed."""
        done = self.run("--json", *arguments)
        assert done.code == 0, done.err
        assert done.err == ""
        return done.json

    def refuse(self, *arguments: object, exit_code: int = 2) -> dict[str, Any]:
        """The error of a command that must fail in the right manner, and change nothing."""
        before = self.state()
        done = self.run("--json", *arguments)
        assert done.code == exit_code, done.out
        assert set(done.json) == {"error"}
        error: dict[str, Any] = done.json["error"]
        assert set(error) == {"code", "message", "hint", "facts"}
        assert error["code"]
        assert error["message"].endswith((".", "?"))
        assert error["hint"]
        assert done.err.splitlines() == [error["message"], error["hint"]]
        assert self.state() == before
        return error

    def load(self, file: Path | str, *options: object, source: str = "CRM") -> dict[str, Any]:
        """The receipt of a load or dry run that must succeed."""
        receipt: dict[str, Any] = self.json("ingest", file, "--source", source, *options)
        check_receipt(receipt)
        return receipt

    def state(self) -> dict[str, object]:
        """Everything that a command may change: the content of every table, and the landing files."""
        if not (self.home / "onramp.duckdb").exists():
            return {}
        with Workspace.open(self.home) as workspace:
            return state_of(workspace)

    def counts(self) -> dict[str, int]:
        """Rows of every table, but for the upload itself and its mapping version, which a failed one has, too."""
        return counts(self.state())


def state_of(workspace: Workspace) -> dict[str, object]:
    """The content of every table as a number, the digest, and the landing files."""
    with workspace.engine.session() as session:
        tables = [name for (name,) in session.rows("SELECT table_name FROM duckdb_tables() ORDER BY 1")]
        state: dict[str, object] = {
            name: session.row(f'SELECT count(*), bit_xor(hash(t)) FROM "{name}" AS t') for name in tables
        }
    return {**state, "landing": workspace.landing.ids(), **workspace.digest()}


def counts(state: dict[str, object]) -> dict[str, int]:
    """Rows of every table in a state, but for upload and mapping."""
    return {
        name: what[0] for name, what in state.items() if isinstance(what, tuple) and name not in ("upload", "mapping")
    }


def check_receipt(receipt: dict[str, Any]) -> None:
    """I1 and I2: the counts add up."""
    assert set(receipt) >= RECEIPT
    assert receipt["lines"] == sum(receipt[part] for part in PARTS)
    assert receipt["stored"] == receipt["created"] + receipt["updated"] + receipt["unchanged"]
    assert receipt["rejected"] == sum(receipt["rejects_by_reason"].values())
    if receipt["status"] == "Failed":
        assert receipt["stored"] == receipt["duplicates"] == receipt["suppressed"] == 0
    else:
        assert receipt["withheld"] == 0


def write_table(path: Path, *rows: str) -> Path:
    """Rows with ``|`` where the file has tabs."""
    path.write_text("".join(row.replace("|", "\t") + "\n" for row in rows), encoding="utf-8")
    return path


def write_mapping(path: Path, *columns: dict[str, object]) -> Path:
    """A mapping file."""
    path.write_text(json.dumps({"columns": columns}), encoding="utf-8")
    return path
