"""The least that a service in Flask can do with a request: parse the body and send it back."""

from flask import Flask, Response, jsonify, request


def create_app() -> Flask:
    app = Flask(__name__)

    @app.get("/health")
    def health() -> Response:
        return jsonify({"status": "up"})

    @app.post("/cds-services/<service_id>")
    def echo(service_id: str) -> Response:
        return jsonify(request.get_json())

    return app
