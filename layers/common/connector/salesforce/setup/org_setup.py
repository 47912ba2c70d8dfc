"""The set-up of the org: which of our fields are there, and making those that are not (P14).

A field made by the API is invisible to everybody, its maker included, until a permission set opens
it (reference: salesforce 3.4). So three things are made: the fields, one permission set with access
to them, and its assignment to the integration user. Each step looks first, so that doing all of it
twice is doing it once; each one that is refused is told, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import requests
from simple_salesforce.format import format_soql

from connector.errors import ConnectorError, RejectedError, RetryError
from connector.mapping import Schema
from connector.model import RecordKind
from connector.salesforce.connection import Connection
from connector.salesforce.diagnosis import DiagnosedError
from connector.salesforce.setup.report import (
    PERMISSION_SET,
    PERMISSION_SET_LABEL,
    RIGHTS,
    FieldReport,
    FieldState,
    SetupStep,
    SetupStepKind,
    StepOutcome,
    report_field,
)
from connector.salesforce.setup.required_fields import RequiredField

ALREADY_THERE: Final = frozenset({"DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"})
NO_RIGHT: Final = frozenset({"INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY"})
TO_MAKE: Final = frozenset({FieldState.MISSING, FieldState.UNCLEAR})
TO_OPEN: Final = TO_MAKE | {FieldState.INVISIBLE, FieldState.READ_ONLY}
CUSTOM_FIELD: Final = "tooling/sobjects/CustomField"


class OrgSetup:
    """Looks at one org and makes what is missing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def inspect(
        self, fields: Sequence[RequiredField], schemas: Mapping[RecordKind, Schema]
    ) -> tuple[FieldReport, ...]:
        """Say how each field stands; `schemas` are what the integration user sees now."""
        unseen = [it for it in fields if it.name not in schemas[it.kind]]
        existing = self._existing(unseen) if unseen else frozenset()
        return tuple(report_field(it, schemas[it.kind], existing) for it in fields)

    def create_missing(
        self, fields: Sequence[RequiredField], reports: Sequence[FieldReport]
    ) -> tuple[SetupStep, ...]:
        """Make what the reports lack, and open it to the integration user.

        Where nothing is lacking, nothing is made: not even the permission set.
        """
        states = {(it.object, it.name): it.state for it in reports}
        steps: list[SetupStep] = []
        to_open: list[RequiredField] = []
        for wanted in fields:
            state = states[wanted.kind.value, wanted.name]
            if state in TO_MAKE:
                steps.append(self._field(wanted))
            refused = state in TO_MAKE and steps[-1].outcome is StepOutcome.REFUSED
            if state in TO_OPEN and not refused:
                to_open.append(wanted)
        return (*steps, *self._open(to_open)) if to_open else tuple(steps)

    def _field(self, wanted: RequiredField) -> SetupStep:
        body = {"FullName": wanted.full_name, "Metadata": dict(wanted.metadata)}
        return self._step(
            SetupStepKind.FIELD, wanted.full_name, lambda: self._ask("POST", CUSTOM_FIELD, body)
        )

    def _open(self, fields: Sequence[RequiredField]) -> list[SetupStep]:
        found: list[str] = []
        steps = [
            self._step(
                SetupStepKind.PERMISSION_SET,
                PERMISSION_SET,
                lambda: self._permission_set(found),
            )
        ]
        if not found:
            return steps
        (permission_set,) = found
        granted = self._granted(permission_set)
        steps += [
            self._step(
                SetupStepKind.VISIBILITY,
                wanted.full_name,
                partial(self._grant, permission_set, wanted, granted),
            )
            for wanted in fields
        ]
        steps.append(
            self._step(
                SetupStepKind.ASSIGNMENT, PERMISSION_SET, lambda: self._assign(permission_set)
            )
        )
        return steps

    def _permission_set(self, found: list[str]) -> bool:
        soql = format_soql("SELECT Id FROM PermissionSet WHERE Name = {}", PERMISSION_SET)
        rows = self._rows("query/", soql)
        if rows:
            found.append(rows[0]["Id"])
            return False
        body = {"Name": PERMISSION_SET, "Label": PERMISSION_SET_LABEL}
        found.append(self._ask("POST", "sobjects/PermissionSet", body)["id"])
        return True

    def _granted(self, permission_set: str) -> dict[str, Mapping[str, Any]]:
        soql = format_soql(
            "SELECT Id, Field, PermissionsRead, PermissionsEdit FROM FieldPermissions "
            "WHERE ParentId = {}",
            permission_set,
        )
        return {row["Field"]: row for row in self._rows("query/", soql)}

    def _grant(
        self, permission_set: str, wanted: RequiredField, granted: Mapping[str, Mapping[str, Any]]
    ) -> bool:
        rights = {"PermissionsRead": True, "PermissionsEdit": wanted.is_written}
        row = granted.get(wanted.full_name)
        if row is None:
            body = {
                "ParentId": permission_set,
                "SobjectType": wanted.kind.value,
                "Field": wanted.full_name,
                **rights,
            }
            self._ask("POST", "sobjects/FieldPermissions", body)
            return True
        if row["PermissionsRead"] and (row["PermissionsEdit"] or not wanted.is_written):
            return False
        self._ask("PATCH", f"sobjects/FieldPermissions/{row['Id']}", rights)
        return True

    def _assign(self, permission_set: str) -> bool:
        user = self._connection.user_id()
        soql = format_soql(
            "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = {} AND PermissionSetId = {}",
            user,
            permission_set,
        )
        if self._rows("query/", soql):
            return False
        body = {"AssigneeId": user, "PermissionSetId": permission_set}
        self._ask("POST", "sobjects/PermissionSetAssignment", body)
        return True

    def _existing(self, fields: Sequence[RequiredField]) -> frozenset[str] | None:
        """The custom fields among these that exist, seen or not; None: we may not ask."""
        soql = format_soql(
            "SELECT DeveloperName, TableEnumOrId FROM CustomField WHERE TableEnumOrId IN {} "
            "AND DeveloperName IN {}",
            sorted({it.kind.value for it in fields}),
            sorted({it.name.removesuffix("__c") for it in fields}),
        )
        try:
            rows = self._rows("tooling/query/", soql)
        except RejectedError:
            return None
        except DiagnosedError as error:
            if error.code not in NO_RIGHT:
                raise
            return None
        return frozenset(f"{row['TableEnumOrId']}.{row['DeveloperName']}__c" for row in rows)

    def _rows(self, path: str, soql: str) -> list[Any]:
        return list(self._connection.read(path, params={"q": soql})["records"])

    def _ask(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401  # its JSON
        return self._connection.call(path, method=method, json=body)

    @staticmethod
    def _step(kind: SetupStepKind, subject: str, work: Callable[[], Any]) -> SetupStep:
        """Do one step and say how it ended; only what stops everything is raised.

        `work` answers False when there was nothing left to do.
        """
        try:
            done = work()
        except RejectedError as error:
            if error.code in ALREADY_THERE:
                return SetupStep(kind, subject, StepOutcome.ALREADY)
            remedy = RIGHTS[kind] if error.code in NO_RIGHT else error.remedy
            return SetupStep(kind, subject, StepOutcome.REFUSED, error.code, remedy)
        except DiagnosedError as error:
            if error.code not in NO_RIGHT:
                raise
            return SetupStep(kind, subject, StepOutcome.REFUSED, error.code, RIGHTS[kind])
        except (requests.RequestException, RetryError):
            again = "ask again: what was made meanwhile is found"
            return SetupStep(kind, subject, StepOutcome.REFUSED, "NO_ANSWER", again)
        except ConnectorError as error:
            return SetupStep(kind, subject, StepOutcome.REFUSED, type(error).__name__, str(error))
        return SetupStep(kind, subject, StepOutcome.ALREADY if done is False else StepOutcome.DONE)
