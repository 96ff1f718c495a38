"""The API against its own OpenAPI document, with requests that schemathesis makes."""

import hypothesis
import pytest

schemathesis = pytest.importorskip("schemathesis")
MODERATE = hypothesis.settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    derandomize=True,
    database=None,
)


def _tried(operation):
    """Send requests that the operation's description allows and forbids."""
    from schemathesis.checks import not_a_server_error

    @MODERATE
    @hypothesis.given(case=operation.as_strategy())
    def send(case):
        answer = case.call(timeout=600)
        case.validate_response(answer, checks=[not_a_server_error])

    send()
    return operation.label


@pytest.mark.filterwarnings("ignore")  # of schemathesis and what it uses
def test_nothing_that_is_sent_breaks_the_service(address):
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    tried = {_tried(found.ok()) for found in schema.get_all_operations()}
    assert {"POST /v1/render", "POST /v1/faces", "GET /metrics"} <= tried
