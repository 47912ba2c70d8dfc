"""A chapter of the demo: the password is reset; no data is lost and no user is locked out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from local.actors import Marketer, Operator, SalesPerson
from local.on_call import OnCall

USER: Final = "integration@acme.example"
NEW_PASSWORD: Final = "Spring-2027"
MORE_RUNS: Final = 10
IVY, JON = "ivy@example.com", "jon@example.com"


class PasswordChapter:
    """`output` prints a line; `check` prints a statement, or ends the demo when it is false."""

    def __init__(
        self,
        actors: tuple[SalesPerson, Marketer, Operator, OnCall],
        output: Callable[[str], None],
        check: Callable[[bool, str], None],
    ) -> None:
        self._sales, self._marketing, self._ops, self._on_call = actors
        self._output = output
        self._check = check
        self._logins_before = len(self._logins())

    def run(self) -> None:
        """Run it, from the reset to the run that makes the missed changes."""
        self._on_call.new_alerts()
        current = self._on_call.salesforce_credentials()
        response = self._sales.simulate(
            "POST", f"users/{USER}/password", {"password": NEW_PASSWORD}
        )
        self._output(
            "  the password of the integration user is reset; this also invalidates its token"
        )
        self._one_refused_login()
        self._marketing.add(email=IVY, last_name="Ivy")
        self._sales.add("Lead", Email=JON, LastName="Jon", Company="Jon SA")
        self._output("  Ivy is added in Plezi, and Jon in Salesforce")
        new = {**current, "password": NEW_PASSWORD}
        self._wrong_credentials({**new, "security_token": "mistyped"})
        self._correct_credentials({**new, "security_token": response["security_token"]})

    def _one_refused_login(self) -> None:
        run = self._ops.fire_schedule()
        self._check(
            run["reason"] == "login_refused",
            "the login of the next run is refused, and the run stops",
        )
        [alert] = self._on_call.new_alerts(at_least=1)
        self._output(f"  the engineer on call receives: [b]{alert.subject}[/b]")
        causes = alert.text.partition("in order: ")[2].split("; ")
        for cause in causes[:3]:
            self._output(f"    [dim]{cause}[/dim]")
        for _ in range(MORE_RUNS):
            self._ops.fire_schedule()
        self._check(
            len(self._refused()) == 1, f"{MORE_RUNS} more runs: still only one refused login"
        )
        self._check(not self._on_call.new_alerts(), "... and no further alert was sent")

    def _wrong_credentials(self, credentials: dict[str, Any]) -> None:
        current = self._on_call.current_version()
        rotated = self._on_call.rotate(self._on_call.put_pending(credentials))
        self._check(rotated["outcome"] == "refused", "the rotation refuses a mistyped token")
        kept = self._on_call.current_version() == current
        self._check(kept, "... the wrong version does not become current")

    def _correct_credentials(self, credentials: dict[str, Any]) -> None:
        rotated = self._on_call.rotate(self._on_call.put_pending(credentials))
        self._check(rotated["outcome"] == "promoted", "the correct version becomes current")
        run = self._ops.wait(rotated["run_id"])
        self._check(run["state"] == "done", "... and a run makes the missed changes immediately")
        self._check(len(self._sales.leads(IVY)) == 1, "Ivy is a Lead")
        self._check(JON in self._marketing.contacts(), "Jon is in Plezi")
        [user] = [row for row in self._sales.simulate("GET", "users") if row["username"] == USER]
        self._check(user["locked_until"] is None, "the user was never locked out")

    def _logins(self) -> list[str]:
        rows = self._sales.simulate("GET", "logins")
        return [row["Status"] for row in rows if row["username"] == USER]

    def _refused(self) -> list[str]:
        return [status for status in self._logins()[self._logins_before :] if status != "Success"]
