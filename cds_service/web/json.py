"""How answers are written as JSON: by msgspec, in the order in which they are made."""

from typing import Any

from flask import Response
from flask.json.provider import JSONProvider
from msgspec.json import decode, encode


class Json(JSONProvider):
    """What `jsonify` uses."""

    def dumps(self, value: Any, **_: Any) -> str:
        return encode(value).decode()

    def loads(self, text: str | bytes, **_: Any) -> Any:
        return decode(text)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Of one value, or of named ones."""
        value = self._prepare_response_obj(args, kwargs)
        return self._app.response_class(encode(value), mimetype="application/json")
