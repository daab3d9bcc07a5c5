"""The token endpoint: a token of an integration as OAuth 2 client credentials (RFC 6749)."""

import base64
import re
from urllib.parse import parse_qsl, unquote_plus

from falcon.asgi import Request, Response
from userdirectory.v1.workspace_admin_pb2 import CreateAccessTokenRequest

from scim_gateway.auth import read_token
from scim_gateway.context import Gateway, answer, read_body
from scim_gateway.edge import PLAIN_JSON, Open
from scim_gateway.errors import ScimError

PATH = "/oauth/token"

_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 8192
_MOST_FIELDS = 32
_SECTION_5 = {"content-type": PLAIN_JSON, "pragma": "no-cache"}
# What a description may not hold (section 5.2).
_UNFIT = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")


class OAuthError(ScimError):
    """
    A refusal of the token endpoint (section 5.2).

    Args:
        status: The HTTP status.
        code: What is wrong: `invalid_client`.
        detail: One sentence on what is wrong, one on what to do.
        retry_after: As of a ScimError.
    """

    challenge = 'Basic realm="token endpoint", charset="UTF-8"'

    def __init__(
        self, status: int, code: str, detail: str, *, retry_after: int | None = None
    ) -> None:
        """Make an error."""
        super().__init__(status, "", detail, retry_after=retry_after)
        self.code = code

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        return super().headers | _SECTION_5

    def body(self, trace_id: str) -> dict[str, object]:
        """Return the error; the description names the trace."""
        told = _UNFIT.sub("'", f"{self.detail} (trace {trace_id})")
        return {"error": self.code, "error_description": told}


def is_endpoint(req: Request) -> bool:
    """Return whether *req* was sent to a token endpoint, whatever became of it."""
    return (req.uri_template or "").endswith(PATH)


def refusal(error: ScimError) -> OAuthError:
    """Return *error* in the words of OAuth, with the same status where section 5.2 has none."""
    if isinstance(error, OAuthError):
        return error
    if error.status == 401:
        return _invalid_client()
    if error.status == 403:
        return OAuthError(400, "unauthorized_client", error.detail)
    if error.status in (429, 503, 504):
        code = "temporarily_unavailable"
    else:
        code = "server_error" if error.status >= 500 else "invalid_request"
    return OAuthError(error.status, code, error.detail, retry_after=error.retry_after)


class Token(Open):
    """
    `/oauth/token`: gives an access token to who shows a token of an integration (section 4.4).

    `client_id` is the token's public id. `client_secret` is the whole token, as people copy it, or
    what follows the id in it.
    """

    def __init__(self, gateway: Gateway) -> None:
        """Answer with what *gateway* reaches."""
        self._gateway = gateway

    async def on_post(
        self,
        req: Request,
        resp: Response,
        workspace_id: str = "",  # noqa: ARG002 - the token says which
    ) -> None:
        """Return an access token; `scope` in the request is not looked at, the answer's holds."""
        self._gateway.admit()
        form = await self._form(req)
        client_id, secret = _client(req.get_header("authorization"), form)
        _check_grant(form.get("grant_type", ""))
        start = f"ud_{client_id}_"
        req.context.token = read_token(secret if secret.startswith(start) else start + secret)
        made = await self._gateway.call(
            req,
            self._gateway.stubs.workspaces.CreateAccessToken,
            CreateAccessTokenRequest(client_id=client_id),
        )
        answer(
            resp,
            {
                "access_token": made.access_token,
                "token_type": "Bearer",
                "expires_in": made.lifetime.seconds,
                "scope": " ".join(made.scopes),
            },
        )
        resp.set_headers(_SECTION_5)

    async def _form(self, req: Request) -> dict[str, str]:
        """Return the parameters that have a value (section 3.2), of which none comes twice."""
        if (req.content_type or "").partition(";")[0].strip().lower() != _FORM:
            raise _invalid_request(f"The body is no form. Send it as {_FORM}.")
        seconds = self._gateway.settings.body_timeout_seconds
        body = await read_body(req, _MOST_BYTES, seconds)
        try:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
            )
        except ValueError as error:
            raise _invalid_request("The body is no form in UTF-8. Encode it so.") from error
        form = dict(pairs)
        if len(form) < len(pairs):
            raise _invalid_request("A parameter is there twice. Send each once.")
        return {name: value for name, value in form.items() if value}


def _check_grant(grant: str) -> None:
    if not grant:
        raise _invalid_request("grant_type is missing. Send client_credentials.")
    if grant != "client_credentials":
        detail = "The only grant_type is client_credentials. Send that."
        raise OAuthError(400, "unsupported_grant_type", detail)


def _client(authorization: str | None, form: dict[str, str]) -> tuple[str, str]:
    """Return id and secret of the client, from the header or the body (section 2.3.1)."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if authorization is not None:
        named, shown = _basic(authorization)
        if secret or client_id not in ("", named):
            raise _invalid_request("The client is named twice. Use the header or the body.")
        client_id, secret = named, shown
    if not client_id or not secret:
        raise _invalid_client()
    return client_id, secret


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.strip(" ").partition(" ")
    if scheme.lower() != "basic":
        raise _invalid_client()
    try:
        client_id, _, secret = (
            base64.b64decode(encoded.strip(" "), validate=True).decode().partition(":")
        )
        return unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError as error:
        raise _invalid_client() from error


def _invalid_request(detail: str) -> OAuthError:
    return OAuthError(400, "invalid_request", detail)


def _invalid_client() -> OAuthError:
    """Return the same for all that is wrong with a client, so that nobody learns who exists."""
    return OAuthError(
        401,
        "invalid_client",
        "The client is missing or unknown, or its secret is wrong, expired or revoked. Send the id "
        "of a token as client_id and the token as client_secret.",
    )
