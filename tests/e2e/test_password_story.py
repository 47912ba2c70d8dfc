"""A password reset on the deployed stack: its functions, rights, queue and alert topic."""

from __future__ import annotations

from typing import Any

import pytest

from local.actors import Marketer, Operator, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.on_call import OnCall
from local.stack.stack_file import StackFile

pytestmark = pytest.mark.stack

USER = "integration@acme.example"
REFUSED = "Invalid Password"


@pytest.fixture
def ops(stack: StackFile) -> Operator:
    operator = Operator(stack)
    operator.admin("POST", "/admin/start")
    return operator


@pytest.fixture
def sales(stack: StackFile) -> SalesPerson:
    return SalesPerson(stack)


@pytest.fixture
def on_call(stack: StackFile) -> OnCall:
    return OnCall(stack)


def logins(sales: SalesPerson) -> list[str]:
    rows: list[dict[str, Any]] = sales.simulate("GET", "logins")
    return [row["Status"] for row in rows if row["username"] == USER]


def test_a_password_reset_from_beginning_to_end(
    stack: StackFile, sales: SalesPerson, ops: Operator, on_call: OnCall
) -> None:
    marketing = Marketer(stack)
    person = marketing.add(email="story@example.com", last_name="Lopez", phone="111")
    assert ops.fire_schedule()["state"] == "done"
    on_call.new_alerts()
    held = on_call.salesforce_credentials()
    reset = sales.simulate("POST", f"users/{USER}/password", {"password": "Reset-pass9"})
    before = logins(sales)

    run = ops.fire_schedule()
    assert (run["state"], run["reason"]) == ("halted", "login_refused")
    assert logins(sales) == [*before, REFUSED]
    [alert] = on_call.new_alerts(at_least=1)
    assert "refuses the login" in alert.subject
    assert "1. the password was reset" in alert.text
    assert ops.admin("GET", "/admin/status")["breaker"]["reason"] == "login_refused"

    for _ in range(10):
        assert ops.fire_schedule()["reason"] == "login_refused"
    assert logins(sales) == [*before, REFUSED]
    assert on_call.new_alerts() == []

    marketing.edit(person, phone="222")
    sales.add("Lead", Email="story2@example.com", LastName="Roi", Company="Roi SA")

    current = on_call.current_version()
    wrong = on_call.put_pending({**held, "password": "Reset-pass9", "security_token": "mistyped"})
    for _ in range(3):
        assert on_call.rotate(wrong)["outcome"] == "refused"
    assert logins(sales) == [*before, REFUSED, REFUSED]
    assert on_call.current_version() == current
    assert ops.admin("GET", "/admin/status")["breaker"]["reason"] == "login_refused"

    right = on_call.put_pending(
        {**held, "password": "Reset-pass9", "security_token": reset["security_token"]}
    )
    rotated = on_call.rotate(right)
    assert rotated["outcome"] == "promoted"
    assert on_call.current_version() == right

    next_run = ops.wait(rotated["run_id"])
    assert next_run["state"] == "done", next_run["message"]
    assert ops.admin("GET", "/admin/status")["breaker"] is None
    [lead] = sales.leads("story@example.com")
    assert lead["Phone"] == "222"
    assert "story2@example.com" in marketing.contacts()
    [user] = [row for row in sales.simulate("GET", "users") if row["username"] == USER]
    assert user["locked_until"] is None
    assert logins(sales).count(REFUSED) == 2


def test_a_rotation_of_an_unknown_version_is_refused_with_the_remedy(
    stack: StackFile, aws: EmbeddedAws
) -> None:
    response = aws.invoke(stack.functions["rotate_credentials"], {"version": "unknown"})
    assert "put-secret-value --version-stages AWSPENDING" in response["error"]
