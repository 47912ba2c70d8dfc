"""The alerts whose problem is not over, as the last runs reported them."""

from __future__ import annotations

from dataclasses import dataclass

from connector.admin.context import AdminContext
from connector.model import AlertKind
from connector.model.alerts import SENT_ALERTS


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that was sent (`sent_at`, seconds since 1970) and whose problem is not over.

    `key` distinguishes alerts of one kind: a field, a version of the secret.
    """

    kind: AlertKind
    key: str
    sent_at: float


def list_open_alerts(context: AdminContext) -> tuple[OpenAlert, ...]:
    """Return the alerts whose problem was not over at the end of the last run, newest first."""
    sent = context.documents.load_document(SENT_ALERTS) or {}
    known = {kind.value for kind in AlertKind}
    parts = [(*name.partition("#"), float(at)) for name, at in sent.items()]
    alerts = [OpenAlert(AlertKind(kind), key, at) for kind, _, key, at in parts if kind in known]
    return tuple(sorted(alerts, key=lambda alert: (-alert.sent_at, alert.kind, alert.key)))
