"""Sign-in at the user pool: authorization code with PKCE (RFC 6749, RFC 7636, OpenID Connect)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

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
    def sign_out(self) -> str:
        """The address that ends the session at the user pool, and returns to the console."""
        query = {"client_id": self.client_id, "logout_uri": f"{self.console}/signed-out"}
        return f"{self.pages}/logout?{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in user: the id, the verified e-mail ('': none), the groups; and where to go."""

    subject: str
    email: str
    groups: tuple[str, ...]
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

    def finish(self, cookie: str, query: Mapping[str, str]) -> Identity:
        """Return who signed in. Raises `SignInError`."""
        attempt = self._seals.unseal(PURPOSE, cookie, ATTEMPT_SECONDS)
        if attempt is None:
            raise SignInError("expired")
        if not compare_digest(query.get("state", "").encode(), attempt["state"].encode()):
            raise SignInError("other_attempt")
        if "code" not in query:
            raise SignInError("refused")
        token = self._fetch_token(query["code"], attempt["verifier"])
        claims = self._verified_claims(token, attempt["nonce"])
        is_verified = claims.get("email_verified") in (True, "true")
        return Identity(
            str(claims["sub"]),
            str(claims.get("email", "")) if is_verified else "",
            tuple(map(str, claims.get("cognito:groups", ()))),
            attempt["return_to"],
        )

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

    def _fetch_token(self, code: str, verifier: str) -> str:
        """Exchange a code for an id token, with the verifier that only this browser has."""
        import requests  # noqa: PLC0415  # as above
        from authlib.oauth2 import OAuth2Error  # noqa: PLC0415

        try:
            token = self._client().fetch_token(
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
        return str(token.get("id_token", ""))

    def _verified_claims(self, token: str, nonce: str) -> dict[str, Any]:
        """Return the claims of a token of our pool, for our client and for this attempt."""
        from joserfc import jwt  # noqa: PLC0415  # as above
        from joserfc.errors import JoseError  # noqa: PLC0415

        rules = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=CLOCK_SECONDS,
            iss={"essential": True, "value": self.pool.issuer},
            aud={"essential": True, "value": self.pool.client_id},
            nonce={"essential": True, "value": nonce},
            token_use={"essential": True, "value": "id"},
            exp={"essential": True},
            sub={"essential": True},
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
