"""Sign-in at the user pool: authorization code with PKCE (RFC 6749, RFC 7636, OpenID Connect)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hmac import compare_digest
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from connector.console.seals import Seals
from connector.errors import ConnectorError

if TYPE_CHECKING:
    import requests
    from joserfc.jwk import KeySet

COOKIE: Final = "__Secure-console-sign-in"
ATTEMPT_SECONDS: Final = 600
"""How long a user may take to sign in, with a second factor."""
PURPOSE: Final = "sign-in"
SCOPE: Final = "openid email"
ALGORITHMS: Final = ["RS256"]
"""The only algorithm of Cognito's tokens (Amazon Cognito Developer Guide, "Verifying a JSON Web
Token")."""
KEYS_SECONDS: Final = 3600.0
"""How long the keys of the user pool are used; another key that signed a token is read at once."""
AMAZON_JSON: Final = "application/x-amz-json-1.1"
REFRESH: Final = "AWSCognitoIdentityProviderService.GetTokensFromRefreshToken"
"""The call that takes a refresh token; it needs no signature (Amazon Cognito User Pools API
Reference, "GetTokensFromRefreshToken")."""
BUSY_ERRORS: Final = frozenset({"TooManyRequestsException", "InternalErrorException"})
"""Errors that say nothing about the user."""
CLOCK_SECONDS: Final = 60
"""How much the clocks of the user pool and of the function may differ."""


class SignInError(ConnectorError):
    """The sign-in did not succeed; `cause` is the key of the text that explains it."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"the sign-in did not succeed: {cause}")
        self.cause = cause


@dataclass(frozen=True, slots=True)
class UserPool:
    """Where a user pool answers: its pages, its keys, the issuer of its tokens, and our client.

    `console` is the address of the console: the user pool sends users back to it.
    """

    pages: str
    keys: str
    issuer: str
    client_id: str
    console: str

    @property
    def callback(self) -> str:
        """The address to which the user pool returns a signed-in user."""
        return f"{self.console}/signed-in"

    @property
    def api(self) -> str:
        """The address of Cognito's API: that of the keys, without the path."""
        parts = urlsplit(self.keys)
        return f"{parts.scheme}://{parts.netloc}/"

    @property
    def sign_out(self) -> str:
        """The address that ends the session at the user pool, and returns to the console."""
        query = {"client_id": self.client_id, "logout_uri": f"{self.console}/signed-out"}
        return f"{self.pages}/logout?{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user as the user pool has one: the id, the verified e-mail ('': none), the groups."""

    subject: str
    email: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who signed in, the token to ask the user pool again with ('': none), and where to go."""

    identity: Identity
    refresh_token: str = field(repr=False)
    return_to: str


class SignIn:
    """Sends a user to the user pool, and checks what comes back."""

    def __init__(
        self,
        pool: UserPool,
        seals: Seals,
        session: Callable[[], requests.Session],
        clock: Callable[[], float],
        new_token: Callable[[], str],
    ) -> None:
        self.pool = pool
        self._seals = seals
        self._session = session
        self._clock = clock
        self._new_token = new_token
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    def start(self, return_to: str) -> tuple[str, str]:
        """Return the address of the sign-in page, and the value of the cookie of this attempt."""
        attempt = {name: self._new_token() for name in ("state", "nonce", "verifier")}
        address, _ = self._client().create_authorization_url(
            f"{self.pool.pages}/oauth2/authorize",
            state=attempt["state"],
            nonce=attempt["nonce"],
            code_verifier=attempt["verifier"],
        )
        return str(address), self._seals.seal(PURPOSE, {**attempt, "return_to": return_to})

    def finish(self, cookie: str, query: Mapping[str, str]) -> SignedIn:
        """Return who signed in. Raises `SignInError`."""
        attempt = self._seals.unseal(PURPOSE, cookie, ATTEMPT_SECONDS)
        if attempt is None:
            raise SignInError("expired")
        if not compare_digest(query.get("state", "").encode(), attempt["state"].encode()):
            raise SignInError("other_attempt")
        if "code" not in query:
            raise SignInError("refused")
        tokens = self._fetch_tokens(query["code"], attempt["verifier"])
        nonce = {"nonce": {"essential": True, "value": attempt["nonce"]}}
        identity = self._identity(str(tokens.get("id_token", "")), nonce)
        return SignedIn(identity, str(tokens.get("refresh_token", "")), attempt["return_to"])

    def check(self, subject: str, refresh_token: str) -> Identity:
        """Return what the user pool says about a signed-in user now.

        A user who was disabled, deleted or signed out there has no valid token any more. Raises
        `SignInError`: `unavailable` if the user pool did not answer, else the session is over.
        """
        if not refresh_token:
            raise SignInError("expired")
        tokens = self._refresh(refresh_token)
        return self._identity(
            str(tokens.get("IdToken", "")), {"sub": {"essential": True, "value": subject}}
        )

    def _refresh(self, refresh_token: str) -> Mapping[str, Any]:
        """Exchange a refresh token for new tokens, with the groups of now (public API of Cognito).

        Not at the token endpoint: that needs the whole OAuth library, for a call that a page waits
        for.
        """
        import requests  # noqa: PLC0415  # as below

        try:
            response = self._session().post(
                self.pool.api,
                data=json.dumps({"ClientId": self.pool.client_id, "RefreshToken": refresh_token}),
                headers={"Content-Type": AMAZON_JSON, "X-Amz-Target": REFRESH},
            )
            members = response.json()
        except (requests.RequestException, ConnectorError, ValueError) as error:
            raise SignInError("unavailable") from error
        if not isinstance(members, dict):
            raise SignInError("unavailable")
        if response.status_code == HTTPStatus.BAD_REQUEST:
            kind = str(members.get("__type", "")).rpartition("#")[2]
            raise SignInError("unavailable" if kind in BUSY_ERRORS else "refused")
        tokens = members.get("AuthenticationResult")
        if response.status_code != HTTPStatus.OK or not isinstance(tokens, dict):
            raise SignInError("unavailable")
        return tokens

    def end(self, refresh_token: str) -> None:
        """Revoke a token, as far as the user pool can be reached: the session is over anyway."""
        import requests  # noqa: PLC0415  # as below

        if not refresh_token:
            return
        members = {"token": refresh_token, "client_id": self.pool.client_id}
        with suppress(requests.RequestException, ConnectorError):
            self._session().post(f"{self.pool.pages}/oauth2/revoke", data=members)

    def _client(self) -> Any:  # noqa: ANN401  # a library without types
        # Imported at first use: only a sign-in needs the library, and every page must start fast.
        from authlib.oauth2.client import OAuth2Client  # noqa: PLC0415

        return OAuth2Client(  # type: ignore[no-untyped-call]
            self._session(),
            client_id=self.pool.client_id,
            scope=SCOPE,
            redirect_uri=self.pool.callback,
            code_challenge_method="S256",
        )

    def _fetch_tokens(self, code: str, verifier: str) -> Mapping[str, Any]:
        """Exchange a code for tokens, with the verifier that only this browser has."""
        import requests  # noqa: PLC0415  # as above
        from authlib.oauth2 import OAuth2Error  # noqa: PLC0415

        try:
            tokens: Mapping[str, Any] = self._client().fetch_token(
                f"{self.pool.pages}/oauth2/token",
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                redirect_uri=self.pool.callback,
                client_id=self.pool.client_id,
                auth=_without_secret,
            )
        except OAuth2Error as error:
            raise SignInError("refused") from error
        except (requests.RequestException, ValueError) as error:
            raise SignInError("unavailable") from error
        return tokens

    def _identity(self, token: str, also: Mapping[str, Any]) -> Identity:
        claims = self._verified_claims(token, also)
        is_verified = claims.get("email_verified") in (True, "true")
        return Identity(
            str(claims["sub"]),
            str(claims.get("email", "")) if is_verified else "",
            tuple(map(str, claims.get("cognito:groups", ()))),
        )

    def _verified_claims(self, token: str, also: Mapping[str, Any]) -> dict[str, Any]:
        """Return the claims of a token of our pool, for our client, with what else it must have."""
        from joserfc import jwt  # noqa: PLC0415  # as above
        from joserfc.errors import JoseError  # noqa: PLC0415

        required: dict[str, Any] = {
            "iss": {"essential": True, "value": self.pool.issuer},
            "aud": {"essential": True, "value": self.pool.client_id},
            "token_use": {"essential": True, "value": "id"},
            "exp": {"essential": True},
            "sub": {"essential": True},
            **also,
        }
        rules = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()), leeway=CLOCK_SECONDS, **required
        )
        for is_fresh in (False, True):  # a second time with fresh keys: the pool may have new ones
            try:
                decoded = jwt.decode(token, self._key_set(fresh=is_fresh), algorithms=ALGORITHMS)
            except (JoseError, ValueError):
                continue
            try:
                rules.validate(decoded.claims)
            except JoseError as error:
                raise SignInError("refused") from error
            return decoded.claims
        raise SignInError("refused")

    def _key_set(self, *, fresh: bool) -> KeySet:
        import requests  # noqa: PLC0415  # as above
        from joserfc.jwk import KeySet  # noqa: PLC0415

        now = self._clock()
        if self._keys is None or fresh or now - self._keys_at > KEYS_SECONDS:
            try:
                response = self._session().get(self.pool.keys)
                response.raise_for_status()
                self._keys = KeySet.import_key_set(response.json())
            except (requests.RequestException, ValueError) as error:
                raise SignInError("unavailable") from error
            self._keys_at = now
        return self._keys


def _without_secret(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request as it is: a public client has no secret, and names itself in the body."""
    return request
