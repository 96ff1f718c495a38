"""Counts, as Prometheus reads them."""

from retouch.service.metrics import Metrics


def test_counts_and_durations_are_told_by_route():
    metrics = Metrics()
    metrics.count("POST", "/v1/edit", 200, 0.3)
    metrics.count("POST", "/v1/edit", 422, 7.0)
    lines = metrics.text({"workers": 2, "workers_lost_total": 1}).splitlines()
    place = 'method="POST",path="/v1/edit"'
    assert f'retouch_requests_total{{{place},status="422"}} 1' in lines
    assert 'retouch_request_seconds_bucket{path="/v1/edit",le="0.25"} 0' in lines
    assert 'retouch_request_seconds_bucket{path="/v1/edit",le="0.5"} 1' in lines
    assert 'retouch_request_seconds_bucket{path="/v1/edit",le="+Inf"} 2' in lines
    assert 'retouch_request_seconds_count{path="/v1/edit"} 2' in lines
    assert 'retouch_request_seconds_sum{path="/v1/edit"} 7.3' in lines
    assert "retouch_workers 2" in lines
    assert "# TYPE retouch_workers_lost_total counter" in lines
