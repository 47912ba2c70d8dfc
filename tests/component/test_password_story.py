"""A password reset in the org: one refused login, one alert, no lockout, no lost edit."""

from __future__ import annotations

from connector.credentials.rotation import RotationOutcome
from connector.model import RunState
from tests.component.credential_fixtures import CredentialFixtures

REFUSED = "Invalid Password"


def test_a_password_reset_from_start_to_end(credentials: CredentialFixtures) -> None:
    harness = credentials.harness
    ana = harness.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    assert credentials.run().state is RunState.DONE
    [lead] = harness.leads("ana@example.com")
    credentials.reset_password()
    before = credentials.logins()

    # The next run makes exactly one refused login, opens the breaker and alerts.
    run = credentials.run()
    assert (run.state, run.reason) == (RunState.HALTED, "login_refused")
    assert credentials.logins() == [*before, REFUSED]
    breaker = harness.ledger.breaker()
    assert breaker is not None
    [(subject, text)] = credentials.received_alerts()
    assert "refuses the login" in subject
    assert "1. the password was reset" in text
    assert "Nothing is lost" in text

    # Ten more invocations make no login, and no second alert is sent.
    harness.mark()
    for _ in range(10):
        assert credentials.run().reason == "login_refused"
    assert harness.calls("salesforce")["logins"] == 0
    assert credentials.logins() == [*before, REFUSED]
    assert credentials.received_alerts() == []

    # Users edit records during this time.
    harness.edit_person(ana, phone="222")
    harness.edit_lead(lead["Id"], MobilePhone="333")
    harness.add_person(email="bob@example.com", last_name="Roi")
    harness.add_lead(Email="cleo@example.com", LastName="Noël")

    # The rotation refuses a wrong new secret, and the breaker stays open.
    wrong = credentials.put(credentials.material(security_token="mistyped"), "AWSPENDING")
    for _ in range(3):
        assert credentials.rotation().test_and_promote(wrong).outcome is RotationOutcome.REFUSED
    assert credentials.logins() == [*before, REFUSED, REFUSED]
    assert harness.ledger.breaker() == breaker
    assert credentials.run().reason == "login_refused"

    # The rotation promotes the right secret, and the run that it requests synchronizes the edits.
    right = credentials.put(credentials.material(), "AWSPENDING")
    rotated = credentials.rotation().test_and_promote(right)
    assert rotated.outcome is RotationOutcome.PROMOTED
    assert credentials.labels(wrong) == [] or credentials.labels(wrong) == ["AWSPENDING"]
    requested_run = harness.run_phase(rotated.run_id)
    assert requested_run.state is RunState.DONE
    assert harness.ledger.breaker() is None
    people = harness.people()
    assert set(people) == {"ana@example.com", "bob@example.com", "cleo@example.com"}
    assert people["ana@example.com"]["mobile"] == "333"
    assert {lead["Email"] for lead in harness.leads()} == set(people)
    assert harness.leads("ana@example.com")[0]["Phone"] == "222"

    # The user was never locked out: two refused logins, each with a different secret.
    assert not credentials.locked_out()
    assert credentials.logins().count(REFUSED) == 2
    credentials.run()
    harness.mark()
    credentials.run()
    assert harness.calls("salesforce")["writes"] == harness.calls("plezi")["writes"] == 0


def test_an_expired_password_behaves_like_a_reset_password(
    credentials: CredentialFixtures,
) -> None:
    assert credentials.run().state is RunState.DONE
    credentials.user(password_expired=True)
    credentials.harness.control("salesforce", "POST", "sessions/kill", {})

    for _ in range(5):
        assert credentials.run().reason == "login_refused"
    assert credentials.logins() == ["Success", "Failed: Password Expired"]

    credentials.reset_password()
    credentials.put(credentials.material())
    assert credentials.run().state is RunState.DONE


def test_a_second_password_reset_sends_a_second_alert(credentials: CredentialFixtures) -> None:
    for _ in range(2):
        credentials.reset_password()
        credentials.run()
        credentials.put(credentials.material())
        credentials.run()

    assert len(credentials.received_alerts()) == 2
