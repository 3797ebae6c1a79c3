"""Requests made from the OpenAPI document: whatever comes, no 500 and no file outside the store."""

from __future__ import annotations

import json
import warnings

import pytest

from tumorboard.serve.web.app import openapi_text


def bombard(app, visitor, most: int) -> tuple[int, list[str]]:
    """Send requests made by schemathesis for each operation; return how many, and those that ended in a 5xx."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import schemathesis
        from hypothesis import HealthCheck, Phase, given, settings

        schema = schemathesis.openapi.from_dict(json.loads(openapi_text(app)))
        operations = [result.ok() for result in schema.get_all_operations()]
        sent, bad = [0], []
        token = visitor.token()
        for operation in operations:

            @given(case=operation.as_strategy())
            @settings(
                max_examples=max(1, most // len(operations)),
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            def shoot(case):
                told = case.as_transport_kwargs(base_url="http://127.0.0.1:8080")
                told = {k: told.get(k) for k in ("method", "url", "params", "data", "json", "headers") if told.get(k)}
                if case.path == "/logout":
                    return
                told["headers"] = {**dict(told.get("headers") or {}), "x-csrf-token": token}
                if isinstance(told.get("data"), bytes | str):
                    told["content"] = told.pop("data")
                try:
                    got = visitor.http.request(**told)
                except (ValueError, UnicodeError, TypeError):
                    return  # no client can send that
                except Exception as error:
                    if type(error).__module__.startswith("httpx"):
                        return
                    raise
                sent[0] += 1
                if got.status_code >= 500:
                    bad.append(f"{case.method} {case.path}: {got.status_code} {told}"[:500])

            shoot()
    return sent[0], bad


@pytest.fixture
def outside(settings, tmp_path):
    """List everything outside the home folder."""
    return lambda: sorted(p for p in tmp_path.rglob("*") if settings.home not in (p, *p.parents))


@pytest.fixture
def patient_app(app, settings, db, shelf, clock):
    """The application, for one who asks very often."""
    from tumorboard.serve.web.app import create_app
    from tumorboard.serve.web.site import Site

    web = settings.web.model_copy(update={"requests_per_minute": 10**9, "logins_per_minute": 10**9})
    told = settings.model_copy(update={"web": web})
    return create_app(told, db, shelf, Site(told, db, shelf, clock))


@pytest.mark.parametrize(
    ("most", "least"), [(120, 60), pytest.param(5000, 3500, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_no_request_brings_it_down(patient_app, browser, put, make_object, outside, most, least):
    put(make_object())
    before = outside()
    visitor = type(browser())(patient_app, "10.0.0.7", "http://127.0.0.1:8080")
    visitor.log_in("admin")
    sent, bad = bombard(patient_app, visitor, most)
    assert bad == []
    assert sent >= least
    assert outside() == before
    assert visitor.get("/worklist").status_code == 200
