"""What stands between a request and the studio: hosts, origins, headers, credentials, attempts.

Pure ASGI middleware and small functions; none of them knows the database. Outermost comes first::

    SecurityHeaders → TrustedHosts → FirstRun → SameOrigin → BodyLimit → the application
"""

from soundforge.web._security_bodies import LARGEST_PASTE, BodyLimit
from soundforge.web._security_credentials import (
    Credentials,
    NotLoggedIn,
    check_scope,
    clear_session_cookie,
    needed_scope,
    read_credentials,
    set_session_cookie,
)
from soundforge.web._security_first_run import FirstRun
from soundforge.web._security_headers import COMPILER_POLICY, CONTENT_SECURITY_POLICY, HEADERS, SecurityHeaders
from soundforge.web._security_hosts import TrustedHosts, allowed_hosts
from soundforge.web._security_limits import AttemptLimit, PasswordAttempts, TooManyAttempts, client_key
from soundforge.web._security_origin import SameOrigin
from soundforge.web._security_refusal import Explain

__all__ = [
    "COMPILER_POLICY",
    "CONTENT_SECURITY_POLICY",
    "HEADERS",
    "LARGEST_PASTE",
    "AttemptLimit",
    "BodyLimit",
    "Credentials",
    "Explain",
    "FirstRun",
    "NotLoggedIn",
    "PasswordAttempts",
    "SameOrigin",
    "SecurityHeaders",
    "TooManyAttempts",
    "TrustedHosts",
    "allowed_hosts",
    "check_scope",
    "clear_session_cookie",
    "client_key",
    "needed_scope",
    "read_credentials",
    "set_session_cookie",
]
