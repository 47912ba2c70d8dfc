"""The `/_sim/` routes that only this org has: data, users, switches, rules, fields, records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Request, Response

from local.control import json_object, json_response
from local.salesforce_org import (
    control_access,
    control_fields,
    control_rules,
    features,
    lifecycle,
    login,
    oauth,
    record_types,
    samples,
    seed_data,
)
from local.salesforce_org.dml import SaveOptions, Writer
from local.salesforce_org.ids import full_id
from local.salesforce_org.schema import ObjectType
from local.salesforce_org.security import OrgUser
from local.salesforce_org.state import OrgState
from local.salesforce_org.store import Row

CREATED = 201
INTEGRATION_USER = "integration@acme.example"
USER_FLAGS = frozenset(
    {
        "is_active", "api_enabled", "approved", "admin_approved", "trusted_address",
        "ip_restricted", "use_any_api_auth", "customize_application", "view_setup",
        "view_all_data", "edit_converted_leads", "password_expired",
    }
)  # fmt: skip
Route = Callable[[Request, list[str]], Any]


class ControlRoutes:
    """Handles the org's own control routes."""

    def __init__(self, state: OrgState, reset: Callable[[], None]) -> None:
        self._state = state
        self._reset = reset
        self._routes: dict[tuple[str, str], Route] = {
            ("POST", "reset"): self._reset_org,
            ("POST", "load"): self._load,
            ("GET", "switches"): lambda _r, _p: self._state.switches.listing(),
            ("POST", "switches"): self._set_switches,
            ("GET", "users"): lambda _r, _p: self._users(),
            ("POST", "users"): self._change_user,
            ("GET", "logins"): lambda _r, _p: self._logins(),
            ("POST", "sessions"): self._sessions,
            ("POST", "quota"): self._quota,
            ("POST", "cursors"): self._expire_cursors,
            ("GET", "rules"): lambda _r, _p: self._state.automation.listing(),
            ("POST", "duplicate_rules"): lambda r, _p: control_rules.set_duplicate_rule(
                self._state, json_object(r)
            ),
            ("POST", "validation_rules"): lambda r, _p: control_rules.add_validation_rule(
                self._state, json_object(r)
            ),
            ("DELETE", "validation_rules"): lambda _r, _p: control_rules.clear_validation_rules(
                self._state
            ),
            ("POST", "flows"): lambda r, _p: control_rules.add_flow(self._state, json_object(r)),
            ("DELETE", "flows"): lambda _r, _p: control_rules.clear_flows(self._state),
            ("POST", "features"): lambda r, _p: features.switch_on(
                self._state, json_object(r).get("feature")
            ),
            ("POST", "record_types"): self._record_type,
            ("POST", "objects"): self._object_permissions,
            ("POST", "certificates"): lambda r, _p: control_access.upload_certificate(
                self._state, json_object(r).get("certificate")
            ),
            ("POST", "permission_sets"): self._assignment,
            ("GET", "sharing"): lambda _r, _p: self._state.sharing.listing(),
            ("POST", "sharing"): self._sharing_default,
            ("GET", "assignments"): lambda _r, _p: list(self._state.automation.assignments),
            ("GET", "transactions"): lambda _r, _p: {"open": self._state.transactions.open_count()},
            ("POST", "fields"): self._fields,
            ("PATCH", "fields"): self._change_field,
            ("DELETE", "fields"): self._delete_field,
            ("GET", "records"): self._read_record,
            ("POST", "records"): self._post_record,
            ("PATCH", "records"): self._edit_record,
            ("DELETE", "records"): self._delete_record,
            ("POST", "leads"): self._lead,
            ("POST", "contacts"): self._contact,
            ("GET", "counts"): lambda _r, _p: {
                k.name: self._state.store.count(k) for k in self._state.schema if k.business
            },
        }

    def handle(self, request: Request) -> Response | None:
        """Handle one of these routes; return None for any other route."""
        first, *rest = request.path.strip("/").removeprefix("_sim/").split("/")
        route = self._routes.get((request.method, first))
        if route is None:
            return None
        self._state.transactions.apply_due(self._state.now())
        body = route(request, rest)
        created = request.method == "POST" and first in {"records", "fields"} and len(rest) <= 1
        return json_response(body, CREATED if created else 200)

    def _reset_org(self, _request: Request, _path: list[str]) -> Any:  # noqa: ANN401  # JSON
        self._reset()
        return {"reset": True}

    def _load(self, request: Request, _path: list[str]) -> Any:  # noqa: ANN401  # JSON
        body = json_object(request)
        numbers = {k: body.pop(k, 0) for k in ("leads", "contacts", "first")}
        spread = body.pop("last_modified_spread_seconds", body.pop("spread_seconds", 0))
        if (
            body
            or not isinstance(spread, int | float)
            or not all(isinstance(n, int) and n >= 0 for n in numbers.values())
        ):
            raise BadRequest(
                "give 'leads', 'contacts', 'first' and 'spread_seconds' as numbers, 0 or more"
            )
        author = self._author(None)
        samples.load(self._state, author, **numbers, spread=float(spread))
        return {"loaded": numbers}

    def _set_switches(self, request: Request, _path: list[str]) -> Any:  # noqa: ANN401  # JSON
        state = self._state
        state.switches.change(json_object(request))
        state.security.hidden = frozenset(n.lower() for n in state.switches.hidden_objects)
        state.security.invalidate()
        organization = state.schema.get("Organization")
        state.store.update_by_id(
            organization,
            state.org_id,
            {
                "OrganizationType": state.switches.edition,
                "IsSandbox": int(state.switches.is_sandbox),
            },
        )
        return state.switches.listing()

    def _users(self) -> Any:  # noqa: ANN401  # JSON
        listing = []
        for user in self._state.users.values():
            row = asdict(user) | {"login_times": len(user.login_times)}
            for name in ("locked_until", "password_changed_at"):
                row[name] = row[name].isoformat() if row[name] else None
            listing.append(row)
        return listing

    def _change_user(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        match path:
            case [username]:
                user, flags = self._user(username), json_object(request)
                for name, value in flags.items():
                    if name not in USER_FLAGS or not isinstance(value, bool):
                        raise BadRequest(
                            f"{name!r} is not one of {sorted(USER_FLAGS)}, or not a boolean"
                        )
                for name, value in flags.items():
                    setattr(user, name, value)
                users = self._state.schema.get("User")
                self._state.store.update_by_id(users, user.id, {"IsActive": int(user.is_active)})
                seed_data.show_view_all_data(self._state, user)
                return {f.name: getattr(user, f.name) for f in fields(user) if f.name in USER_FLAGS}
            case [username, "password"]:
                user = self._user(username)
                password = json_object(request).get("password", user.password)
                if not isinstance(password, str) or not password:
                    raise BadRequest("give 'password'")
                token = login.reset_password(self._state, user, password)
                return {"username": user.username, "password": password, "security_token": token}
            case [username, "refresh_token"]:
                user = self._user(username)
                token = oauth.approve(self._state, user)
                return {"username": user.username, "refresh_token": token}
            case [username, "unlock"]:
                user = self._user(username)
                user.failed_logins, user.locked_until = 0, None
                return {"username": user.username, "unlocked": True}
        raise NotFound("POST /_sim/users/{username}[/password|/unlock|/refresh_token]")

    def _sessions(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        if path != ["kill"]:
            raise NotFound("POST /_sim/sessions/kill")
        username = json_object(request).get("username")
        user_id = self._user(username).id if username else None
        return {"killed": self._state.sessions.kill_all(user_id)}

    def _quota(self, request: Request, _path: list[str]) -> Any:  # noqa: ANN401  # JSON
        state, body = self._state, json_object(request)
        if not all(isinstance(n, int) for n in body.values()) or set(body) - {"max", "used"}:
            raise BadRequest("give 'max', 'used' or both, as whole numbers")
        state.quota.maximum = body.get("max", state.quota.maximum)
        if "used" in body:
            state.quota.set(body["used"], state.now())
        return {"max": state.quota.maximum, "used": state.quota.used(state.now())}

    def _expire_cursors(self, _request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        if path != ["expire"]:
            raise NotFound("POST /_sim/cursors/expire")
        self._state.queries.expire()
        return {"expired": True}

    def _object_permissions(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        match path:
            case [entity, "permissions"]:
                body = json_object(request)
                name = body.pop("username", None)
                user = self._user(name) if name is not None else None
                return control_access.set_permissions(self._state, self._kind(entity), user, body)
        raise NotFound("POST /_sim/objects/{object}/permissions")

    def _assignment(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        match path:
            case [name, "assignments"]:
                user = self._user(json_object(request).get("username", INTEGRATION_USER))
                return control_access.assign(self._state, name, user)
        raise NotFound("POST /_sim/permission_sets/{name}/assignments")

    def _record_type(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        match path:
            case [entity]:
                return record_types.add(self._state, self._kind(entity), json_object(request))
        raise NotFound("POST /_sim/record_types/{object}")

    def _sharing_default(self, request: Request, _path: list[str]) -> Any:  # noqa: ANN401  # JSON
        body = json_object(request)
        kind = self._kind(str(body.get("object")))
        return control_access.set_default(self._state, kind, body.get("default"))

    def _fields(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        match path:
            case [entity]:
                return control_fields.add(self._state, self._kind(entity), json_object(request))
            case [entity, name, "visibility"]:
                return control_fields.set_visibility(
                    self._state, self._kind(entity), name, json_object(request)
                )
        raise NotFound("POST /_sim/fields/{object}[/{field}/visibility]")

    def _change_field(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        if len(path) != len(("object", "field")):
            raise NotFound("PATCH /_sim/fields/{object}/{field}")
        return control_fields.change(
            self._state, self._kind(path[0]), path[1], json_object(request)
        )

    def _delete_field(self, _request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        if len(path) != len(("object", "field")):
            raise NotFound("DELETE /_sim/fields/{object}/{field}")
        return control_fields.delete(self._state, self._kind(path[0]), path[1])

    def _read_record(self, _request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        if len(path) != len(("object", "id")):
            raise NotFound("GET /_sim/records/{object}/{id}")
        kind = self._kind(path[0])
        row = self._state.store.fetch(kind, full_id(path[1]) or "")
        if row is None:
            raise NotFound(f"no {kind.name} {path[1]}")
        return _record_json(kind, row)

    def _post_record(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        state, body = self._state, json_object(request)
        match path:
            case [entity]:
                writer, values = self._writer(body)
                with state.store.savepoint():
                    return {"id": writer.create(self._kind(entity), values)}
            case [entity, record_id, "undelete"]:
                return lifecycle.undelete(state, self._author(body), self._kind(entity), record_id)
            case [entity, record_id, "erase"]:
                return lifecycle.erase(state, self._kind(entity), record_id)
            case [entity, record_id, "sharing"]:
                user = self._user(body.get("username", INTEGRATION_USER))
                return control_access.share(
                    state, self._kind(entity), record_id, user, body.get("access")
                )
            case [entity, record_id, "merge"]:
                author = self._author(body)
                return lifecycle.merge(state, author, self._kind(entity), record_id, body)
        raise NotFound("POST /_sim/records/{object}[/{id}/undelete|erase|merge|sharing]")

    def _edit_record(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        if len(path) != len(("object", "id")):
            raise NotFound("PATCH /_sim/records/{object}/{id}")
        kind = self._kind(path[0])
        writer, values = self._writer(json_object(request))
        with self._state.store.savepoint():
            writer.update(kind, path[1], values)
        return {"id": full_id(path[1])}

    def _delete_record(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        if len(path) != len(("object", "id")):
            raise NotFound("DELETE /_sim/records/{object}/{id}")
        writer, _ = self._writer(json_object(request))
        writer.delete(self._kind(path[0]), path[1])
        return {"id": full_id(path[1])}

    def _lead(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        state, body = self._state, json_object(request)
        match path:
            case [lead_id, "convert"]:
                return lifecycle.convert(state, self._author(body), lead_id, body)
            case [lead_id, "merge"]:
                return lifecycle.merge(state, self._author(body), self._kind("Lead"), lead_id, body)
        raise NotFound("POST /_sim/leads/{id}/convert or /merge")

    def _contact(self, request: Request, path: list[str]) -> Any:  # noqa: ANN401  # JSON
        match path:
            case [contact_id, "merge"]:
                body = json_object(request)
                author, kind = self._author(body), self._kind("Contact")
                return lifecycle.merge(self._state, author, kind, contact_id, body)
        raise NotFound("POST /_sim/contacts/{id}/merge")

    def _logins(self) -> Any:  # noqa: ANN401  # JSON
        """Return Login History, oldest first: the only source of the reason of a failed login."""
        names = {user.id: user.username for user in self._state.users.values()}
        rows = self._state.store.select(
            self._state.schema.get("LoginHistory"), "IsDeleted = 0 ORDER BY rowid"
        )
        columns = ("LoginTime", "LoginType", "Status", "Application")
        return [
            {"username": names.get(row["UserId"]), **{name: row[name] for name in columns}}
            for row in rows
        ]

    def _writer(self, body: dict[str, Any]) -> tuple[Writer, dict[str, Any]]:
        """Return the writer and the values of a body; `as_system` also writes read-only fields."""
        author = self._author(body)
        touch = body.pop("touch", "both")
        if touch not in [
            "both",
            "system",
            "none",
        ]:  # a list, not a set: the value may be unhashable
            raise BadRequest("'touch' is both, system or none")
        late_seconds = body.pop("late_commit_seconds", 0)
        as_system = body.pop("as_system", touch != "both")
        values = body.get("values", body)
        if isinstance(late_seconds, bool) or not isinstance(late_seconds, int | float):
            raise BadRequest("'late_commit_seconds' is a number of seconds")
        if not isinstance(values, dict):
            raise BadRequest("'values' is an object of fields and values")
        options = SaveOptions(
            allow_duplicates=True,
            late_seconds=float(late_seconds),
            touch=touch,
            as_system=bool(as_system),
        )
        return Writer(self._state, author, options), values

    def _author(self, body: dict[str, Any] | None) -> OrgUser:
        """Return the user in `by`, by default the sales user."""
        name = body.pop("by", None) if body else None
        return self._user(name or "sales@acme.example")

    def _user(self, username: object) -> OrgUser:
        user = self._state.user(str(username))
        if user is None:
            raise BadRequest(f"no user {username!r}; known: {', '.join(self._state.users)}")
        return user

    def _kind(self, name: str) -> ObjectType:
        kind = self._state.schema.find(name)
        if kind is None:
            raise BadRequest(f"no object {name!r}")
        return kind


def _record_json(kind: ObjectType, row: Row) -> dict[str, Any]:
    return {
        field.name: bool(row[field.name]) if field.type == "boolean" else row[field.name]
        for field in kind.fields.values()
        if field.name in row
    }
