"""Sign-in: what a user pool sends back is believed only as far as this browser asked for it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from connector.console.session import CHECK_SECONDS, SESSION_SECONDS
from connector.console.sign_in import ATTEMPT_SECONDS
from tests.component.console.conftest import OpenBrowser
from tests.component.console.console_browser import BASE, URL
from tests.component.console.user_pool import FakeUserPool
from tests.component.harness import Harness

SESSION = "__Secure-console"
ATTEMPT = "__Secure-console-sign-in"


def test_a_page_asks_for_a_sign_in_and_is_shown_after_it(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    sent_on = browser.get("/runs?list=forms")
    assert sent_on.location == "/sign-in?to=%2Fruns%3Flist%3Dforms"
    begun = browser.sign_in("viewer", to="/runs?list=forms")
    assert begun.location == "/runs?list=forms"
    shown = browser.follow(begun)
    assert shown.status == 200
    assert "marie@example.com" in shown.text


def test_every_page_needs_a_session(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    for path in ("/", "/review", "/people", "/mapping", "/runs/1", "/setup", "/audit", "/settings"):
        assert browser.get(path).location.startswith("/sign-in?to="), path


def test_a_form_without_a_session_changes_nothing_and_says_so(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    answer = open_browser().request("POST", "/switch", {"on": "no"})
    assert answer.status == 401
    assert "Your session has ended" in answer.text
    assert harness.ledger.is_enabled()


def test_the_cookies_are_hidden_from_scripts_and_sent_over_tls_to_the_console_only(
    open_browser: OpenBrowser,
) -> None:
    browser = open_browser()
    started = browser.get("/sign-in?to=/")
    begun = browser.get(
        browser.pool.log_in(started.headers["Location"], "m@example.com", ("viewer",)).removeprefix(
            URL
        )
    )
    for cookie in (*started.cookies, *begun.cookies):
        assert cookie.startswith("__Secure-")
        assert "; HttpOnly; Secure; SameSite=Lax" in cookie
        assert f"; Path={BASE};" in cookie
    names = {cookie.partition("=")[0] for cookie in begun.cookies}
    assert names == {SESSION, ATTEMPT}


def test_a_cookie_shows_nothing_about_its_user(open_browser: OpenBrowser) -> None:
    browser = open_browser("viewer")
    value = browser.cookies[SESSION]
    assert "marie" not in value
    assert "viewer" not in value


def test_the_code_is_useless_without_the_browser_that_asked_for_it(
    open_browser: OpenBrowser,
) -> None:
    victim, attacker = open_browser(), open_browser()
    started = attacker.get("/sign-in?to=/")
    back = attacker.pool.log_in(started.headers["Location"], "evil@example.com", ("viewer",))
    victim.get("/sign-in?to=/")
    refused = victim.get(back.removeprefix(URL))
    assert refused.status == 403
    assert "another attempt" in refused.text
    assert SESSION not in victim.cookies


def test_a_return_without_an_attempt_is_refused(open_browser: OpenBrowser) -> None:
    refused = open_browser().get("/signed-in?code=abc&state=abc")
    assert refused.status == 403
    assert "took too long" in refused.text


def test_an_attempt_ends_after_ten_minutes(harness: Harness, open_browser: OpenBrowser) -> None:
    browser = open_browser()
    started = browser.get("/sign-in?to=/")
    back = browser.pool.log_in(started.headers["Location"], "m@example.com", ("viewer",))
    harness.let_pass(ATTEMPT_SECONDS + 2)
    assert "took too long" in browser.get(back.removeprefix(URL)).text


def test_a_return_is_accepted_once(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    started = browser.get("/sign-in?to=/")
    back = browser.pool.log_in(started.headers["Location"], "m@example.com", ("viewer",))
    attempt = browser.cookies[ATTEMPT]
    assert browser.get(back.removeprefix(URL)).status == 303
    assert ATTEMPT not in browser.cookies
    browser.cookies = {ATTEMPT: attempt}
    assert browser.get(back.removeprefix(URL)).status == 403
    assert SESSION not in browser.cookies


def test_a_sign_in_begins_another_session_than_the_one_before(open_browser: OpenBrowser) -> None:
    browser = open_browser("viewer")
    before, token = browser.cookies[SESSION], browser.form_token()
    browser.sign_in("viewer")
    assert browser.cookies[SESSION] != before
    assert browser.form_token() != token


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Other"},
        {"aud": "another-client"},
        {"token_use": "access"},
        {"nonce": "that of another attempt"},
        {"exp": 1},
        {"sub": None},
    ],
    ids=lambda change: str(next(iter(change))),
)
def test_a_token_that_is_not_for_this_attempt_is_refused(
    open_browser: OpenBrowser, pool: FakeUserPool, change: dict[str, Any]
) -> None:
    def changed(claims: dict[str, Any]) -> dict[str, Any]:
        return {name: it for name, it in {**claims, **change}.items() if it is not None}

    pool.change_claims = changed
    browser = open_browser()
    assert browser.sign_in("viewer").status == 403
    assert SESSION not in browser.cookies


def test_a_token_with_the_signature_of_another_key_is_refused(
    open_browser: OpenBrowser, pool: FakeUserPool
) -> None:
    pool.signing_key = RSAKey.generate_key(2048, {"kid": "one"})
    assert open_browser().sign_in("viewer").status == 403


def test_new_keys_of_the_user_pool_are_read_at_once(
    open_browser: OpenBrowser, pool: FakeUserPool
) -> None:
    browser = open_browser("viewer")
    pool.key = RSAKey.generate_key(2048, {"kid": "two"})
    assert browser.sign_in("viewer").status == 303


def test_a_user_pool_that_is_down_is_named_as_the_cause(
    open_browser: OpenBrowser, pool: FakeUserPool
) -> None:
    pool.is_down = True
    refused = open_browser().sign_in("viewer")
    assert refused.status == 403
    assert "does not respond" in refused.text


def test_a_user_without_a_group_learns_which_groups_there_are(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    refused = browser.sign_in("other-group")
    assert refused.status == 403
    assert "no role" in refused.text
    assert SESSION not in browser.cookies


def test_an_email_that_is_not_verified_is_not_the_name_in_the_audit_log(
    open_browser: OpenBrowser, pool: FakeUserPool
) -> None:
    pool.change_claims = lambda claims: {**claims, "email_verified": False}
    browser = open_browser()
    browser.sign_in("mapper", email="boss@example.com")
    browser.post("/switch", on="no")
    (entry, *_) = browser.console.admin.audit.entries(1).entries
    assert entry.actor == "console: sub-of-boss@example.com"


def test_every_action_is_in_the_audit_log_with_its_user(open_browser: OpenBrowser) -> None:
    browser = open_browser("mapper")
    browser.post("/switch", on="no")
    (entry, *_) = browser.console.admin.audit.entries(1).entries
    assert entry.action == "pause"
    assert entry.actor == "console: marie@example.com (sub-of-marie@example.com)"


def test_a_session_ends_after_a_working_day(harness: Harness, open_browser: OpenBrowser) -> None:
    browser = open_browser("viewer")
    harness.let_pass(SESSION_SECONDS - 60)
    assert browser.get("/").status == 200
    harness.let_pass(120)
    assert browser.get("/").location.startswith("/sign-in")


def test_a_user_is_checked_at_the_user_pool_every_few_minutes_and_not_at_each_page(
    harness: Harness, open_browser: OpenBrowser, pool: FakeUserPool
) -> None:
    browser = open_browser("viewer")
    token = browser.form_token()
    for _ in range(3):
        assert browser.get("/").status == 200
    assert pool.checks == 0
    harness.let_pass(CHECK_SECONDS + 1)
    for _ in range(3):
        assert browser.get("/").status == 200
    assert pool.checks == 1
    assert browser.form_token() == token


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_disabled_user_is_signed_out_within_five_minutes_and_changes_nothing_more(
    harness: Harness, open_browser: OpenBrowser, pool: FakeUserPool, method: str
) -> None:
    browser = open_browser("mapper")
    form = {"form_token": browser.form_token(), "on": "no"}
    pool.disable()
    harness.let_pass(CHECK_SECONDS + 1)
    path = "/switch" if method == "POST" else "/"
    answer = browser.request(method, path, form if method == "POST" else None)
    assert answer.status == (401 if method == "POST" else 303)
    assert SESSION not in browser.cookies
    assert harness.ledger.is_enabled()


def test_nothing_is_shown_or_done_while_the_user_pool_cannot_be_asked(
    harness: Harness, open_browser: OpenBrowser, pool: FakeUserPool
) -> None:
    browser = open_browser("mapper")
    harness.let_pass(CHECK_SECONDS + 1)
    pool.is_down = True
    assert browser.post("/switch", on="no").status == 503
    shown = browser.get("/")
    assert shown.status == 503
    assert "does not respond" in shown.text
    assert harness.ledger.is_enabled()
    pool.is_down, pool.is_busy = False, True
    assert browser.get("/").status == 503
    pool.is_busy = False
    assert browser.get("/").status == 200


def test_a_role_that_was_taken_away_ends_within_five_minutes(
    harness: Harness, open_browser: OpenBrowser, pool: FakeUserPool
) -> None:
    browser = open_browser("mapper")
    pool.put_into("viewer")
    harness.let_pass(CHECK_SECONDS + 1)
    assert browser.post("/switch", on="no").status == 403
    assert harness.ledger.is_enabled()
    pool.put_into()
    harness.let_pass(CHECK_SECONDS + 1)
    assert browser.get("/").location.startswith("/sign-in")
    assert SESSION not in browser.cookies


def test_the_refresh_token_of_another_user_renews_no_session(
    harness: Harness, open_browser: OpenBrowser, pool: FakeUserPool
) -> None:
    browser = open_browser("viewer")
    for claims in pool.refresh_tokens.values():
        claims["sub"] = "somebody else"
    harness.let_pass(CHECK_SECONDS + 1)
    assert browser.get("/").location.startswith("/sign-in")


def test_checks_do_not_make_a_session_longer_than_a_working_day(
    harness: Harness, open_browser: OpenBrowser
) -> None:
    browser = open_browser("viewer")
    for _ in range(8):
        harness.let_pass(SESSION_SECONDS / 8 - 1)
        assert browser.get("/").status == 200
    harness.let_pass(10)
    assert browser.get("/").location.startswith("/sign-in")


def test_the_cookie_of_a_session_fits_into_what_browsers_keep(open_browser: OpenBrowser) -> None:
    assert len(open_browser("viewer", "mapper").cookies[SESSION]) < 4000


def test_signing_out_ends_the_session_here_and_at_the_user_pool(
    open_browser: OpenBrowser, pool: FakeUserPool
) -> None:
    browser = open_browser("viewer")
    answer = browser.submit(browser.get("/"), "/sign-out")
    assert SESSION not in browser.cookies
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert answer.headers["Location"].startswith(f"{browser.console.login.pool.pages}/logout?")
    assert query["logout_uri"] == [f"{URL}/signed-out"]
    assert browser.get("/signed-out").status == 200
    assert pool.refresh_tokens == {}


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x=1",
        "/\tevil",
        "",
    ],
)
def test_no_address_outside_of_the_console_is_opened_after_a_sign_in(
    open_browser: OpenBrowser, address: str
) -> None:
    location = open_browser().sign_in("viewer", to=address).headers["Location"]
    assert re.fullmatch(rf"{BASE}(/[^/\\\s]*)?", location), location
    assert "evil.example" not in location


def test_the_language_link_opens_no_other_site(open_browser: OpenBrowser) -> None:
    answer = open_browser().get("/language?to=fr&back=//evil.example")
    assert answer.headers["Location"] == BASE
