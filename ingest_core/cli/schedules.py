"""schedule, arrivals: files that come by themselves."""

from __future__ import annotations

import argparse
import time
from typing import Any, get_args

from pydantic import ValidationError

from ingest_core.arrivals.arrivals import STATES, Filters, arrival_json, schedule_json
from ingest_core.arrivals.schedule import AUTO, LATEST, After, Complete, Rules, Schedule
from ingest_core.arrivals.when import in_words, next_times, seconds_given
from ingest_core.cli.parser import command, group
from ingest_core.cli.text import as_text, table
from ingest_core.clock import now
from ingest_core.errors import InputError
from ingest_core.workspace import Workspace

NOBODY = "none"
SOURCE = "source"
OFF = "off"


def add_commands(parsers: Any) -> None:
    """Registers the commands about schedules and arrivals."""
    schedule = group(parsers, "schedule", "Files that come by themselves: when to look where, and what came.")
    add = command(schedule, "add", "Look at a place for files of a source, again and again.", _add)
    add.add_argument("source", metavar="SOURCE")
    add.add_argument("--from", dest="place", required=True, metavar="DEST", help="the destination to look at")
    _rule_options(add)
    change = command(schedule, "set", "Change a schedule; what is not given stays.", _set)
    change.add_argument("id", type=int, metavar="ID")
    change.add_argument("--from", dest="place", metavar="DEST", help="the destination to look at")
    _rule_options(change)
    listed = command(schedule, "list", "List schedules with their next time and last error.", _list, _listed)
    listed.add_argument("--source")
    _one(schedule, "show", "Show a schedule, its next three times and the files that fit it now.", _show)
    _one(schedule, "run-now", "Look at once: take, load and put away what is there.", _run_now, _arrivals_text)
    _one(schedule, "pause", "Look no more until it is resumed.", _pause)
    _one(schedule, "resume", "Look again, at its next time.", _resume)
    _one(schedule, "remove", "Remove a schedule; its log stays.", _remove)
    log = command(parsers, "arrivals", "List the files that came by themselves, newest first.", _log, _arrivals_text)
    log.add_argument("--source")
    log.add_argument("--schedule", type=int, metavar="ID")
    log.add_argument("--state", action="append", default=[], choices=STATES)
    log.add_argument("--name", metavar="PART", help="part of the file's name")
    log.add_argument("--limit", type=int, default=100, metavar="N")


def _one(group_: Any, name: str, text: str, run: Any, show: Any = as_text) -> None:
    command(group_, name, text, run, show).add_argument("id", type=int, metavar="ID")


def _rule_options(parser: argparse.ArgumentParser) -> None:
    """No defaults: what is not given stays, or is what ``Rules`` says."""
    option = parser.add_argument
    option("--folder", help="the folder there; partner/date=* or {date}: one of each day (UTC)")
    option("--days", type=int, metavar="N", help="of folders of each day: N days before today, too (2)")
    option("--pattern", help="which names: a glob such as people_*.tsv (all)")
    option("--regex", action="store_true", default=None, help="the pattern is a regular expression (RE2)")
    option("--every", metavar="15m|1h|1d", help="how often")
    option("--cron", metavar='"0 6 * * *"', help="when, as five fields of cron")
    option("--zone", metavar="ZONE", help="time zone of the cron expression, such as Europe/Berlin (UTC)")
    option("--mapping", metavar="latest|N", help="the mapping version (the newest one for the columns of the file)")
    option("--auto", action="store_true", default=None, help="take suggestions where there is no mapping")
    option("--replace", choices=("members", "values", OFF), help="each file replaces the former ones")
    option("--segment", metavar="add:NAME|off", help="puts the people of each file into a segment that is there")
    option("--threshold", metavar="PERCENT|source", help="fail a file with more than this per cent of rejects")
    option("--notify", action="append", metavar="MAIL|none|source", help="who is told (the source's recipients)")
    option("--after", choices=get_args(After), help="what becomes of a loaded file there (move)")
    option("--complete", choices=get_args(Complete), help="how to tell that a file is whole (stable)")
    option("--control", metavar="ENDING", help="how the name of a control file ends (.done)")
    option(
        "--as", dest="reads", choices=("rows", "audience-manager"), help="what files are (as the source's kind says)"
    )


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """The rules that the command names."""
    plain = ("place", "folder", "pattern", "zone", "after", "complete", "control")
    given = {name: getattr(args, name) for name in plain if getattr(args, name) is not None}
    if args.days is not None:
        given["days_back"] = args.days
    if args.regex is not None or args.pattern is not None:
        given["is_regex"] = bool(args.regex)
    if args.every is not None or args.cron is not None:
        given["every_seconds"] = None if args.every is None else seconds_given(args.every)
        given["cron"] = args.cron
    if args.mapping is not None or args.auto:
        given["mapping"] = AUTO if args.auto else _version(args.mapping)
    if args.replace is not None:
        given["replace"] = None if args.replace == OFF else args.replace
    if args.segment is not None:
        given["segment"] = None if args.segment == OFF else args.segment
    if args.threshold is not None:
        given["threshold_percent"] = None if args.threshold == SOURCE else args.threshold
    if args.notify is not None:
        given["notify"] = None if args.notify == [SOURCE] else () if args.notify == [NOBODY] else tuple(args.notify)
    if args.reads is not None:
        given["reads"] = args.reads.replace("-", "_")
    return given


def _version(text: str) -> int | str:
    return int(text) if text.isdigit() else LATEST if text == LATEST else _refuse("mapping")


def _refuse(what: str) -> str:
    raise InputError(
        f"The value of {what.replace('_', ' ')} cannot be used. Nothing was changed.",
        code=f"bad_{what}",
        hint="See: schedule add --help",
    )


def _rules(values: dict[str, Any]) -> Rules:
    try:
        return Rules.model_validate(values)
    except ValidationError as error:
        _refuse(str(error.errors()[0]["loc"][0]).removesuffix("_percent").removesuffix("_seconds"))
        raise


def _add(workspace: Workspace, args: argparse.Namespace) -> Any:
    source = workspace.sources.get(args.source)
    reads = "audience_manager" if source.kind == "data_source" else "rows"
    rules = _rules({"reads": reads, **_given(args)})
    return schedule_json(workspace.arrivals.add(source, rules))


def _set(workspace: Workspace, args: argparse.Namespace) -> Any:
    schedule = workspace.arrivals.get(args.id)
    rules = _rules({**schedule.rules.model_dump(), **_given(args)})
    return schedule_json(workspace.arrivals.change(args.id, rules))


def _list(workspace: Workspace, args: argparse.Namespace) -> Any:
    source_id = workspace.sources.get(args.source).source_id if args.source else None
    return [schedule_json(schedule) for schedule in workspace.arrivals.schedules(source_id)]


def _listed(schedules: Any) -> str:
    rows = [
        {
            "id": one["schedule_id"],
            "source": one["source"],
            "from": "/".join(part for part in (one["place"], one["folder"], one["pattern"]) if part),
            "when": in_words(Rules.model_validate(one)),
            "next": "paused" if one["is_paused"] else one["next_at"],
            "last_look": one["looked_at"],
            "error": (one["error"] or {}).get("code"),
        }
        for one in schedules
    ]
    return table(rows, ("id", "source", "from", "when", "next", "last_look", "error"))


def _show(workspace: Workspace, args: argparse.Namespace) -> Any:
    schedule = workspace.arrivals.get(args.id)
    files = [entry.name for entry in workspace.arrivals.matching(schedule.rules)]
    times = [time.isoformat() for time in next_times(schedule.rules, now())]
    return {**schedule_json(schedule), "when": in_words(schedule.rules), "next_times": times, "files": files}


def _run_now(workspace: Workspace, args: argparse.Namespace) -> Any:
    if workspace.jobs.health().is_worker_alive:  # asked of a process that watches anyhow
        schedule: Schedule = workspace.arrivals.ask(args.id)
        workspace.rounds.wake("arrivals")
        return [arrival_json(one) for one in workspace.arrivals.log(Filters(schedule_id=schedule.schedule_id))]
    found = workspace.arrivals.run_now(args.id, workspace.jobs.run_waiting, time.sleep)
    schedule = workspace.arrivals.get(args.id)
    if schedule.error is not None:
        workspace.arrivals.raise_trouble(schedule)
    return [arrival_json(one) for one in found]


def _pause(workspace: Workspace, args: argparse.Namespace) -> Any:
    return schedule_json(workspace.arrivals.pause(args.id))


def _resume(workspace: Workspace, args: argparse.Namespace) -> Any:
    return schedule_json(workspace.arrivals.resume(args.id))


def _remove(workspace: Workspace, args: argparse.Namespace) -> Any:
    schedule = schedule_json(workspace.arrivals.get(args.id))
    workspace.arrivals.remove(args.id)
    return schedule


def _log(workspace: Workspace, args: argparse.Namespace) -> Any:
    filters = Filters(
        source_id=workspace.sources.get(args.source).source_id if args.source else None,
        schedule_id=args.schedule,
        states=tuple(args.state),
        name=args.name,
    )
    return [arrival_json(one) for one in workspace.arrivals.log(filters, limit=max(args.limit, 0))]


def _arrivals_text(arrivals: Any) -> str:
    rows = [
        {
            **one,
            "at": one["ended_at"] or one["taken_at"] or one["seen_at"],
            "from": one["place"],
            "why": (one["reason"] or {}).get("message"),
        }
        for one in arrivals
    ]
    return table(rows, ("arrival_no", "at", "source", "from", "file", "size", "state", "request_id", "why"))
