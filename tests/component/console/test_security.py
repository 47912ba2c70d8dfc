"""What the console refuses: forms of other sites, missing roles, frames, and text that is code."""

from __future__ import annotations

import re

import pytest

from connector.console.pages import ROUTES
from connector.console.roles import UserRole
from connector.console.routes import Route
from connector.console.seals import ConsoleKeys, Seals
from tests.component.console.conftest import OpenBrowser
from tests.component.console.console_browser import Browser
from tests.component.harness import Harness
from tests.component.people_fixtures import ANA

POSTS = [route for route in ROUTES if route.method == "POST"]
ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def path_of(route: Route) -> str:
    """Return a path of a route."""
    return re.sub(r"\{\w+\}", "x", route.path)


@pytest.mark.parametrize("token", ["", "that of another session"])
def test_a_form_without_the_token_of_the_session_is_refused(
    open_browser: OpenBrowser, token: str
) -> None:
    browser = open_browser(*UserRole)
    for path in ("/sign-out", *map(path_of, POSTS)):
        answer = browser.request("POST", path, {"form_token": token, "on": "no"})
        assert answer.status == 403, path
        assert "not sent from this console" in answer.text


def test_the_token_of_another_session_is_refused_too(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    other = open_browser("mapper").form_token()
    browser = open_browser("mapper")
    answer = browser.request("POST", "/switch", {"form_token": other, "on": "no"})
    assert answer.status == 403
    assert harness.ledger.is_enabled()


@pytest.mark.parametrize("role", UserRole)
def test_a_page_or_action_is_refused_without_its_role(
    open_browser: OpenBrowser, role: UserRole
) -> None:
    browser = open_browser(role)
    allowed = {UserRole.VIEWER, role}
    for route in ROUTES:
        path = path_of(route)
        answer = browser.get(path) if route.method == "GET" else browser.post(path)
        is_refused = answer.status == 403 and "Your role does not allow this" in answer.text
        assert is_refused == (route.role not in allowed), (route.method, route.path)


def test_every_change_needs_more_than_the_role_of_a_viewer() -> None:
    read_only = {route.path for route in POSTS if route.role is UserRole.VIEWER}
    assert read_only == {"/people"}, "a search is sent with POST, because addresses are logged"


@pytest.mark.parametrize("role", UserRole)
def test_a_page_shows_no_form_that_its_user_may_not_send(
    open_browser: OpenBrowser, ana: str, role: UserRole
) -> None:
    assert ana
    browser = open_browser(role)
    person = browser.console.seals.person_id(ANA)
    allowed = {UserRole.VIEWER, role}
    for path in ("/", "/runs", "/review", "/mapping", "/setup", f"/people/{person}"):
        for action in browser.get(path).actions() - {"/sign-out"}:
            route = next(it for it in POSTS if it.parameters("POST", action) is not None)
            assert route.role in allowed, (path, action)


def test_a_cookie_that_was_made_with_another_key_is_no_session(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    forged = Seals(lambda: ConsoleKeys(("x" * 64,)), browser.console.admin.clock)
    roles = [role.value for role in UserRole]
    members = {"subject": "evil", "email": "", "roles": roles, "form_token": "t"}
    browser.cookies["__Secure-console"] = forged.seal("session", members)
    assert browser.get("/").location.startswith("/sign-in")


def test_the_cookie_of_an_attempt_is_no_session(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    browser.get("/sign-in?to=/")
    browser.cookies["__Secure-console"] = browser.cookies["__Secure-console-sign-in"]
    assert browser.get("/").location.startswith("/sign-in")


def responses(browser: Browser) -> list[tuple[str, dict[str, str]]]:
    """Return the headers of a page, an error, a redirect and a public page."""
    paths = ("/", "/no-such-page", "/language?to=fr", "/signed-out", "/sign-in")
    return [(path, browser.get(path).headers) for path in paths]


def test_every_response_forbids_frames_inline_code_and_other_sites(
    open_browser: OpenBrowser,
) -> None:
    for path, headers in responses(open_browser("viewer")):
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'", path
        assert policy["frame-ancestors"] == "'none'"
        assert policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Strict-Transport-Security"]


def test_no_page_has_inline_code_or_style_or_loads_from_another_site(
    open_browser: OpenBrowser, ana: str
) -> None:
    assert ana
    browser = open_browser(*UserRole)
    person = browser.console.seals.person_id(ANA)
    for path in ("/", "/runs", "/review", "/mapping", "/people", f"/people/{person}", "/setup"):
        text = browser.get(path).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", text), path
        loaded = re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"', text)
        assert loaded
        assert all(address.startswith("/v1/console/static/") for address in loaded)


def test_values_names_and_words_of_both_systems_are_shown_as_text(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    harness.add_person(email=ANA, last_name=ATTACK, phone=ATTACK, company=ATTACK)
    run = harness.sync()
    browser = open_browser(*UserRole)
    person = browser.console.seals.person_id(ANA)
    for path in (f"/people/{person}", f"/runs/{run.id}", f"/mapping?example={person}"):
        text = browser.get(path).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text
        assert "&lt;script&gt;alert(1)" in text, path


def test_what_a_user_types_comes_back_as_text(open_browser: OpenBrowser) -> None:
    browser = open_browser("mapper")
    searched = browser.post("/people", text=ATTACK)
    assert searched.status == 404
    assert "<script>alert" not in searched.text
    for path in (f"/?done={ATTACK}", f"/runs?next={ATTACK}", "/review?kind=<b>"):
        assert "<script>alert" not in browser.get(path).text


def test_no_address_of_a_page_shows_who_a_person_is(open_browser: OpenBrowser, ana: str) -> None:
    assert ana
    browser = open_browser(*UserRole)
    found = browser.post("/people", text=ANA.upper())
    assert found.status == 303
    assert "ana" not in found.location.lower()
    run = browser.console.admin.runs.list_runs(1)[0]
    for path in (f"/runs/{run.id}", "/review"):
        for address in re.findall(r'href="([^"]*)"', browser.get(path).text):
            assert "@" not in address
            assert "%40" not in address


def test_an_id_of_a_person_that_is_not_ours_is_refused_and_means_no_other_person(
    harness: Harness, open_browser: OpenBrowser, ana: str
) -> None:
    assert ana
    run = harness.ledger.list_runs(1)[0]
    browser = open_browser("operator")
    for wrong in ("x", "ä", "A" * 80, ANA):
        assert browser.get(f"/people/{wrong}").status == 404
        answer = browser.post(f"/runs/{run.id}/undo", confirmed="yes", person=wrong)
        assert answer.status == 404
    assert len(harness.ledger.list_runs(10)) == 1


def test_an_address_of_plezi_that_is_code_is_no_link(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    harness.add_person(email=ANA, last_name="Lopez")
    harness.sync()
    link = harness.ledger.load_links([ANA])[ANA]
    assert link.plezi is not None
    browser = open_browser("viewer")
    page = browser.get(f"/people/{browser.console.seals.person_id(ANA)}")
    assert 'href="javascript' not in page.text
