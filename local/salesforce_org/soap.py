"""SOAP `login()`, which simple-salesforce calls when it has a security token."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from local.salesforce_org import login
from local.salesforce_org.errors import SoapFaultError
from local.salesforce_org.ids import SHORT
from local.salesforce_org.login import LoginStatus
from local.salesforce_org.oauth import GENERIC_HOSTS
from local.salesforce_org.security import OrgUser
from local.salesforce_org.state import OrgState

OLDEST_VERSION, FIRST_VERSION_WITHOUT_LOGIN = 31.0, 65.0
PARTNER = "urn:partner.soap.sforce.com"
INVALID_LOGIN = "Invalid username, password, security token; or user locked out."
NEW_LOCATION = (
    INVALID_LOGIN
    + " Are you at a new location? When accessing Salesforce--either via a desktop client or the"
    " API--from outside of your company's trusted networks, you must add a security token to your"
    " password to log in. To get your new security token, log in to Salesforce. From your personal"
    " settings, enter Reset My Security Token in the Quick Find box, then select Reset My Security"
    " Token."
)


def handle_login(state: OrgState, version: str, body: bytes, host: str, instance_url: str) -> str:
    """Handle `login(username, password + token)`: return the envelope of a new session.

    Raises:
        SoapFaultError: when the login is refused.
    """
    _check_operation(state, version)
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise SoapFaultError("INVALID_OPERATION", "a document type is not allowed")
    username, password = _credentials(body)
    user = state.user(username)
    if state.switches.login_host_forbidden and host in GENERIC_HOSTS:
        raise _refused(state, user, LoginStatus.HOST_FORBIDDEN, "INVALID_LOGIN", INVALID_LOGIN)
    status = login.check_password(state, user, password)
    if status is LoginStatus.TOKEN_NEEDED:
        raise _refused(state, user, status, "LOGIN_MUST_USE_SECURITY_TOKEN", NEW_LOCATION)
    if user is None or status not in {LoginStatus.SUCCESS, LoginStatus.EXPIRED}:
        raise _refused(state, user, status, "INVALID_LOGIN", INVALID_LOGIN)
    _check_user(state, user)
    login.add_history_row(state, user, "Other Apex API", status)
    expired = status is LoginStatus.EXPIRED
    session = state.sessions.open(state.org_id, user.id, state.now(), "soap")
    if expired:  # valid for setPassword only, which is not simulated: all other calls refuse it
        state.sessions.kill(session.token)
    return _result(state, user, session.token, version, instance_url, expired=expired)


def fault(error: SoapFaultError) -> str:
    """Return the envelope of a fault (HTTP 500)."""
    message = escape(error.message)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:sf="urn:fault.partner.soap.sforce.com"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>{error.code}</faultcode><faultstring>{error.code}: {message}</faultstring>"
        f'<detail><sf:LoginFault xsi:type="sf:LoginFault">'
        f"<sf:exceptionCode>{error.code}</sf:exceptionCode>"
        f"<sf:exceptionMessage>{message}</sf:exceptionMessage></sf:LoginFault></detail>"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )


def _check_operation(state: OrgState, version: str) -> None:
    try:
        number = float(version)
    except ValueError:
        number = 0.0
    if number < OLDEST_VERSION:
        raise SoapFaultError("UNSUPPORTED_API_VERSION", f"Invalid Api version specified: {version}")
    if number >= FIRST_VERSION_WITHOUT_LOGIN:
        message = (
            f"The SOAP Login operation is not available in the API version specified ({version})."
        )
        raise SoapFaultError("INVALID_OPERATION", message)
    switches = state.switches
    if switches.org_status != "active":
        code = "SERVER_UNAVAILABLE" if switches.org_status == "maintenance" else "ORG_LOCKED"
        raise SoapFaultError(code, "organization is not available")
    if switches.soap_login_disabled:
        message = (
            "SOAP API login() is disabled by default in this org. Contact the org administrator"
            " to enable it."
        )
        raise SoapFaultError("INVALID_OPERATION", message)


def _check_user(state: OrgState, user: OrgUser) -> None:
    if not state.switches.api_is_on:
        message = "API is not enabled for this Organization or Partner"
        raise SoapFaultError("API_DISABLED_FOR_ORG", message)
    if not user.api_enabled:
        raise SoapFaultError("API_CURRENTLY_DISABLED", "API is disabled for this User")
    if user.ip_restricted:
        message = "Login is not allowed from this IP address"
        raise _refused(
            state, user, LoginStatus.IP_RESTRICTED, "LOGIN_DURING_RESTRICTED_DOMAIN", message
        )
    if not user.use_any_api_auth:
        message = 'The user needs the permission "Use Any API Auth"'
        raise SoapFaultError("INSUFFICIENT_ACCESS", message)
    if login.exceeds_login_rate(state, user):
        raise _refused(
            state, user, LoginStatus.TOO_MANY, "REQUEST_LIMIT_EXCEEDED", "Login Rate Exceeded"
        )


def _refused(
    state: OrgState, user: OrgUser | None, status: LoginStatus, code: str, message: str
) -> SoapFaultError:
    login.add_history_row(state, user, "Other Apex API", status)
    return SoapFaultError(code, message)


def _credentials(body: bytes) -> tuple[str, str]:
    try:
        root = ET.fromstring(body)  # noqa: S314  # document types were refused above
    except ET.ParseError as error:
        raise SoapFaultError("INVALID_OPERATION", f"the envelope is not XML: {error}") from error
    call = root.find(f".//{{{PARTNER}}}login")
    if call is None:
        raise SoapFaultError("INVALID_OPERATION", "only login() is served here")
    arguments = {re.sub(r"\{.*\}", "", child.tag): child.text or "" for child in call}
    return arguments.get("username", ""), arguments.get("password", "")


def _result(
    state: OrgState, user: OrgUser, token: str, version: str, instance_url: str, *, expired: bool
) -> str:
    """Return the envelope of a session; the elements have the recorded order."""
    server = f"{instance_url}/services/Soap/u/{version}/{state.org_id[:SHORT]}"
    info = {
        "accessibilityMode": "false",
        "currencySymbol": "€",
        "orgAttachmentFileSizeLimit": "26214400",
        "orgDefaultCurrencyIsoCode": "EUR",
        "orgDisallowHtmlAttachments": "false",
        "orgHasPersonAccounts": "false",
        "organizationId": state.org_id,
        "organizationMultiCurrency": "false",
        "organizationName": "Acme",
        "profileId": user.profile_id,
        "roleId": None,
        "sessionSecondsValid": str(state.switches.session_timeout_seconds),
        "userDefaultCurrencyIsoCode": None,
        "userEmail": user.username,
        "userFullName": user.full_name,
        "userId": user.id,
        "userLanguage": "en_US",
        "userLocale": "en_US",
        "userName": user.username,
        "userTimeZone": "Europe/Paris",
        "userType": "Standard",
        "userUiSkin": "Theme3",
    }
    inner = "".join(_element(name, value) for name, value in info.items())
    outer = "".join(
        [
            _element("metadataServerUrl", server.replace("/Soap/u/", "/Soap/m/")),
            _element("passwordExpired", str(expired).lower()),
            _element("sandbox", str(state.switches.is_sandbox).lower()),
            _element("serverUrl", server),
            _element("sessionId", token),
            _element("userId", user.id),
        ]
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns="{PARTNER}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<soapenv:Body><loginResponse><result>{outer}<userInfo>{inner}</userInfo></result>"
        "</loginResponse></soapenv:Body></soapenv:Envelope>"
    )


def _element(name: str, value: str | None) -> str:
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    return f"<{name}>{escape(value)}</{name}>"
