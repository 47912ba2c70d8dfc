"""The role that rotates credentials: rotate_credentials."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from connector.bootstrap.run_requests import build_run_requester
from connector.bootstrap.sides import build_plezi_api, build_salesforce_connection
from connector.connection_settings import RotationSettings
from connector.credentials.rotation import Rotation
from connector.errors import HaltError, StopReason
from connector.model import RunKind
from connector.plezi import connection_check
from connector.plezi.dialect_in_use import dialect_in_use
from connector.salesforce.auth.credential_test import IsolatedSessionState, test_credentials
from connector.secret_version import FixedSecret, Secret
from connector.secrets import PleziCredentials, SalesforceCredentials, parse_secret
from connector.settings import RunRequestSettings

if TYPE_CHECKING:
    from connector.bootstrap.runtime import Runtime


class SecretKind(StrEnum):
    """The secrets that can be rotated."""

    SALESFORCE = "salesforce"
    PLEZI = "plezi"


@dataclass(frozen=True, slots=True)
class RotationApp:
    """The rotations of both secrets, by kind and by the secret's ARN."""

    by_kind: dict[SecretKind, Rotation]
    by_arn: dict[str, Rotation]

    def of_arn(self, arn: str) -> Rotation:
        """Return the rotation of a secret; raise `HaltError` for any other secret."""
        if arn not in self.by_arn:
            raise HaltError(
                StopReason.ROTATION, "this function rotates the Salesforce and the Plezi secret"
            )
        return self.by_arn[arn]


def build_rotation(settings: RotationSettings, runtime: Runtime) -> RotationApp:
    """Build the rotations of both secrets."""
    requester = build_run_requester(
        RunRequestSettings(
            ledger_table=settings.ledger_table, runs_queue_url=settings.runs_queue_url
        ),
        runtime,
    )
    ledger = runtime.aws.ledger(settings.ledger_table)

    def try_salesforce(version: str, text: str) -> None:
        value = parse_secret(SalesforceCredentials, text, settings.salesforce_secret)
        secret = FixedSecret(Secret(version, value))
        test_credentials(
            build_salesforce_connection(settings, runtime, secret, IsolatedSessionState())
        )

    def try_plezi(version: str, text: str) -> None:
        value = parse_secret(PleziCredentials, text, settings.plezi_secret)
        api = build_plezi_api(settings, runtime, FixedSecret(Secret(version, value)))
        dialect = dialect_in_use(ledger, value.tenant, settings.plezi_dialect)
        connection_check.minimal_read(api, dialect)

    names = {
        SecretKind.SALESFORCE: (settings.salesforce_secret, try_salesforce),
        SecretKind.PLEZI: (settings.plezi_secret, try_plezi),
    }
    by_kind = {
        kind: Rotation(
            runtime.aws.secret_versions(name),
            test,
            ledger,
            lambda: requester.request_run(RunKind.CHANGES),
            runtime.clock,
        )
        for kind, (name, test) in names.items()
    }
    return RotationApp(by_kind, {name: by_kind[kind] for kind, (name, _) in names.items()})
