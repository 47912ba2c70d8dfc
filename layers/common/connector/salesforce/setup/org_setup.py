"""The set-up of the org: finds the required fields, and creates the missing ones.

A field created by the API is invisible to all users, including its creator, until a permission set
grants access (Salesforce Help, "Field-Level Security"). So the set-up creates the fields, one
permission set with access to them for the integration user, and its assignment. Another one has the
access that sales needs; an administrator assigns it. Each step first checks what exists, so the
set-up is idempotent. A refused step is reported, and the others continue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import requests

from connector.errors import ConnectorError, RejectedError, RetryError
from connector.mapping import Schema
from connector.mapping.connector_fields import RequiredField
from connector.model import RecordKind
from connector.salesforce.answers import Scalar, read_created_id
from connector.salesforce.connection import Connection
from connector.salesforce.diagnosis import DiagnosedError, error_class, remedy
from connector.salesforce.error_table import ErrorClass
from connector.salesforce.library import format_soql
from connector.setup_report import (
    PERMISSION_SET,
    PERMISSION_SET_LABEL,
    REQUIRED_PERMISSIONS,
    SALES_PERMISSION_SET,
    SALES_PERMISSION_SET_LABEL,
    FieldReport,
    FieldState,
    SetupStep,
    SetupStepKind,
    StepOutcome,
    report_field,
)

TO_CREATE: Final = frozenset({FieldState.MISSING, FieldState.UNCLEAR})
TO_GRANT: Final = TO_CREATE | {FieldState.INVISIBLE, FieldState.READ_ONLY}
NO_RESPONSE: Final = "NO_ANSWER"
"""The code of a step without a response (a row of `salesforce.error_table`)."""
CUSTOM_FIELD: Final = "tooling/sobjects/CustomField"


@dataclass(frozen=True, slots=True)
class _FieldAccess:
    """A permission set with access to the fields: read to each, edit where `edits` is the answer.

    `edits` is compared with `RequiredField.is_written`. `suffix` marks its steps in the report.
    """

    name: str
    label: str
    edits: bool
    is_ours: bool
    suffix: str = ""


CONNECTOR_ACCESS: Final = _FieldAccess(
    PERMISSION_SET, PERMISSION_SET_LABEL, edits=True, is_ours=True
)
SALES_ACCESS: Final = _FieldAccess(
    SALES_PERMISSION_SET,
    SALES_PERMISSION_SET_LABEL,
    edits=False,
    is_ours=False,
    suffix=f" in {SALES_PERMISSION_SET}",
)
"""Sales reads what the connector writes, and edits the choice of Contacts, which it only reads."""


class OrgSetup:
    """Inspects one org and creates the missing objects."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def inspect(
        self, fields: Sequence[RequiredField], schemas: Mapping[RecordKind, Schema]
    ) -> tuple[FieldReport, ...]:
        """Return the report of each field; `schemas` has the fields that the user sees now."""
        unseen = [field for field in fields if field.name not in schemas[field.kind]]
        existing = self._existing(unseen) if unseen else frozenset()
        return tuple(report_field(field, schemas[field.kind], existing) for field in fields)

    def create_missing(
        self, fields: Sequence[RequiredField], reports: Sequence[FieldReport]
    ) -> tuple[SetupStep, ...]:
        """Create the fields that the reports lack, and grant them to the integration user.

        When no field is missing, nothing is created, not even the permission set.
        """
        states = {(report.object, report.name): report.state for report in reports}
        steps: list[SetupStep] = []
        to_grant: list[RequiredField] = []
        for field in fields:
            state = states[field.kind.value, field.name]
            if state in TO_CREATE:
                steps.append(self._create_field(field))
            refused = state in TO_CREATE and steps[-1].outcome is StepOutcome.REFUSED
            if state in TO_GRANT and not refused:
                to_grant.append(field)
        if not to_grant:
            return tuple(steps)
        ours, of_sales = (
            self._grant_access(access, to_grant) for access in (CONNECTOR_ACCESS, SALES_ACCESS)
        )
        return (*steps, *ours, *of_sales)

    def _create_field(self, field: RequiredField) -> SetupStep:
        body = {"FullName": field.full_name, "Metadata": dict(field.metadata)}
        return self._step(
            SetupStepKind.FIELD, field.full_name, lambda: self._send("POST", CUSTOM_FIELD, body)
        )

    def _grant_access(
        self, access: _FieldAccess, fields: Sequence[RequiredField]
    ) -> list[SetupStep]:
        found: list[str] = []
        steps = [
            self._step(
                SetupStepKind.PERMISSION_SET,
                access.name,
                lambda: self._permission_set(access, found),
            )
        ]
        if not found:
            return steps
        (permission_set,) = found
        granted = self._granted(permission_set)
        steps += [
            self._step(
                SetupStepKind.VISIBILITY,
                f"{field.full_name}{access.suffix}",
                partial(
                    self._grant,
                    permission_set,
                    field,
                    granted,
                    edit=field.is_written is access.edits,
                ),
            )
            for field in fields
        ]
        if access.is_ours:
            steps.append(
                self._step(
                    SetupStepKind.ASSIGNMENT, access.name, lambda: self._assign(permission_set)
                )
            )
        return steps

    def _permission_set(self, access: _FieldAccess, found: list[str]) -> bool:
        soql = format_soql("SELECT Id FROM PermissionSet WHERE Name = {}", access.name)
        rows = self._connection.query(soql, "Id")
        if rows:
            found.append(str(rows[0]["Id"]))
            return False
        body = {"Name": access.name, "Label": access.label}
        found.append(read_created_id(self._send("POST", "sobjects/PermissionSet", body)))
        return True

    def _granted(self, permission_set: str) -> dict[str, Mapping[str, Scalar]]:
        soql = format_soql(
            "SELECT Id, Field, PermissionsRead, PermissionsEdit FROM FieldPermissions "
            "WHERE ParentId = {}",
            permission_set,
        )
        names = ("Id", "Field", "PermissionsRead", "PermissionsEdit")
        return {str(row["Field"]): row for row in self._connection.query(soql, *names)}

    def _grant(
        self,
        permission_set: str,
        field: RequiredField,
        granted: Mapping[str, Mapping[str, Scalar]],
        *,
        edit: bool,
    ) -> bool:
        rights = {"PermissionsRead": True, "PermissionsEdit": edit}
        row = granted.get(field.full_name)
        if row is None:
            body = {
                "ParentId": permission_set,
                "SobjectType": field.kind.value,
                "Field": field.full_name,
                **rights,
            }
            self._send("POST", "sobjects/FieldPermissions", body)
            return True
        if row["PermissionsRead"] and (row["PermissionsEdit"] or not edit):
            return False
        self._send("PATCH", f"sobjects/FieldPermissions/{row['Id']}", rights)
        return True

    def _assign(self, permission_set: str) -> bool:
        user = self._connection.user_id()
        soql = format_soql(
            "SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = {} AND PermissionSetId = {}",
            user,
            permission_set,
        )
        if self._connection.query(soql, "Id"):
            return False
        body = {"AssigneeId": user, "PermissionSetId": permission_set}
        self._send("POST", "sobjects/PermissionSetAssignment", body)
        return True

    def _existing(self, fields: Sequence[RequiredField]) -> frozenset[str] | None:
        """Return which of these custom fields exist; None when the user may not query them."""
        soql = format_soql(
            "SELECT DeveloperName, TableEnumOrId FROM CustomField WHERE TableEnumOrId IN {} "
            "AND DeveloperName IN {}",
            sorted({field.kind.value for field in fields}),
            sorted({field.name.removesuffix("__c") for field in fields}),
        )
        try:
            rows = self._connection.query(
                soql, "DeveloperName", "TableEnumOrId", path="tooling/query/"
            )
        except RejectedError:
            return None
        except DiagnosedError as error:
            if error_class(error.code) is not ErrorClass.PERMISSION:
                raise
            return None
        return frozenset(f"{row['TableEnumOrId']}.{row['DeveloperName']}__c" for row in rows)

    def _send(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401  # any JSON
        return self._connection.call(path, method=method, json=body)

    @staticmethod
    def _step(kind: SetupStepKind, subject: str, work: Callable[[], Any]) -> SetupStep:
        """Do one step and return its outcome; only an error that stops all steps is raised.

        `work` returns False when the object existed already.
        """
        try:
            done = work()
        except RejectedError as error:
            if error_class(error.code) is ErrorClass.ALREADY_EXISTS:
                return SetupStep(kind, subject, StepOutcome.ALREADY)
            is_permission = error_class(error.code) is ErrorClass.PERMISSION
            advice = REQUIRED_PERMISSIONS[kind] if is_permission else error.remedy
            return SetupStep(kind, subject, StepOutcome.REFUSED, error.code, advice)
        except DiagnosedError as error:
            if error_class(error.code) is not ErrorClass.PERMISSION:
                raise
            advice = REQUIRED_PERMISSIONS[kind]
            return SetupStep(kind, subject, StepOutcome.REFUSED, error.code, advice)
        except (requests.RequestException, RetryError):
            advice = remedy(NO_RESPONSE)
            return SetupStep(kind, subject, StepOutcome.REFUSED, NO_RESPONSE, advice)
        except ConnectorError as error:
            return SetupStep(kind, subject, StepOutcome.REFUSED, error.reason.value, str(error))
        return SetupStep(kind, subject, StepOutcome.ALREADY if done is False else StepOutcome.DONE)
