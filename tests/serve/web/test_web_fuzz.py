"""Requests made from the OpenAPI document by visitors of every role: no 5xx, and no file outside the store."""

from __future__ import annotations

import itertools
import json
import random
import warnings

import pytest

from tumorboard.serve.web.app import openapi_text

SHARES = {"": 0.1, "reader": 0.3, "researcher": 0.2, "admin": 0.4}
"""Which part of the requests comes from whom."""

SEED = 20261122
HOME = {"department.sqlite", "queue.sqlite", "shelf", "cases", "edits", "logs", "viewer", "pool"}


class Bombardment:
    """Requests that schemathesis makes for each operation, as the document allows them and as it does not."""

    def __init__(self, app) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import schemathesis

            schema = schemathesis.openapi.from_dict(json.loads(openapi_text(app)))
            operations = [result.ok() for result in schema.get_all_operations()]
        good, bad = schemathesis.GenerationMode
        self.aims = [(one, good) for one in operations if one.path != "/logout"]
        # a part of a path is any text; only what stands elsewhere can be wrong
        self.aims += [(one, bad) for one, _ in self.aims if one.query or one.headers or one.body]
        self.visitor, self.token, self.sent, self.bad = None, "", 0, []

    def send(self, visitor, most: int) -> None:
        """Let a visitor go round all operations until so many requests were sent."""
        self.visitor, self.token = visitor, visitor.token() or "x"
        goal, each = self.sent + most, max(1, most // len(self.aims))
        for number in itertools.count(SEED):
            random.Random(number).shuffle(self.aims)
            for operation, mode in self.aims:
                self._some(operation, mode, each, number)
                if self.sent >= goal:
                    return

    def _some(self, operation, mode, count: int, number: int) -> None:
        import hypothesis

        @hypothesis.seed(number)
        @hypothesis.settings(
            max_examples=count,
            deadline=None,
            database=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def shoot(case):
            self._send(case)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                shoot()
            except (hypothesis.errors.Unsatisfiable, hypothesis.errors.InvalidArgument):
                return  # nothing is asked for that could be wrong

    def _send(self, case) -> None:
        told = case.as_transport_kwargs(base_url="http://127.0.0.1:8080")
        told = {k: told.get(k) for k in ("method", "url", "params", "data", "json", "headers") if told.get(k)}
        told["headers"] = {**dict(told.get("headers") or {}), "x-csrf-token": self.token}
        if isinstance(told.get("data"), bytes | str):
            told["content"] = told.pop("data")
        try:
            got = self.visitor.http.request(**told)
        except (ValueError, UnicodeError, TypeError):
            return  # no client can send that
        except Exception as error:
            if type(error).__module__.startswith("httpx"):
                return
            raise
        self.sent += 1
        # subscriptions to work items are told to be not implemented, as PS3.18 11.10 and 11.11 allow
        if got.status_code >= 500 and not (got.status_code == 501 and "/subscribers/" in case.path):
            self.bad.append(f"{case.method} {case.path}: {got.status_code} {told}"[:500])


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


@pytest.mark.parametrize("most", [100, pytest.param(5000, marks=pytest.mark.slow)], ids=["few", "many"])
@pytest.mark.usefixtures("study_key")
def test_no_request_brings_it_down(patient_app, browser, outside, settings, shelf, most):
    before, shots = outside(), Bombardment(patient_app)
    for role, share in SHARES.items():
        visitor = type(browser())(patient_app, "10.0.0.7", "http://127.0.0.1:8080")
        if role:
            visitor.log_in(role)
        shots.send(visitor, round(share * most))
        assert shots.bad == [], f"seed {SEED}, {role or 'nobody'}"
        assert visitor.get("/worklist").status_code == (200 if role else 303)
    assert shots.sent >= most
    assert outside() == before
    assert {path.name.removesuffix("-wal").removesuffix("-shm") for path in settings.home.iterdir()} <= HOME
    assert all(path.suffix == ".dcm" for path in shelf.root.rglob("*") if path.is_file())
