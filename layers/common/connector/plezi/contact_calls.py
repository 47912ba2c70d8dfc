"""Calls about one contact: an error of this contact differs from an error of Plezi.

A proxy, or a defect of Plezi, may answer the calls about one contact with an error each time. Such
a contact is left out, and all others go on. What shows that the error is one of Plezi:

* a status that says that the key is refused (401, 403), and a call that is about no contact is
  refused too, or the writes of many contacts in a row are refused, and the last one of the list;
* any other error, several contacts in a row have it, and a call that is about no contact fails too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from connector.errors import RejectedError, RetryError, StaleError, StopReason
from connector.model import ProblemCode, RecordKind, RecordProblem
from connector.plezi.api import (
    NothingDoneError,
    PleziApi,
    PleziResponse,
    RefusedKeyError,
    TooManyRequestsError,
)
from connector.plezi.api_dialect import PleziDialect
from connector.plezi.connection_check import confirm_availability
from connector.plezi.contact_codec import ContactProblemError, is_usable_id
from connector.plezi.rate_limiter import NoSlotError

NOT_SUPPORTED: Final = "405"
"""The status of a tenant that cannot read a contact by its id (assumed)."""
MAX_FAILED: Final = 3
"""Different contacts in a row that cannot be read: then one call shows whether Plezi works."""
MAX_REFUSED: Final = 10
"""Different contacts in a row whose write Plezi refuses: then the key may lack a permission, and
they would all be in quarantine, with nobody's contact as the cause."""
WROTE_SECONDS: Final = 120.0
"""For how long a write that Plezi accepts shows that the key may write: a permission that is taken
away is noticed after it, and puts a hundred people in quarantine at most, at two calls a second."""
CONFIRMED_ERRORS: Final = 10
"""Errors of contacts for which one call shows that Plezi works and accepts the key."""
CONFIRMED_SECONDS: Final = 60.0
"""For how long such a call counts: a key that is revoked during a run is noticed after it."""
PATIENCE: Final = 30.0
"""Seconds in which a read about one contact is tried again: two time-outs of 20 s."""
LESS_PATIENCE: Final = 10.0
"""The same once a contact could not be read: each of some contacts that hang costs one time-out,
and the reads of the others have the rest of the invocation."""
CONTACT_REFUSED: Final = "contact_refused"
"""The code of a write that Plezi refuses with 401 or 403 for this contact only."""
CONTACT_REFUSED_REMEDY: Final = (
    "Plezi answered {status} for this contact, and accepts the key for others: {detail}. Allow the "
    "API key to use this contact in Plezi, then retry the person"
)


class FailedContactError(ContactProblemError):
    """Plezi answers the call about this contact with an error again and again."""


class RefusedContactError(ContactProblemError):
    """Plezi refuses the call about this contact, and accepts the key for other calls."""


class ManyRefusedError(RefusedKeyError):
    """Plezi refuses the writes of many contacts in a row, and answers other calls with this key."""


class ContactCalls:
    """Calls about one contact. The counts are those of one invocation (`start`)."""

    def __init__(self, api: PleziApi, dialect: PleziDialect, clock: Callable[[], float]) -> None:
        self._api = api
        self._dialect = dialect
        self._clock = clock
        self.start()

    def start(self) -> None:
        """Forget the errors of earlier invocations."""
        self._failed: set[str] = set()
        self._patience = PATIENCE
        self._unwritable: set[str] = set()
        self._wrote_at = 0.0
        self._confirmed_at = 0.0
        self._confirmed_left = 0

    def by_id(self, record_id: str, email: str) -> PleziResponse:
        """Read a contact by its id.

        Raises `StaleError` (not found), `RejectedError` where the tenant cannot read by id,
        `ContactProblemError` for an error of this contact, and the errors of Plezi: `RetryError`,
        `HaltError`, `DeadlineError`, `NoSlotError`. No call is made where the dialect says that the
        tenant cannot.
        """
        if not is_usable_id(record_id):
            raise RefusedContactError(_problem(record_id, email, "the id cannot be in a URL"))
        if not self._dialect.reads_by_id:
            raise RejectedError(NOT_SUPPORTED, "this tenant cannot read a contact by its id")
        try:
            return self._read(record_id, email, f"contacts/{record_id}")
        except RejectedError as error:
            if error.code == NOT_SUPPORTED:
                raise
            raise self._failure(record_id, email, error) from error

    def by_email(self, email: str, *, is_for_creation: bool = False) -> PleziResponse:
        """Search for the contact of an e-mail; raises as `by_id`.

        A search before a creation is refused as a write is: too many in a row stop the run.
        """
        try:
            return self._read("", email, "contacts", {"filter[email]": email})
        except RefusedContactError as error:
            if is_for_creation and isinstance(error.__cause__, RefusedKeyError):
                self._count_refusal(error.__cause__, email)
            raise

    def write(self, method: str, path: str, body: object, contact: str) -> PleziResponse:
        """Write a contact (its id, else its e-mail); raises as `PleziApi.write`.

        A refusal of this contact only is a `RejectedError`.
        """
        try:
            response = self._api.write(method, path, body)
        except RefusedKeyError as error:
            self._count_refusal(error, contact)
            try:
                self._confirm_key(error)
            except NoSlotError:
                raise
            except RetryError as failed:
                raise NothingDoneError(str(failed), reason=failed.reason) from failed
            raise RejectedError(CONTACT_REFUSED, _refusal(error)) from error
        self._unwritable.clear()
        self._wrote_at = self._clock()
        return response

    def _read(
        self, record_id: str, email: str, path: str, params: dict[str, str] | None = None
    ) -> PleziResponse:
        try:
            response = self._api.read(path, params, self._patience)
        except (NoSlotError, TooManyRequestsError):
            raise
        except RefusedKeyError as error:
            self._confirm_key(error)
            raise RefusedContactError(_problem(record_id, email, _refusal(error))) from error
        except RetryError as error:
            raise self._failure(record_id, email, error) from error
        except StaleError:
            self._failed.clear()
            raise
        self._failed.clear()
        return response

    def _failure(self, record_id: str, email: str, error: Exception) -> RetryError:
        """Return the error of a contact that could not be read: its own, or that of Plezi."""
        self._failed.add(record_id or email)
        self._patience = LESS_PATIENCE
        own = FailedContactError(_problem(record_id, email, str(error)))
        if len(self._failed) < MAX_FAILED:
            return own
        try:
            self._confirm()
        except (NoSlotError, TooManyRequestsError):
            raise
        except (RetryError, RejectedError, StaleError):
            if isinstance(error, RetryError):
                return RetryError(str(error), reason=error.reason, after=error.after)
            text = f"Plezi cannot read {MAX_FAILED} contacts one after the other: {error}"
            return RetryError(text, reason=StopReason.PLEZI_UNAVAILABLE)
        return own

    def _count_refusal(self, error: RefusedKeyError, contact: str) -> None:
        """Raise `ManyRefusedError` if many contacts in a row cannot be written, and none could."""
        self._unwritable.add(contact)
        age = self._clock() - self._wrote_at
        if len(self._unwritable) >= MAX_REFUSED and not 0 <= age <= WROTE_SECONDS:
            raise ManyRefusedError(error.status, error.detail) from error

    def _confirm_key(self, error: RefusedKeyError) -> None:
        """Return if Plezi accepts the key for a call about no contact; else raise."""
        try:
            self._confirm()
        except (RejectedError, StaleError):
            raise error from None

    def _confirm(self) -> None:
        """Return if Plezi answers a call about no contact; raises as `confirm_availability`."""
        age = self._clock() - self._confirmed_at
        if self._confirmed_left > 0 and 0 <= age <= CONFIRMED_SECONDS:
            self._confirmed_left -= 1
            return
        confirm_availability(self._api, self._dialect)
        self._confirmed_at = self._clock()
        self._confirmed_left = CONFIRMED_ERRORS - 1


def _refusal(error: RefusedKeyError) -> str:
    return CONTACT_REFUSED_REMEDY.format(status=error.status, detail=error.detail)


def _problem(record_id: str, email: str, detail: str) -> RecordProblem:
    code = ProblemCode.UNREADABLE_RECORD
    return RecordProblem(RecordKind.PLEZI_CONTACT, record_id, email, code, detail)
