"""What a stack on Cloud SQL exports: the record, the CA, and commands that can be run as they are."""

from typing import Any

BARE = {"project": "example-project"}


def test_the_uri_names_the_host_as_the_certificate_does(provision: Any) -> None:
    """With the shared CA the instance has a DNS name, and verify-full works (cloud-sql-go-connector, `refresh.go`)."""
    outputs = provision(backend="gcp", gcp=BARE).outputs

    assert outputs["host"] == "private_services_access.adk-sessions-g1-1f0c2ab.sql.goog", "without the final dot"
    assert outputs["session_db_uri"].endswith(f"@{outputs['host']}:5432/adk_sessions?sslmode=verify-full")
