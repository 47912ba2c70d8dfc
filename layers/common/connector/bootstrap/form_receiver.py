"""The role that receives forms: form_sync."""

from __future__ import annotations

from connector.bootstrap.runtime import Runtime
from connector.forms.receiver import FormReceiver
from connector.settings import FormReceiverSettings


def build_form_receiver(settings: FormReceiverSettings, runtime: Runtime) -> FormReceiver:
    """Build the receiver of forms."""
    return FormReceiver(
        runtime.aws.forms_keys(settings.forms_secret),
        runtime.aws.idempotency(settings.ledger_table),
        runtime.aws.form_hints(settings.ledger_table),
        runtime.aws.forms_queue(settings.forms_queue_url),
        runtime.clock,
        runtime.ids,
        runtime.log,
    )
