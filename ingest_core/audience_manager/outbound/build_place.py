"""What the destination of a build says about it: environment, partner, and whether its receiver can read the files."""

from __future__ import annotations

from ingest_core.audience_manager.outbound.build import Build
from ingest_core.errors import InputError
from ingest_core.models import Model
from ingest_core.transport.places import AnyPlace
from ingest_core.transport.presets import ACL, environment_of, lacks_acl, partner_of, refuse_unreadable


class Remark(Model):
    """A warning: nothing is refused for it."""

    code: str
    message: str
    hint: str


def settled(build: Build, place: AnyPlace) -> Build:
    """The definition for a destination: environment and partner are those of a place of Audience Manager.

    InputError ``wrong_environment``, ``wrong_partner`` where the definition says something else, ``acl_missing``.
    """
    refuse_unreadable(place)
    environment = environment_of(place)
    if environment is None:
        return build
    if environment != build.environment and "environment" in build.model_fields_set:
        raise InputError(
            f"The destination is Audience Manager's {environment} environment, the build says {build.environment}. "
            "Nothing was built.",
            code="wrong_environment",
            hint="Choose the destination of the environment that is meant, or change the build.",
        )
    partner = partner_of(place)
    if partner and build.partner not in ("", partner):
        raise InputError(
            "The destination lays files under its own partner's folder, the build under another. Nothing was built.",
            code="wrong_partner",
            hint="Leave the partner out of the build: the destination says it.",
        )
    return build.model_copy(update={"environment": environment, "partner": build.partner or partner})


def against(place: AnyPlace) -> list[Remark]:
    """What has to be said of where a build's files go, before they do."""
    if not lacks_acl(place):
        return []
    return [
        Remark(
            code="acl_missing",
            message=f"The destination does not ask for the access {ACL}. In a bucket of somebody else, such as "
            "Audience Manager's, its owner cannot read what is left there.",
            hint=f"Set it where the bucket is not your own: destination set NAME --acl {ACL}",
        )
    ]
