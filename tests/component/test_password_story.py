"""The password is reset in the org: one refused login, one alert, no lockout, nothing lost."""

from __future__ import annotations

from connector.model import RunState
from connector.rotation import Outcome
from tests.component.keyring import Keyring

REFUSED = "Invalid Password"


def test_a_password_reset_from_beginning_to_end(keyring: Keyring) -> None:
    stage = keyring.stage
    ana = stage.add_person(email="ana@example.com", last_name="Lopez", phone="111")
    assert keyring.run().state is RunState.DONE
    [lead] = stage.leads("ana@example.com")
    keyring.reset_password()
    before = keyring.logins()

    # The next run makes exactly one refused login, opens the breaker and alerts.
    run = keyring.run()
    assert (run.state, run.reason) == (RunState.HALTED, "login_refused")
    assert keyring.logins() == [*before, REFUSED]
    breaker = stage.ledger.breaker()
    assert breaker is not None
    [(subject, text)] = keyring.mail()
    assert "refuses the login" in subject
    assert "1. the password was reset" in text
    assert "Nothing is lost" in text

    # Ten more invocations make none, and nobody is told again.
    stage.mark()
    for _ in range(10):
        assert keyring.run().reason == "login_refused"
    assert stage.calls("salesforce")["logins"] == 0
    assert keyring.logins() == [*before, REFUSED]
    assert keyring.mail() == []

    # Meanwhile people work.
    stage.edit_person(ana, phone="222")
    stage.edit_lead(lead["Id"], MobilePhone="333")
    stage.add_person(email="bob@example.com", last_name="Roi")
    stage.add_lead(Email="cleo@example.com", LastName="Noël")

    # A wrong new secret is refused by the rotation, and the breaker stays.
    wrong = keyring.put(keyring.material(security_token="mistyped"), "AWSPENDING")
    for _ in range(3):
        assert keyring.rotation().offer(wrong).outcome is Outcome.REFUSED
    assert keyring.logins() == [*before, REFUSED, REFUSED]
    assert stage.ledger.breaker() == breaker
    assert keyring.run().reason == "login_refused"

    # The right one is promoted, and the run that it asks for catches up.
    right = keyring.put(keyring.material(), "AWSPENDING")
    rotated = keyring.rotation().offer(right)
    assert rotated.outcome is Outcome.PROMOTED
    assert keyring.labels(wrong) == [] or keyring.labels(wrong) == ["AWSPENDING"]
    caught_up = stage.work(rotated.run_id)
    assert caught_up.state is RunState.DONE
    assert stage.ledger.breaker() is None
    people = stage.people()
    assert set(people) == {"ana@example.com", "bob@example.com", "cleo@example.com"}
    assert people["ana@example.com"]["mobile"] == "333"
    assert {each["Email"] for each in stage.leads()} == set(people)
    assert stage.leads("ana@example.com")[0]["Phone"] == "222"

    # The user was never locked out: two refused logins, of which each was a different secret.
    assert not keyring.locked_out()
    assert keyring.logins().count(REFUSED) == 2
    keyring.run()
    stage.mark()
    keyring.run()
    assert stage.calls("salesforce")["writes"] == stage.calls("plezi")["writes"] == 0


def test_a_password_that_expired_by_itself_is_the_same_story(keyring: Keyring) -> None:
    assert keyring.run().state is RunState.DONE
    keyring.user(password_expired=True)
    keyring.stage.control("salesforce", "POST", "sessions/kill", {})

    for _ in range(5):
        assert keyring.run().reason == "login_refused"
    assert keyring.logins() == ["Success", "Failed: Password Expired"]

    keyring.reset_password()
    keyring.put(keyring.material())
    assert keyring.run().state is RunState.DONE


def test_a_trouble_that_comes_back_is_told_again(keyring: Keyring) -> None:
    for _ in range(2):
        keyring.reset_password()
        keyring.run()
        keyring.put(keyring.material())
        keyring.run()

    assert len(keyring.mail()) == 2
