"""Import the OpenAPI body that SAM writes for an HttpApi into routes and integrations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

INTEGRATION = "x-amazon-apigateway-integration"
ANY_METHOD = "x-amazon-apigateway-any-method"


def import_body(api_id: str, properties: dict[str, Any]) -> None:
    """Give an API the routes and the CORS settings of its template."""
    api = apigateway._apis[api_id]
    if api.get("corsConfiguration"):
        given = api["corsConfiguration"]
        api["corsConfiguration"] = {key[0].lower() + key[1:]: value for key, value in given.items()}
    body = properties.get("Body")
    if not body:
        return
    if body.get("x-amazon-apigateway-cors"):
        api["corsConfiguration"] = body["x-amazon-apigateway-cors"]
    apigateway._routes.setdefault(api_id, {}).clear()
    apigateway._integrations.setdefault(api_id, {}).clear()
    for key, integration in _routes(body):
        _add_route(api_id, key, integration)


def _routes(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in (body.get("paths") or {}).items():
        for method, operation in operations.items():
            if INTEGRATION in (operation or {}):
                verb = "ANY" if method == ANY_METHOD else method.upper()
                yield "$default" if path == "/$default" else f"{verb} {path}", operation[INTEGRATION]


def _add_route(api_id: str, key: str, integration: dict[str, Any]) -> None:
    uri = integration.get("uri", "")
    if "/functions/" in uri:
        uri = uri.split("/functions/", 1)[1].rsplit("/invocations", 1)[0]
    given = {
        "ApiId": api_id,
        "IntegrationType": integration.get("type", "aws_proxy").upper(),
        "IntegrationUri": uri,
        "PayloadFormatVersion": integration.get("payloadFormatVersion", "2.0"),
    }
    integration_id, _ = provisioners._apigw_v2_integration_create("body", given, "body")
    route = {"ApiId": api_id, "RouteKey": key, "Target": f"integrations/{integration_id}"}
    provisioners._apigw_v2_route_create("body", route, "body")
