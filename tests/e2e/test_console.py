"""The console in a real browser, on the deployed stack: sign-in, pages, tasks, roles."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import requests
from playwright.sync_api import Dialog, expect

from connector.console.roles import UserRole
from connector.console.seals import Seals, parse_console_keys
from connector.console.session import CHECK_SECONDS, COOKIE, PURPOSE, SESSION_SECONDS
from local.actors import Marketer, Operator, SalesPerson
from local.embedded_aws import EmbeddedAws
from local.stack.console import ROLES
from local.stack.stack_file import StackFile
from tests.e2e.console_pages import ConsolePages, OpenPages

pytestmark = pytest.mark.stack

LEA = "lea.console@example.com"
GONE = "oubli.console@example.com"
LONG = "long.console@example.com"
MALLORY = "mallory.console@example.com"
ATTACK = "<img src=x onerror=alert(1)>"
REFUSED = {
    "viewer": "/switch",
    "operator": "/mapping/discard",
    "mapper": "/runs",
    "privacy": "/settings/limits",
}
"""A form that the role does not allow."""
PAGES = ("/", "/review", "/people", "/mapping", "/runs", "/setup", "/audit", "/settings")


@pytest.fixture(scope="module")
def lea(stack: StackFile) -> Iterator[str]:
    """Return the Plezi id of a synchronized person, whose phone a colleague changed then.

    The mapping is restored and applied for the tests that come after.
    """
    marketing, ops = Marketer(stack), Operator(stack)
    ops.admin("POST", "/admin/start")
    before = ops.admin("GET", "/admin/mapping")["version"]
    contact = marketing.add(
        email=LEA, first_name="Léa", last_name="Martin", company="Conserverie d'Armor",
        phone="+33 1 44 55 66 77",
    )  # fmt: skip
    marketing.add(email=MALLORY, last_name=ATTACK, company=ATTACK, phone=ATTACK)
    ops.fire_schedule()
    marketing.edit(contact, phone="+33 1 99 99 99 99")
    ops.fire_schedule()
    yield contact
    current = ops.admin("GET", "/admin/mapping")["version"]
    ops.admin("POST", f"/admin/mapping/versions/{before}/restore", {"version": current})
    assert ops.request_run(kind="full")["state"] == "done"


def test_the_demo_users_have_the_roles_of_the_console() -> None:
    assert set(ROLES) == {role.value for role in UserRole}


def test_a_visitor_signs_in_and_comes_to_the_page_that_was_asked_for(
    open_pages: OpenPages, lea: str
) -> None:
    assert lea
    pages = open_pages()
    pages.sign_in("viewer", "/runs?list=forms")
    assert pages.page.url == f"{pages.console.url}/runs?list=forms"
    expect(pages.page.get_by_text("Signed in as viewer@example.com")).to_be_visible()
    (cookie,) = pages.page.context.cookies()
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")
    assert pages.page.evaluate("document.cookie") == ""
    pages.press("Sign out")
    expect(pages.page.get_by_role("heading", name="You are signed out")).to_be_visible()
    assert pages.page.context.cookies() == []


@pytest.mark.parametrize("role", ROLES)
def test_a_user_is_offered_what_the_role_allows_and_refused_the_rest(
    open_pages: OpenPages, lea: str, role: str
) -> None:
    assert lea
    pages = open_pages(role)
    buttons = pages.page.get_by_role("button")
    assert (buttons.filter(has_text="Pause").count() > 0) == (role == "mapper")
    assert (buttons.filter(has_text="Synchronize now").count() > 0) == (role == "operator")
    pages.find(LEA)
    assert (buttons.filter(has_text="Erase").count() > 0) == (role == "privacy")
    assert (buttons.filter(has_text="Undo the change").count() > 0) == (role == "operator")
    status, text = send_form(pages, REFUSED[role])
    assert status == 403
    assert "needs the role" in text


def send_form(pages: ConsolePages, path: str) -> tuple[int, str]:
    """Send a form that the page does not offer, with the session and the token of the user."""
    token = pages.page.locator("input[name=form_token]").first.get_attribute("value") or ""
    form = {"form_token": token, "kind": "changes", "reset": "yes", "on": "no"}
    script = """async ([url, form]) => {
        const sent = await fetch(url, {method: 'POST', body: new URLSearchParams(form)});
        return [sent.status, await sent.text()];
    }"""
    status, text = pages.page.evaluate(script, [f"{pages.console.url}{path}", form])
    return status, text


def test_a_user_finds_why_a_phone_changed_and_undoes_it(
    open_pages: OpenPages, lea: str, sales: SalesPerson, marketing: Marketer
) -> None:
    assert lea
    assert sales.leads(LEA)[0]["Phone"] == "+33 1 99 99 99 99"
    pages = open_pages("operator")
    pages.find(LEA)
    expect(pages.page.get_by_role("heading", level=1)).to_have_text("Léa Martin")
    assert "lea" not in pages.page.url
    change = pages.page.get_by_role("listitem").filter(has_text="+33 1 44 55 66 77").first
    expect(change).to_contain_text("edited in Plezi, and copied to Salesforce")
    pages.picture("person")

    pages.press("Undo the change of Phone", within=change)
    pages.wait_for_run()
    expect(pages.page.get_by_role("heading", level=1)).to_have_text("Preview of the undo")
    expect(pages.page.get_by_role("table").last).to_contain_text("+33 1 44 55 66 77")
    assert sales.leads(LEA)[0]["Phone"] == "+33 1 99 99 99 99"
    pages.press("Undo now")
    pages.wait_for_run()

    expect(pages.page.get_by_text("complete", exact=True)).to_be_visible()
    assert sales.leads(LEA)[0]["Phone"] == "+33 1 44 55 66 77"
    assert marketing.contacts()[LEA]["phone"] == "+33 1 44 55 66 77"
    pages.page.get_by_role("link", name="Back to the person").click()
    expect(pages.page.get_by_text("the former value was put back").first).to_be_visible()


def test_the_links_to_both_systems_lead_to_the_person(
    open_pages: OpenPages, lea: str, stack: StackFile
) -> None:
    assert lea
    pages = open_pages("viewer")
    pages.find(LEA)
    for system in ("Plezi", "Salesforce"):
        link = pages.page.get_by_role("link", name=f"Open in {system}")
        address = link.get_attribute("href") or ""
        shown = requests.get(address, verify=stack.salesforce.ca_bundle, timeout=30)
        assert shown.status_code == 200
        assert "Martin" in shown.text


def test_a_value_that_is_code_is_shown_and_not_run(open_pages: OpenPages, lea: str) -> None:
    assert lea
    pages = open_pages("viewer")
    dialogs: list[str] = []

    def close(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    pages.page.on("dialog", close)
    pages.find(MALLORY)
    expect(pages.page.get_by_role("heading", level=1)).to_have_text(ATTACK)
    assert dialogs == []


def test_a_conflict_is_decided_with_the_keyboard_only(
    open_pages: OpenPages, lea: str, sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    mapping = ops.admin("GET", "/admin/mapping")
    for pair in mapping["pairs"]:
        if pair["salesforce"] == "MobilePhone":
            pair["policy"] = "hold"
    ops.admin("PUT", "/admin/mapping", mapping)
    lead = sales.leads(LEA)[0]["Id"]
    marketing.edit(lea, mobile="+33 6 11 11 11 11")
    sales.edit("Lead", lead, MobilePhone="+33 6 22 22 22 22")
    ops.fire_schedule()
    pages = open_pages("operator")
    pages.open("/review")
    conflict = pages.page.get_by_role("article").filter(has_text=f"{LEA}: Mobile Phone")
    expect(conflict).to_contain_text("+33 6 11 11 11 11")
    expect(conflict).to_contain_text("+33 6 22 22 22 22")
    pages.picture("review")

    for _ in range(60):
        pages.page.keyboard.press("Tab")
        script = (
            "document.activeElement.matches('button') && document.activeElement.closest('.side')"
        )
        focused = pages.page.evaluate(f"({script})?.innerText || ''")
        if "+33 6 22 22 22 22" in focused:
            break
    pages.page.keyboard.press("Enter")

    expect(pages.page.get_by_role("status")).to_contain_text("The value is chosen")
    expect(conflict).to_have_count(0)
    deadline = time.monotonic() + 60
    while marketing.contacts()[LEA].get("mobile") != "+33 6 22 22 22 22":
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_a_field_is_mapped_previewed_approved_and_applied_in_less_than_a_minute(
    open_pages: OpenPages, lea: str, sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    marketing.edit(lea, employees=42)
    pages = open_pages("mapper")
    clicks = 0
    started = time.monotonic()

    def click(role: Any, name: str) -> None:
        nonlocal clicks
        clicks += 1
        pages.page.get_by_role(role, name=name).first.click()

    click("link", "Mapping")
    click("link", "Map Employees")
    pages.picture("pair")
    click("button", "Put into the draft")
    expect(pages.page.get_by_role("heading", name="Draft: not applied yet")).to_be_visible()
    pages.picture("draft")
    click("button", "Preview the draft")
    pages.wait_for_run()
    expect(pages.page.get_by_role("table").last).to_contain_text("42")
    pages.picture("preview")
    click("button", "Approve and apply")
    pages.wait_for_run()
    seconds = time.monotonic() - started

    expect(pages.page.get_by_text("complete", exact=True)).to_be_visible()
    assert clicks <= 10
    assert seconds < 60
    mapping = ops.admin("GET", "/admin/mapping")
    (pair,) = [it for it in mapping["pairs"] if it["saved"] and it["plezi"] == "employees"]
    record = sales.record("Lead", sales.leads(LEA)[0]["Id"])
    assert float(record[pair["salesforce"]]) == 42


def test_a_field_is_mapped_and_applied_with_the_keyboard_only(
    open_pages: OpenPages, lea: str, sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    marketing.edit(lea, birthdate="1990-05-17")
    pages = open_pages("mapper")
    pages.type_enter("Mapping")
    pages.page.wait_for_url("**/mapping")
    pages.type_enter("Skip to the content")
    pages.tab_to("Search fields")
    pages.page.keyboard.type("birth")
    pages.type_enter("Map Birth date")
    pages.page.wait_for_url("**/mapping/pair?**")
    pages.tab_to("both directions")
    pages.page.keyboard.press("ArrowUp")
    pages.page.keyboard.press("ArrowDown")
    pages.type_enter("Put into the draft")
    expect(pages.page.get_by_role("heading", name="Draft: not applied yet")).to_be_visible()
    pages.type_enter("Preview the draft")
    pages.wait_for_run()
    pages.type_enter("Approve and apply")
    pages.wait_for_run()

    expect(pages.page.get_by_text("complete", exact=True)).to_be_visible()
    mapping = ops.admin("GET", "/admin/mapping")
    (pair,) = [it for it in mapping["pairs"] if it["saved"] and it["plezi"] == "birthdate"]
    assert pair["direction"] == "both"
    record = sales.record("Lead", sales.leads(LEA)[0]["Id"])
    assert record[pair["salesforce"]] == "1990-05-17"


def test_a_user_who_is_disabled_at_the_user_pool_is_signed_out_at_the_next_check(
    open_pages: OpenPages, lea: str, stack: StackFile
) -> None:
    assert lea
    pages = open_pages("viewer")
    aws = EmbeddedAws(stack.aws_endpoint)
    user = {"UserPoolId": stack.console.pool_id, "Username": "viewer@example.com"}
    let_session_age(pages, aws, stack)
    pages.open("/runs")
    expect(pages.page.get_by_text("Signed in as viewer@example.com")).to_be_visible()
    aws.users.admin_disable_user(**user)
    try:
        let_session_age(pages, aws, stack)
        pages.open("/runs")
        expect(pages.page.get_by_label("Password")).to_be_visible()
        assert not [it for it in pages.page.context.cookies() if it["name"] == COOKIE]
    finally:
        aws.users.admin_enable_user(**user)


def let_session_age(pages: ConsolePages, aws: EmbeddedAws, stack: StackFile) -> None:
    """Change the time of the last check in the cookie, with the key of the deployed console."""
    secret = aws.secrets.get_secret_value(SecretId=stack.secrets["console"])["SecretString"]
    keys = parse_console_keys(secret, "console")
    seals = Seals(lambda: keys, time.time)
    (cookie,) = [it for it in pages.page.context.cookies() if it["name"] == COOKIE]
    members = seals.unseal(PURPOSE, cookie["value"], SESSION_SECONDS)
    assert members is not None
    members["checked_at"] -= CHECK_SECONDS + 1
    aged: Any = {**cookie, "value": seals.seal(PURPOSE, members)}
    pages.page.context.add_cookies([aged])


def test_a_privacy_officer_exports_and_erases_a_person(
    open_pages: OpenPages, lea: str, marketing: Marketer, ops: Operator
) -> None:
    assert lea
    marketing.add(email=GONE, last_name="Oubli")
    ops.fire_schedule()
    pages = open_pages("privacy")
    pages.find(GONE)
    with pages.page.expect_download() as download:
        pages.press("Export as a file")
    assert GONE in download.value.path().read_text(encoding="utf-8")
    pages.press("Erase")
    expect(pages.page.get_by_role("listitem").filter(has_text=GONE)).to_be_visible()
    pages.press("Erase for good")
    expect(pages.page.get_by_role("heading", level=1)).to_have_text("The person is erased")
    pages.find(GONE)
    expect(pages.page.get_by_role("alert")).to_be_visible()


def test_a_refused_write_is_explained_in_french_and_retried(
    open_pages: OpenPages, lea: str, sales: SalesPerson, marketing: Marketer, ops: Operator
) -> None:
    assert lea
    contact = marketing.add(email=LONG, last_name="Long", first_name="T" * 200)
    ops.fire_schedule()
    pages = open_pages(locale="fr-FR")
    pages.sign_in("operator", "/review?kind=quarantine")
    expect(pages.page.get_by_text("raccourcissez la valeur dans Plezi").first).to_be_visible()
    marketing.edit(contact, first_name="Tess")
    person = pages.page.get_by_role("listitem").filter(has_text=LONG)
    person.get_by_role("button", name="Réessayer", exact=True).click()
    deadline = time.monotonic() + 60
    while not sales.leads(LONG) or sales.leads(LONG)[0]["FirstName"] != "Tess":
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_the_set_up_checks_the_connection_of_the_deployed_stack(
    open_pages: OpenPages, lea: str
) -> None:
    assert lea
    pages = open_pages("mapper")
    pages.open("/setup")
    pages.press("Check the connection")
    expect(pages.page.get_by_text("Salesforce accepts the credentials.")).to_be_visible()
    assert pages.violations() == []


def test_a_recipient_of_alerts_is_added_on_the_deployed_stack(
    open_pages: OpenPages, lea: str
) -> None:
    assert lea
    pages = open_pages("mapper")
    pages.open("/settings")
    pages.page.get_by_label("E-mail of a recipient").fill("night@example.com")
    pages.press("Add")
    expect(pages.page.get_by_role("status")).to_contain_text("got an e-mail to confirm")
    expect(pages.page.get_by_role("listitem").filter(has_text="night@example.com")).to_be_visible()


def test_times_are_shown_in_the_zone_of_the_viewer_and_without_a_script_in_utc(
    open_pages: OpenPages, lea: str
) -> None:
    assert lea
    shown = []
    for options in ({"timezone_id": "Asia/Tokyo"}, {"java_script_enabled": False}):
        pages = open_pages(**options)
        pages.sign_in("viewer", "/runs")
        shown.append(pages.page.locator("time").first)
    at = datetime.fromisoformat(shown[0].get_attribute("datetime") or "")
    assert f"{(at.hour + 9) % 24:02d}:{at.minute:02d}" in shown[0].inner_text()
    assert "UTC" in shown[1].inner_text()


def test_every_page_is_accessible_fits_the_screen_and_has_no_error_of_the_browser(
    open_pages: OpenPages, lea: str
) -> None:
    assert lea
    pages = open_pages("admin")
    found: list[str] = []
    pages.page.on("console", lambda it: found.append(it.text) if it.type == "error" else None)
    pages.page.on("pageerror", lambda it: found.append(str(it)))
    for path in (*PAGES, "/mapping/pair?key=Phone", "/mapping/history"):
        pages.open(path)
        expect(pages.page.get_by_role("heading", level=1)).to_be_visible()
        assert "did not work" not in pages.page.title(), path
        found += pages.defects(path.strip("/").partition("?")[0].replace("/", "-") or "overview")
    pages.open("/runs")
    pages.page.locator("tbody a").first.click()
    found += pages.defects("run")
    pages.find(LEA)
    found += pages.defects("person")
    assert found == []
    pages.open("/no-such-page")
    assert pages.defects("error") == []
