"""Headers of every response: CORS, and the restrictions for browsers."""

from flask import Flask, Response
from flask_cors import CORS

PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": f"{PAGE_POLICY}; frame-ancestors 'none'",
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
        )
    app.after_request(_always)


def _always(response: Response) -> Response:
    response.headers.update(ALWAYS)
    if response.mimetype == "application/json":
        response.headers["Cache-Control"] = "no-store"
    return response
