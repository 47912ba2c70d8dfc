"""A chapter of the demo: the password is reset; nothing is lost, nobody is locked out."""

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
    """`say` prints a line; `true` prints what holds and stops the demo where it does not."""

    def __init__(
        self,
        people: tuple[SalesPerson, Marketer, Operator, OnCall],
        say: Callable[[str], None],
        true: Callable[[bool, str], None],
    ) -> None:
        self._sales, self._marketing, self._ops, self._on_call = people
        self._say = say
        self._true = true
        self._before = len(self._logins())

    def tell(self) -> None:
        """Tell it from the reset to the run that catches up."""
        self._on_call.new_alerts()
        held = self._on_call.salesforce_credentials()
        answer = self._sales.simulate("POST", f"users/{USER}/password", {"password": NEW_PASSWORD})
        self._say("  somebody resets the integration user's password, and its token dies with it")
        self._one_refused_login()
        self._marketing.add(email=IVY, last_name="Ivy")
        self._sales.add("Lead", Email=JON, LastName="Jon", Company="Jon SA")
        self._say("  meanwhile Ivy is added in Plezi, and Jon in Salesforce")
        new = {**held, "password": NEW_PASSWORD}
        self._a_wrong_secret({**new, "security_token": "mistyped"})
        self._the_right_one({**new, "security_token": answer["security_token"]})

    def _one_refused_login(self) -> None:
        run = self._ops.fire_schedule()
        self._true(run["reason"] == "login_refused", "the next run is refused, and halts")
        [mail] = self._on_call.new_alerts(at_least=1)
        self._say(f"  whoever is on call reads: [b]{mail.subject}[/b]")
        causes = mail.text.partition("in order: ")[2].split("; ")
        for cause in causes[:3]:
            self._say(f"    [dim]{cause}[/dim]")
        for _ in range(MORE_RUNS):
            self._ops.fire_schedule()
        self._true(len(self._refused()) == 1, f"{MORE_RUNS} more runs: still one refused login")
        self._true(not self._on_call.new_alerts(), "... and one alert")

    def _a_wrong_secret(self, material: dict[str, Any]) -> None:
        current = self._on_call.current_version()
        rotated = self._on_call.rotate(self._on_call.put_pending(material))
        self._true(rotated["outcome"] == "refused", "a mistyped token is refused by the rotation")
        kept = self._on_call.current_version() == current
        self._true(kept, "... never becomes current, and the breaker stays open")

    def _the_right_one(self, material: dict[str, Any]) -> None:
        rotated = self._on_call.rotate(self._on_call.put_pending(material))
        self._true(rotated["outcome"] == "promoted", "the right one becomes current")
        run = self._ops.wait(rotated["run_id"])
        self._true(run["state"] == "done", "... and a run catches up at once")
        self._true(len(self._sales.leads(IVY)) == 1, "Ivy is a Lead")
        self._true(JON in self._marketing.contacts(), "Jon is in Plezi")
        [user] = [each for each in self._sales.simulate("GET", "users") if each["username"] == USER]
        self._true(user["locked_until"] is None, "the user was never locked out")

    def _logins(self) -> list[str]:
        rows = self._sales.simulate("GET", "logins")
        return [row["Status"] for row in rows if row["username"] == USER]

    def _refused(self) -> list[str]:
        return [status for status in self._logins()[self._before :] if status != "Success"]
