"""Constructors of fields for the standard objects."""

from __future__ import annotations

from dataclasses import replace

from local.salesforce_org.schema import Field

ADDRESS_PARTS = (
    ("Street", "textarea", 255),
    ("City", "string", 40),
    ("State", "string", 80),
    ("PostalCode", "string", 20),
    ("Country", "string", 80),
)


def location_parts(name: str) -> tuple[str, str]:
    """Return the names of the latitude and the longitude of a geolocation field.

    SOAP API Developer Guide, "Geolocation Compound Field": `home__c` has `home__Latitude__s`.
    """
    stem = name.removesuffix("__c")
    return f"{stem}__Latitude__s", f"{stem}__Longitude__s"


def text(name: str, label: str, length: int, kind: str = "string", **more: object) -> Field:
    """Return a text field, or a type that is stored as text (phone, url, textarea, email)."""
    return Field(name, label, kind, length=length, **more)  # type: ignore[arg-type]


def picklist(
    name: str, label: str, values: tuple[str, ...], kind: str = "picklist", **more: object
) -> Field:
    """Return a picklist; unrestricted by default."""
    length = 255 if kind == "picklist" else 4099
    return Field(name, label, kind, length=length, values=values, **more)  # type: ignore[arg-type]


def plain(name: str, label: str, kind: str, **more: object) -> Field:
    """Return a field without a length: a date, a date and time, a number."""
    return Field(name, label, kind, **more)  # type: ignore[arg-type]


def checkbox(name: str, label: str, **more: object) -> Field:
    """Return a checkbox: never null, false by default."""
    return Field(
        name,
        label,
        "boolean",
        nillable=False,
        defaulted=True,
        default=False,
        **more,  # type: ignore[arg-type]
    )


def reference(
    name: str, label: str, to: tuple[str, ...], relationship: str | None, **more: object
) -> Field:
    """Return a lookup to another record."""
    return Field(
        name,
        label,
        "reference",
        length=18,
        reference_to=to,
        relationship=relationship,
        **more,  # type: ignore[arg-type]
    )


def read_only(field: Field, **more: object) -> Field:
    """Return the field as read-only."""
    return replace(field, createable=False, updateable=False, **more)  # type: ignore[arg-type]


def system_fields() -> list[Field]:
    """Return the read-only system fields of every business record."""
    system = {"nillable": False, "defaulted": True, "fixed": True}
    user = ("User",)
    return [
        read_only(plain("Id", "Record ID", "id", length=18, id_lookup=True, **system)),
        read_only(checkbox("IsDeleted", "Deleted", fixed=True)),
        read_only(plain("CreatedDate", "Created Date", "datetime", **system)),
        read_only(reference("CreatedById", "Created By ID", user, "CreatedBy", **system)),
        read_only(plain("LastModifiedDate", "Last Modified Date", "datetime", **system)),
        read_only(
            reference("LastModifiedById", "Last Modified By ID", user, "LastModifiedBy", **system)
        ),
        read_only(plain("SystemModstamp", "System Modstamp", "datetime", **system)),
    ]


def full_name() -> Field:
    """Return `Name` of a person: computed from first and last name, 121 characters, read-only."""
    return read_only(
        text(
            "Name",
            "Full Name",
            121,
            nillable=False,
            defaulted=True,
            fixed=True,
            sql="trim(coalesce(FirstName || ' ', '') || coalesce(LastName, ''))",
        )
    )


def address(prefix: str, label: str) -> list[Field]:
    """Return the five parts of an address and the read-only compound field."""
    parts = [
        text(prefix + part, f"{label} {part}".strip(), length, kind)
        for part, kind, length in ADDRESS_PARTS
    ]
    compound = Field(
        prefix + "Address",
        f"{label} Address".strip(),
        "address",
        createable=False,
        updateable=False,
        address=prefix,
    )
    return [*parts, compound]
