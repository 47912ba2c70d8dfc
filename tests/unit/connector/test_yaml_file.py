"""The export of a mapping to YAML and its import, for any names."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from connector.errors import MappingError
from connector.mapping import (
    DEFAULT_MAPPING,
    ConflictPolicy,
    Direction,
    DuplicatePolicy,
    FieldPair,
    Filter,
    MappingConfig,
    Operator,
    ValuePair,
)
from connector.mapping.document import mapping_document, parse_mapping
from connector.mapping.yaml_file import MAX_CHARACTERS, MAX_NODES, from_yaml, to_yaml

NOT_READ = "the file is not YAML that can be read"
NOT_YAML = "the file is not YAML"
NO_TAG = "is not allowed: write the value without it"
NO_MAPPING = "the file holds no mapping: export the mapping, and change the export"

texts = st.text(st.characters(codec="utf-8"), max_size=12)
"""Any text."""
printable = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), max_size=12
)
"""Text that the admin API accepts: no control characters, no line breaks."""


def mappings(texts: st.SearchStrategy[str]) -> st.SearchStrategy[MappingConfig]:
    pairs = st.builds(
        FieldPair,
        plezi=texts,
        salesforce=texts,
        direction=st.sampled_from(Direction),
        contact=texts,
        policy=st.sampled_from(ConflictPolicy),
        placeholder=texts,
        locked=st.booleans(),
        enforced=st.booleans(),
        values=st.lists(st.builds(ValuePair, texts, texts), max_size=2).map(tuple),
    )
    filters = st.builds(Filter, field=texts, operator=st.sampled_from(Operator), value=texts)
    return st.builds(
        MappingConfig,
        version=st.integers(0, 10_000),
        pairs=st.lists(pairs, max_size=3).map(tuple),
        contact_filter=st.none() | filters,
        lead_filter=st.none() | filters,
        duplicates=st.sampled_from(DuplicatePolicy),
        create_lead_beside_contact=st.booleans(),
        phone_region=texts,
    )


@given(mappings(texts), texts)
@example(replace(DEFAULT_MAPPING, lead_filter=Filter("\x85", Operator.IN, "\u2028")), "\x1b")
def test_a_mapping_is_the_same_after_export_and_import(mapping: MappingConfig, saved: str) -> None:
    assert parse_mapping(from_yaml(to_yaml(mapping, saved))) == mapping


@given(mappings(printable))
def test_each_field_pair_is_one_line_of_text(mapping: MappingConfig) -> None:
    text = to_yaml(mapping)

    rows = text.split("\n")
    assert sum(row.startswith("  - ") for row in rows) == len(mapping.pairs)
    assert len(rows) == 4 + 7 + len(mapping.pairs) + 1


def test_the_export_of_the_default_mapping_is_readable() -> None:
    text = to_yaml(DEFAULT_MAPPING, "saved by ana")

    assert text.startswith("# The mapping between Plezi and Salesforce, version 0, saved by ana")
    assert "\nversion: 0\n" in text
    assert (
        "\n  - {plezi: last_name, salesforce: LastName, direction: both, policy: newest, "
        "contact: LastName, placeholder: '[unknown]'}\n"
    ) in text
    assert yaml.safe_load(text) == mapping_document(DEFAULT_MAPPING)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pairs: [", "line 2"),
        ("- a\n- b", "no mapping"),
        ("", "no mapping"),
        ("a: !!python/object/apply:os.system [ls]", "line 1"),
        ("[" * 5000, "more than 10 levels deep"),
        ("a: " + "1:" * 40 + "1", "a number of more than 64 characters"),
        ("- " * 5000, "more than 10 levels deep"),
        ("a: 2026-99-99", "can be read"),
        ("x" * (MAX_CHARACTERS + 1), "longer"),
        ("a: \x00", "can be read"),
        ("a: &x [1]\nb: *x", "line 2, column 4: an alias"),
        ('a: 1\nb: !!int ""', "line 2, column 4: a tag"),
        ("a: !!bool x", "line 1, column 4: a tag"),
        ("a: !!timestamp x", "line 1, column 4: a tag"),
        ("a: !!omap x", "line 1, column 4: a tag"),
        ("!!set {a, b}", "line 1, column 1: a tag"),
        ("a: ! x", "line 1, column 4: a tag"),
        ("a: &x {k: 1}\nb: {<<: {k: 1}}", "a merge key"),
        ("a: [" + "1," * MAX_NODES + "]", f"more than {MAX_NODES} values"),
    ],
)
def test_a_file_without_a_mapping_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(MappingError, match=message):
        from_yaml(text)


EXPORTED = FieldPair(
    "size",
    "Size__c",
    Direction.BOTH,
    contact="Größe__c",
    placeholder="a\x85b",
    locked=True,
    values=(ValuePair("S", "small, or not: tiny"), ValuePair("L", "x" * 200)),
)
EXPORT = (
    "# The mapping between Plezi and Salesforce, version 7, by ana on Monday.\n"
    "# To import: change it, keep `version` as it is, and PUT it to /admin/mapping.yaml\n"
    "# (or: make mapping-import FILE=mapping.yaml). It is refused if another version was saved\n"
    "# after this export. docs/mapping.md explains every key.\n"
    "version: 7\n"
    "contact_filter: null\n"
    "lead_filter: {field: Stage, operator: in, value: 'a, b'}\n"
    "duplicates: mirror\n"
    "create_lead_beside_contact: false\n"
    "phone_region: FR\n"
    "pairs:\n"
    '  - {plezi: size, salesforce: Size__c, direction: both, policy: newest, contact: "Gr\\xF6'
    '\\xDFe__c", placeholder: "a\\Nb", locked: true, values: [{plezi: S, salesforce: '
    f"'small, or not: tiny'}}, {{plezi: L, salesforce: {'x' * 200}}}]}}\n"
    "  - {plezi: größe, salesforce: Other, direction: 'off', policy: newest}\n"
)


def test_an_export_is_exactly_this_text() -> None:
    pairs = (EXPORTED, FieldPair("größe", "Other", Direction.OFF))
    mapping = MappingConfig(7, pairs, None, Filter("Stage", Operator.IN, "a, b"))

    assert to_yaml(mapping, " by\n\x1bana\x00 on  Monday") == EXPORT


def test_an_export_without_pairs_and_author_is_one_that_can_be_imported() -> None:
    text = to_yaml(MappingConfig(7, (), None))

    assert text.startswith("# The mapping between Plezi and Salesforce, version 7.\n# To import")
    assert text.endswith("\nphone_region: FR\npairs: []\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a" * (MAX_CHARACTERS + 1), "the file is longer than 200000 characters"),
        ("a" * MAX_CHARACTERS, NO_MAPPING),
        ("- a", NO_MAPPING),
        ("a: 2026-99-99", NOT_READ),
        ("a: \x00", NOT_READ),
        (
            "pairs: [",
            f"{NOT_YAML} in line 2, column 1: did not find expected node content",
        ),
        (
            "a: &x [1]\nb: *x",
            f"{NOT_YAML} in line 2, column 4: an alias (*name) is not allowed: repeat the value",
        ),
        (
            "a: 1\nb: !!int 2",
            f"{NOT_YAML} in line 2, column 4: a tag (tag:yaml.org,2002:int) {NO_TAG}",
        ),
        (
            "a: !x [1]",
            f"{NOT_YAML} in line 1, column 4: a tag (!x) {NO_TAG}",
        ),
        (
            "a: 1\nb: {c: 1, <<: {d: 2}}",
            f"{NOT_YAML} in line 2, column 11: a merge key (<<) is not allowed",
        ),
        (
            "a: " + "[" * 10,
            f"{NOT_YAML} in line 1, column 13: more than 10 levels deep",
        ),
        (
            "a: 1\nb: [[], " + "[" * 9 + "]",
            f"{NOT_YAML} in line 2, column 17: more than 10 levels deep",
        ),
        (
            "a: [" + "1," * (MAX_NODES - 2) + "]",
            f"{NOT_YAML} in line 1, column 139999: more than 70000 values",
        ),
        *(
            (
                f"a: 1\nb: {number}",
                f"{NOT_YAML} in line 2, column 4: a number of more than 64 characters",
            )
            for number in ("1" * 65, "-" + "1" * 64, "." + "1" * 64, "+" + "9" * 64)
        ),
    ],
)
def test_each_error_of_a_file_names_its_place(text: str, message: str) -> None:
    with pytest.raises(MappingError) as refused:
        from_yaml(text)

    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: " + "[" * 9 + "]" * 9, [[[[[[[[[]]]]]]]]]),
        ("a: [" + "[], " * 11 + "]", [[]] * 11),
        ("a: [" + "1," * (MAX_NODES - 3) + "]", [1] * (MAX_NODES - 3)),
        ("a: " + "1" * 64, int("1" * 64)),
        ("a: '" + "1" * 65 + "'", "1" * 65),
        ("a: x" + "1" * 65, "x" + "1" * 65),
        ("a: '<<'", "<<"),
        ("'<<': 1\na: 2", 2),
    ],
)
def test_a_file_within_the_limits_is_read(text: str, value: object) -> None:
    assert from_yaml(text)["a"] == value
