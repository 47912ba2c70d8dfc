"""A user pool in this process: Cognito's endpoints for the code flow, with its strictness.

Source: Amazon Cognito Developer Guide, "User pool endpoints and managed login reference" and
"Verifying a JSON Web Token".
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug import Request, Response

from local.serving import InProcessAdapter

PAGES = "https://console-abc.auth.eu-west-1.amazoncognito.com"
POOL = "eu-west-1_Abc123"
ISSUER = f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"
CLIENT = "1example23456789"


@dataclass
class Code:
    """An authorization code, and what belongs to it."""

    challenge: str
    redirect_uri: str
    claims: dict[str, Any]


@dataclass
class FakeUserPool:
    """The user pool: `change_claims` alters the claims of the next tokens.

    `checks` is how often a refresh token was used.
    """

    codes: dict[str, Code] = field(default_factory=dict)
    refresh_tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    checks: int = 0
    change_claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    clock: Callable[[], float] = time.time
    is_down: bool = False
    is_busy: bool = False
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    signing_key: RSAKey | None = None

    def session(self) -> requests.Session:
        """Return a session that reaches the pool in this process."""
        session = requests.Session()
        for address in (PAGES, "https://cognito-idp.eu-west-1.amazonaws.com"):
            session.mount(address, InProcessAdapter(self))
        return session

    def log_in(self, address: str, email: str, groups: tuple[str, ...]) -> str:
        """Let a user sign in at an address of /oauth2/authorize; return where the pool sends to."""
        assert address.startswith(f"{PAGES}/oauth2/authorize?")
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["client_id"] == CLIENT
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["scope"] == "openid email"
        now = int(self.clock())
        code = f"code-{len(self.codes)}"
        self.codes[code] = Code(
            query["code_challenge"],
            query["redirect_uri"],
            {
                "sub": f"sub-of-{email}",
                "iss": ISSUER,
                "aud": CLIENT,
                "token_use": "id",
                "exp": now + 3600,
                "iat": now,
                "nonce": query["nonce"],
                "email": email,
                "email_verified": True,
                "cognito:groups": list(groups),
            },
        )
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if self.is_down:
            return Response("down", 503)
        if request.path.endswith("/.well-known/jwks.json"):
            return _json({"keys": [self.key.as_dict(private=False)]})
        if request.path == "/oauth2/token" and request.method == "POST":
            return self._token(request)
        if request.path == "/" and request.method == "POST":
            return self._renewed(request)
        if request.path == "/oauth2/revoke" and request.method == "POST":
            self.refresh_tokens.pop(request.form.get("token", ""), None)
            return Response(status=200)
        return Response(status=404)

    def disable(self) -> None:
        """Disable every user: no refresh token is accepted any more."""
        self.refresh_tokens.clear()

    def put_into(self, *groups: str) -> None:
        """Change the groups of every user who has signed in."""
        for claims in self.refresh_tokens.values():
            claims["cognito:groups"] = list(groups)

    def _token(self, request: Request) -> Response:
        code = self.codes.pop(request.form.get("code", ""), None)
        verifier = request.form.get("code_verifier", "")
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            code is None
            or request.form.get("grant_type") != "authorization_code"
            or request.form.get("client_id") != CLIENT
            or request.form.get("redirect_uri") != code.redirect_uri
            or challenge != code.challenge
        ):
            return _json({"error": "invalid_grant"}, 400)
        refresh_token = f"refresh-{len(self.refresh_tokens)}-{'r' * 1800}"
        without_nonce = {name: it for name, it in code.claims.items() if name != "nonce"}
        self.refresh_tokens[refresh_token] = without_nonce
        return self._tokens(code.claims, refresh_token=refresh_token)

    def _renewed(self, request: Request) -> Response:
        """Answer a refresh token: with the groups of now, without a nonce and a new one."""
        assert request.headers["X-Amz-Target"].endswith(".GetTokensFromRefreshToken")
        self.checks += 1
        if self.is_busy:
            return _json({"__type": "TooManyRequestsException", "message": "Rate exceeded"}, 400)
        members = json.loads(request.get_data())
        claims = self.refresh_tokens.get(members["RefreshToken"])
        if claims is None or members["ClientId"] != CLIENT:
            return _json({"__type": "NotAuthorizedException", "message": "User is disabled."}, 400)
        now = int(self.clock())
        token = self._token_of({**claims, "iat": now, "exp": now + 300})
        return _json({"AuthenticationResult": {"IdToken": token, "AccessToken": "a"}})

    def _tokens(self, claims: dict[str, Any], **members: str) -> Response:
        token = self._token_of(claims)
        return _json({"id_token": token, "access_token": "a", "token_type": "Bearer", **members})

    def _token_of(self, claims: dict[str, Any]) -> str:
        signing_key = self.signing_key or self.key
        header = {"alg": "RS256", "kid": signing_key.kid or "one"}
        return jwt.encode(header, self.change_claims(claims), signing_key)


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
