"""The probe of a tenant: its time, its consent, what it leaves, and what it keeps."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from werkzeug.wrappers import Response

from connector.deadline import SAVE_SECONDS
from connector.errors import HaltError, RetryError, StaleError, StopReason
from connector.plezi.api_dialect import ChangedSince, UpdateMethod
from connector.plezi.dialect_in_use import dialect_in_use, served_dialect
from connector.probe_report import Certainty, ProbeReport, ProbeState, load_found_dialect
from local.serving import InProcessAdapter
from tests.component.probe_fixtures import CONTACT, ProbedTenant

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LAMBDA_SECONDS = 29.0
"""The time that API Gateway waits for the admin function."""


def finding(report: ProbeReport, name: str) -> tuple[Certainty, str]:
    (found,) = [each for each in report.findings if each.name == name]
    return found.certainty, found.message


def call(probed: ProbedTenant, contact: str = "", rate: float = 0.0) -> ProbeReport:
    """Make one call of a new invocation, with the time of the admin function."""
    probed.deadline.start(remaining=LAMBDA_SECONDS)
    started = probed.now
    report = probed.probe(contact, rate=rate)
    assert probed.now - started <= LAMBDA_SECONDS - SAVE_SECONDS
    return report


def until_done(probed: ProbedTenant, contact: str = "") -> ProbeReport:
    """Repeat a call that Plezi did not answer, as the operator does."""
    for _ in range(10):
        try:
            report = probed.probe(contact)
        except RetryError:
            continue
        if report.state is not ProbeState.RUNNING:
            return report
    raise AssertionError("the probe does not end")


def test_without_a_contact_nothing_is_written() -> None:
    probed = ProbedTenant(contacts=45)

    report = probed.probe()

    assert report.state is ProbeState.DONE
    assert {method for method, _ in probed.requests} == {"GET"}
    assert finding(report, "update_method")[0] is Certainty.ASSUMED
    assert "update_method" not in report.dialect


@pytest.mark.parametrize("call_seconds", [0.3, 2.0])
def test_a_probe_that_runs_out_of_time_goes_on_in_the_next_call(call_seconds: float) -> None:
    whole = ProbedTenant(contacts=130)
    whole.tenant.set_switches(pager="limit_offset", update_method="patch", deletion="offered")
    expected = whole.probe(CONTACT)
    probed = ProbedTenant(contacts=130, call_seconds=call_seconds)
    probed.tenant.set_switches(pager="limit_offset", update_method="patch", deletion="offered")

    reports = [call(probed, CONTACT, rate=2.0)]
    while reports[-1].state is ProbeState.RUNNING:
        reports.append(call(probed, CONTACT, rate=2.0))
        assert reports[-1].steps_left < reports[-2].steps_left

    assert len(reports) > 1
    assert load_found_dialect(probed.ledger).keys == load_found_dialect(whole.ledger).keys
    different = {"pace", "rate_limit"}
    assert {each for each in reports[-1].findings if each.name not in different} == {
        each for each in expected.findings if each.name not in different
    }
    assert probed.throwaway() is None


def test_a_dialect_is_in_use_only_when_the_probe_is_done() -> None:
    probed = ProbedTenant(contacts=45, call_seconds=1.0)
    probed.tenant.set_switches(pager="limit_offset")

    assert call(probed).state is ProbeState.RUNNING

    assert load_found_dialect(probed.ledger).keys == {}


def test_a_question_that_takes_longer_than_a_call_is_left_open() -> None:
    probed = ProbedTenant(contacts=45, call_seconds=12.0)

    reports = [call(probed)]
    while reports[-1].state is ProbeState.RUNNING:
        reports.append(call(probed))

    certainty, message = finding(reports[-1], "headers")
    assert certainty is Certainty.ASSUMED
    assert "too slowly" in message


def test_a_contact_that_exists_is_not_written_without_consent() -> None:
    probed = ProbedTenant(contacts=45)
    probed.tenant.contacts.create_as_user({"email": CONTACT, "company": "Nord"})
    before = probed.throwaway()

    with pytest.raises(StaleError, match="throwaway"):
        probed.probe(CONTACT)

    assert probed.throwaway() == before
    assert {method for method, _ in probed.requests} == {"GET"}


def test_a_contact_that_cannot_be_searched_is_not_written_without_consent() -> None:
    probed = ProbedTenant(contacts=130)
    probed.tenant.set_switches(email_filter="ignored")

    with pytest.raises(StaleError, match="cannot search"):
        probed.probe(CONTACT)

    assert {method for method, _ in probed.requests} == {"GET"}
    assert probed.probe(CONTACT, may_exist=True).state is ProbeState.DONE


def test_a_throwaway_contact_that_existed_has_its_values_again_and_is_not_deleted() -> None:
    probed = ProbedTenant(contacts=45)
    probed.tenant.set_switches(deletion="offered")
    probed.tenant.contacts.create_as_user(
        {"email": CONTACT, "company": "Nord", "last_name": "Lopez", "interests": ["events"]}
    )
    before = probed.throwaway()

    report = probed.probe(CONTACT, may_exist=True)

    assert probed.throwaway() == before
    assert report.left_behind == ()
    assert finding(report, "deletion")[0] is Certainty.ASSUMED
    assert report.dialect["update_method"] == "put"


@pytest.mark.parametrize("deletion", ["offered", "refused"])
def test_the_contact_is_deleted_where_that_is_possible_and_named_where_not(deletion: str) -> None:
    probed = ProbedTenant(contacts=45)
    probed.tenant.set_switches(deletion=deletion)

    report = probed.probe(CONTACT)

    is_left = probed.throwaway() is not None
    assert is_left is (deletion == "refused")
    assert bool(report.left_behind) is is_left


@pytest.mark.parametrize("kind", ["timeout_after", "http_500"])
@pytest.mark.parametrize("number", range(14))
def test_no_other_contact_is_touched_when_a_write_fails(number: int, kind: str) -> None:
    probed = ProbedTenant(contacts=45)
    before = probed.others()
    probed.tenant.set_switches(deletion="offered")
    writes = "PUT|POST|PATCH|DELETE"
    probed.tenant.control.faults.inject(kind, method=writes, path="", after=number, count=2)

    report = until_done(probed, CONTACT)

    assert probed.others() == before
    assert probed.throwaway() is None or report.left_behind
    written = [url for method, url in probed.requests if method in {"PUT", "PATCH", "DELETE"}]
    assert len({url.partition("/contacts/")[2] for url in written}) <= 1


@pytest.mark.parametrize("known_email", ["upsert", "conflict"])
def test_a_contact_whose_creation_was_not_answered_is_found_and_deleted(known_email: str) -> None:
    probed = ProbedTenant(contacts=45)
    probed.tenant.set_switches(deletion="offered", known_email=known_email)
    probed.tenant.control.faults.inject("timeout_after", method="POST", count=1)

    report = until_done(probed, CONTACT)

    assert probed.throwaway() is None
    assert finding(report, "create")[0] is Certainty.PROVED
    assert report.dialect["update_method"] == "put"


def test_a_contact_that_another_user_creates_at_the_same_time_is_not_deleted() -> None:
    probed = ProbedTenant(contacts=45)
    probed.tenant.set_switches(deletion="offered", known_email="conflict")
    user = {"email": CONTACT, "last_name": "Lopez"}

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and probed.throwaway() is None:
            probed.tenant.contacts.create_as_user(user)
        return probed.tenant(environ, start)

    probed.adapter = InProcessAdapter(answer)
    report = probed.probe(CONTACT)

    assert "another user" in finding(report, "create")[1]
    assert (probed.throwaway() or {})["last_name"] == "Lopez"
    assert not [url for method, url in probed.requests if method in {"PUT", "PATCH", "DELETE"}]


def test_an_answer_about_another_contact_is_never_taken_for_the_throwaway_contact() -> None:
    probed = ProbedTenant(contacts=45)
    other = probed.others()[0]
    before = probed.others()

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        response = Response.from_app(probed.tenant, environ)
        if environ["REQUEST_METHOD"] == "POST":
            body = json.loads(response.get_data())
            body["data"] |= {"id": other["id"]}
            body["data"]["attributes"] |= {"email": other["values"]["email"]}
            response.set_data(json.dumps(body))
        return response(environ, start)

    probed.adapter = InProcessAdapter(answer)
    report = probed.probe(CONTACT)

    assert probed.others() == before
    assert not [url for method, url in probed.requests if method in {"PUT", "PATCH", "DELETE"}]
    assert "another contact" in finding(report, "create")[1]


def test_a_refused_key_ends_the_probe_with_the_remedy_and_changes_nothing() -> None:
    probed = ProbedTenant(contacts=3)
    probed.tenant.set_switches(key_rights="none")

    report = probed.probe(CONTACT)

    assert report.state is ProbeState.FAILED
    assert "check the API key" in report.message
    assert load_found_dialect(probed.ledger).keys == {}


def test_a_question_that_plezi_fails_to_answer_again_and_again_is_left_open() -> None:
    probed = ProbedTenant(contacts=45)
    probed.tenant.control.faults.inject("http_500", path="contact_attributes", count=None)

    with pytest.raises(RetryError):
        probed.probe()
    report = probed.probe()

    assert report.state is ProbeState.DONE
    assert finding(report, "attribute_call")[0] is Certainty.ASSUMED
    assert report.dialect["finds_by_email"] is True


def test_a_probe_that_only_reads_keeps_what_was_found_by_writing() -> None:
    probed = ProbedTenant(contacts=45)
    probed.tenant.set_switches(update_method="patch")
    written = probed.probe(CONTACT)

    report = probed.probe()

    assert report.dialect["update_method"] == "patch"
    assert finding(report, "update_method") == finding(written, "update_method")
    assert probed.dialect().update_method is UpdateMethod.PATCH


def test_a_repeated_probe_names_what_has_changed_in_the_api() -> None:
    probed = ProbedTenant(contacts=45)
    first = probed.probe()
    probed.tenant.set_switches(email_filter="ignored", attribute_spelling={"phone": "tel"})

    report = probed.probe()

    assert first.changed == ()
    assert report.changed == ("attributes", "finds_by_email")
    assert probed.probe().changed == ()


def test_a_tenant_where_nothing_clears_an_attribute_is_refused() -> None:
    probed = ProbedTenant(contacts=45)
    probed.tenant.set_switches(null_write="ignored")
    probed.adapter = InProcessAdapter(ignoring_empty_texts(probed))

    report = probed.probe(CONTACT)

    assert [each.key for each in report.refusals] == ["clears_with"]


def ignoring_empty_texts(probed: ProbedTenant) -> WSGIApplication:
    """Return a tenant that takes an empty text for an attribute that is not named."""

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "PUT":
            body = json.loads(environ["wsgi.input"].read())
            values = body["data"]["attributes"]
            body["data"]["attributes"] = {name: it for name, it in values.items() if it != ""}
            text = json.dumps(body).encode()
            environ |= {"wsgi.input": BytesIO(text), "CONTENT_LENGTH": str(len(text))}
        return probed.tenant(environ, start)

    return answer


def test_a_tenant_without_a_safe_update_is_refused_until_the_setting_overrides_it() -> None:
    probed = ProbedTenant(contacts=45)
    probed.tenant.set_switches(unnamed_attributes="cleared")
    probed.probe(CONTACT)
    probed.probe()  # it only reads, and knows nothing better

    name = probed.tenant.tenant_name
    with pytest.raises(HaltError, match="keeps the attributes") as refused:
        served_dialect(probed.ledger, name, "")

    assert refused.value.reason is StopReason.PLEZI_NOT_SERVED
    assert served_dialect(probed.ledger, name, '{"update_method": "put"}')


def test_a_tenant_whose_contacts_cannot_be_read_before_a_write_is_refused() -> None:
    probed = ProbedTenant(contacts=45)
    probed.tenant.set_switches(email_filter="absent", get_by_id="absent", sort="ignored")

    report = probed.probe()

    assert ["before it is overwritten" in each.reason for each in report.refusals] == [True]


def test_the_setting_overrides_single_keys_of_the_dialect_that_was_found() -> None:
    probed = ProbedTenant(contacts=45)
    probed.tenant.set_switches(changed_since_name="updated_since", email_filter="absent")
    probed.probe()

    dialect = dialect_in_use(probed.ledger, probed.tenant.tenant_name, '{"page_size": 7}')

    assert dialect.page_size == 7
    assert dialect.changed_since is ChangedSince.UPDATED_SINCE
    assert not dialect.finds_by_email
    other = dialect_in_use(probed.ledger, "AnotherSAS", "")
    assert other.finds_by_email
