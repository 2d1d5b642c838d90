"""Writes JSON responses by msgspec; keys keep their order."""

from typing import Any

from flask import Response
from flask.json.provider import JSONProvider
from msgspec.json import decode, encode


class Json(JSONProvider):
    """The provider that `jsonify` uses."""

    def dumps(self, value: Any, **_: Any) -> str:
        return encode(value).decode()

    def loads(self, text: str | bytes, **_: Any) -> Any:
        return decode(text)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """The response with one value, or with an object of named ones."""
        value = self._prepare_response_obj(args, kwargs)
        return self._app.response_class(encode(value), mimetype="application/json")
