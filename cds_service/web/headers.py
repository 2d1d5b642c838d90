"""Headers of every response: CORS, and the restrictions for browsers."""

from flask import Flask, Response, request
from flask_cors import CORS

# Everything comes from here, as a file of its own. The charts of the dashboard, which has no
# script, carry their styles in them.
OWN_FILES = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'"
)
CHARTS = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self'"
NOTHING_ELSE = "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
OF_A_HOOK = {
    **ALWAYS,
    "Content-Security-Policy": f"{OWN_FILES}; {NOTHING_ELSE}",
    "Cache-Control": "no-store",
    "Content-Type": "application/json",
}


def add_headers(app: Flask, origins: tuple[str, ...]) -> None:
    """`origins` are those whose pages may call the service; ("*",) stands for any, () for none."""
    if origins:
        CORS(
            app,
            origins=list(origins),
            methods=["GET", "POST"],
            allow_headers=["authorization", "content-type"],
            max_age=600,
            always_send=False,  # a caller that is no page sends no Origin
        )
    app.after_request(_always)


def _always(response: Response) -> Response:
    response.headers.update(ALWAYS)
    policy = CHARTS if request.endpoint == "dashboard.show" else OWN_FILES
    response.headers["Content-Security-Policy"] = f"{policy}; {NOTHING_ELSE}"
    if response.mimetype == "application/json" or request.path.startswith("/dashboard"):
        response.headers["Cache-Control"] = "no-store"
    return response
