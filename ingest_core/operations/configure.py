"""Changes settings: checked by their model, written to ``settings.json`` as a whole or not at all, on the audit log."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ingest_core.catalog import Attributes
from ingest_core.engine import Engine
from ingest_core.engine.copying import sync
from ingest_core.errors import ConfigError, InputError
from ingest_core.ledger import outbox
from ingest_core.ledger.audit import write_audit
from ingest_core.models import TypeContext
from ingest_core.operations.policies import POLICIES, policy_of
from ingest_core.plan.blocked import Verdict, judge
from ingest_core.settings import AT_RESTART, Settings, from_environment, made_of, read_file
from ingest_core.transport.mail import MailServer
from ingest_core.transport.webhook import Webhook
from ingest_core.vault import Keyset
from ingest_core.vault.secrets import SEALED, open_text, seal_text

SECRETS = ("mail_password", "webhook_secret")
KEPT = "kept, not shown"


@dataclass(frozen=True)
class Change:
    """One setting that has another value now. ``effect``: at once, or at restart."""

    name: str
    old: Any
    new: Any
    effect: str


class Configuration:
    """The settings of one workspace. A change waits for a load that runs: that ends with those it began with."""

    def __init__(
        self, home: Path, engine: Engine, keyset: Keyset, settings: Settings, attributes: Attributes, user: str
    ) -> None:
        self._home = home
        self._engine = engine
        self._keyset = keyset
        self._settings = settings
        self._opened_with = settings.model_copy()
        self._attributes = attributes
        self._user = user

    def all(self) -> list[dict[str, Any]]:
        """{name, value, default, from, about, is_waiting} of each, as plain values.

        ``from``: default, file or environment; ``is_waiting``: changed, and in use from the next start on. Secrets are
        only said to be there.
        """
        fixed, filed, default = from_environment(), read_file(self._home), Settings()
        return [
            {
                "name": name,
                "value": shown(self._settings, name),
                "default": shown(default, name),
                "from": "environment" if name in fixed else "file" if name in filed else "default",
                "about": field.description,
                "is_waiting": name in AT_RESTART and getattr(self._settings, name) != getattr(self._opened_with, name),
            }
            for name, field in Settings.model_fields.items()
        ]

    @property
    def policy(self) -> str:
        """strict, friendly or custom."""
        return policy_of(self._settings)

    def is_fixed(self, name: str) -> bool:
        """Whether the environment says what it is, so that it cannot be changed here."""
        return name in from_environment()

    def set(self, changes: dict[str, Any]) -> list[Change]:
        """Gives settings other values, all or none of them; ``policy`` stands for the settings that it names.

        Values may be text, as in the environment. InputError ``no_such_setting``, ``bad_setting``, ``no_such_policy``;
        ConfigError ``setting_in_environment``.
        """
        return self._change(self._spelt_out(changes), ())

    def reset(self, *names: str) -> list[Change]:
        """Gives settings their defaults back; ``policy`` is reset to strict. Errors as for ``set``."""
        wanted = [setting for name in names for setting in (POLICIES["strict"] if name == "policy" else [name])]
        return self._change({}, wanted)

    def block(self, pattern: str, rank: str = "any") -> list[Change]:
        """One more pattern of values that identify nobody; in the list already, nothing changes. As ``set``."""
        kept = self._settings.blocked
        if any((one.pattern, one.rank) == (pattern, rank) for one in kept):
            return []
        return self.set({"blocked": [*(one.model_dump() for one in kept), {"pattern": pattern, "rank": rank}]})

    def unblock(self, pattern: str) -> list[Change]:
        """Takes a pattern out, whatever its rank. InputError ``no_such_pattern``."""
        kept = [one.model_dump() for one in self._settings.blocked if one.pattern != pattern]
        if len(kept) == len(self._settings.blocked):
            raise InputError(
                "There is no such pattern. Nothing was changed.",
                code="no_such_pattern",
                hint="See the patterns with: blocked list",
            )
        return self.set({"blocked": kept})

    def judge(self, value: str, attribute: str) -> Verdict:
        """What a load would make of a value of an identifier now. InputError ``not_an_identifier``."""
        found = self._attributes.get(attribute)
        if found.identifier is None:
            raise InputError(
                f"{found.name} does not identify people.",
                code="not_an_identifier",
                hint="Choose an identifier such as crmid, email or phone.",
            )
        kept = self._settings
        context = TypeContext(kept.phone_country, kept.lower_email_local)
        return judge(value, found, kept.blocked, kept.minimum_secondary_length, context)

    def mail_server(self) -> MailServer:
        """Where messages go out, with the password in the clear. ConfigError ``no_mail_server``."""
        kept = self._settings
        if not kept.mail_host or not kept.mail_sender:
            raise ConfigError(
                "There is no mail server yet, or no sender. Nothing was sent.",
                code="no_mail_server",
                hint="Set mail_host and mail_sender first.",
            )
        return MailServer(
            host=kept.mail_host,
            port=kept.mail_port,
            security=kept.mail_security,
            user=kept.mail_user,
            password=kept.mail_password and open_text(self._keyset, "mail_password", kept.mail_password),
            sender=kept.mail_sender,
        )

    def webhook(self) -> Webhook:
        """Where notices are posted, with the secret in the clear. ConfigError ``no_webhook``."""
        kept = self._settings
        if not kept.webhook_url or not kept.webhook_secret:
            raise ConfigError(
                "There is no webhook yet, or no secret. Nothing was sent.",
                code="no_webhook",
                hint="Set webhook_url and webhook_secret first.",
            )
        return Webhook(
            url=kept.webhook_url,
            secret=open_text(self._keyset, "webhook_secret", kept.webhook_secret),
            is_plain_allowed=kept.webhook_plain,
        )

    def listen(self) -> None:
        """At opening: whether notices are kept for a webhook, which the environment may have changed meanwhile."""
        with self._engine.queue, self._engine.session() as session:
            is_heard = self._settings.webhook_url is not None
            if outbox.is_heard(session) != is_heard:
                with session.transaction():
                    outbox.hear(session, is_heard=is_heard)

    def test_mail(self, recipient: str) -> str:
        """Sends a message that says that it is a test; returns its Message-ID. DeliveryError as the server answers."""
        link = f"\n\n{self._settings.base_url}" if self._settings.base_url else ""
        text = f"Onramp can send messages through this server. Nothing else was sent.{link}"
        return self.mail_server().send(recipient, "Test message from Onramp", text)

    def test_webhook(self) -> int:
        """Posts a notice that says that it is a test; returns the status. Errors as ``Webhook.post``."""
        body = {"id": "test", "event": "test", "subject": "Onramp can post notices here.", "data": {}}
        return self.webhook().post("test", json.dumps(body).encode())

    def _spelt_out(self, changes: dict[str, Any]) -> dict[str, Any]:
        wanted = {name: value for name, value in changes.items() if name != "policy"}
        if "policy" not in changes:
            return wanted
        if changes["policy"] not in POLICIES:
            raise InputError(
                "There is no such policy. Nothing was changed.",
                code="no_such_policy",
                hint=f"Choose one of: {', '.join(POLICIES)}.",
            )
        return {**POLICIES[changes["policy"]], **wanted}

    def _change(self, new: dict[str, Any], reset: list[str] | tuple[str, ...]) -> list[Change]:
        for name in (*new, *reset):
            if name not in Settings.model_fields:
                raise InputError(
                    "There is no such setting. Nothing was changed.",
                    code="no_such_setting",
                    hint="See the names with: settings list",
                    facts={"settings": list(Settings.model_fields)},
                )
        with self._engine.write:
            filed = {name: value for name, value in read_file(self._home).items() if name not in reset}
            made = _checked({**filed, **new})
            self._refuse_fixed({**new, **dict.fromkeys(reset)}, {**filed, **new})
            plain = made.model_dump(mode="json")
            filed |= {name: self._sealed(name, plain[name]) for name in new}
            made = _checked(filed)
            changes = self._differences(made)
            if changes or filed != read_file(self._home):
                self._keep(filed, changes, is_heard=made.webhook_url is not None)
                self._settings.take(made)
        return changes

    def _refuse_fixed(self, asked: dict[str, Any], wanted: dict[str, Any]) -> None:
        """What the environment says can be asked for, not changed."""
        for name in sorted(from_environment().keys() & asked.keys()):
            try:
                alone = Settings.model_validate({name: wanted[name]} if name in wanted else {})
                is_same = getattr(alone, name) == getattr(self._settings, name)
            except ValidationError:
                is_same = False
            if not is_same:
                raise ConfigError(
                    f"{name} comes from ONRAMP_{name.upper()}, which only you can change. Nothing was changed.",
                    code="setting_in_environment",
                    hint="Change it there and start again, or take it out of there to set it here.",
                    facts={"setting": name},
                )

    def _sealed(self, name: str, value: Any) -> Any:
        if name not in SECRETS or value is None or value.startswith(SEALED):
            return value
        return seal_text(self._keyset, name, value)

    def _differences(self, made: Settings) -> list[Change]:
        return [
            Change(
                name,
                shown(self._settings, name),
                shown(made, name),
                "at restart" if name in AT_RESTART else "at once",
            )
            for name in Settings.model_fields
            if getattr(made, name) != getattr(self._settings, name)
        ]

    def _keep(self, filed: dict[str, Any], changes: list[Change], *, is_heard: bool) -> None:
        """File and audit log together: where the log cannot be written, the file is what it was."""
        path = self._home / "settings.json"
        before = path.read_bytes() if path.exists() else None
        try:
            with self._engine.session() as session, session.transaction():
                for change in changes:
                    write_audit(session, self._user, "change setting", change.name, _told(change))
                outbox.hear(session, is_heard=is_heard)
                _write(path, json.dumps(filed, indent=1, ensure_ascii=False).encode())
        except BaseException:
            if before is None:
                path.unlink(missing_ok=True)
            else:
                _write(path, before)
            raise


def shown(settings: Settings, name: str) -> Any:
    """The value of one setting as plain data; of a secret only that it is there."""
    value = settings.model_dump(mode="json", include={name})[name]
    return KEPT if name in SECRETS and value is not None else value


def _told(change: Change) -> dict[str, Any]:
    """What the audit log says: a pattern may be somebody's address, so of those only how many there were."""
    if change.name == "blocked":
        return {"old": len(change.old), "new": len(change.new)}
    return {"old": change.old, "new": change.new}


def _checked(values: dict[str, Any]) -> Settings:
    """InputError ``bad_setting`` names the first value that cannot be, without quoting it."""
    try:
        return made_of(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "blocked"
        why = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
        raise InputError(
            f"{name} cannot be this: {why[:1].lower()}{why[1:]}. Nothing was changed.",
            code="bad_setting",
            hint="See what it is now, and its default, with: settings list",
            facts={"setting": name},
        ) from None


def _write(path: Path, text: bytes) -> None:
    """0600; the old file is there until the new one is, whatever happens."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)
