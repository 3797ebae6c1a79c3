"""Counters for Prometheus: requests as they come, and the department's state as it is when asked.

Why it exists: those who keep it running must see that studies wait, jobs fail or the disk fills before a reader does.
Labels are words of ours; none is a patient, a study or a person. Source: Prometheus naming practices.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from tumorboard.serve.web.site import Site

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Meters:
    """Counts of one process.

    Examples
    --------
    >>> meters = Meters()
    >>> meters.request("/worklist", "GET", 200, 0.02)
    >>> labels = {"route": "/worklist", "method": "GET", "status": "200"}
    >>> meters.registry.get_sample_value("tumorboard_requests_total", labels)
    1.0
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self._requests = Counter("tumorboard_requests", "Requests answered", labels, registry=self.registry)
        told = "Seconds until a request was answered"
        self._seconds = Histogram(
            "tumorboard_request_seconds", told, ("route",), buckets=BUCKETS, registry=self.registry
        )

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request; ``route`` is the pattern of its path."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)


class State(Collector):
    """The department's state, read when it is asked for."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        """Yield gauges: studies and jobs by state, objects, bytes, room, age of the oldest waiting job, processes."""
        from sqlalchemy import func, select

        from tumorboard.serve.data.people import Running
        from tumorboard.serve.data.tables import Instance, Job, Study
        from tumorboard.serve.data.words import InstanceState, JobState, StudyState

        at = self._site.clock()
        with self._site.db.read() as session:
            studies = dict(session.execute(select(Study.state, func.count()).group_by(Study.state)).all())
            jobs = dict(session.execute(select(Job.state, func.count()).group_by(Job.state)).all())
            stored = select(func.count(), func.sum(Instance.size)).where(Instance.state == InstanceState.STORED)
            count, size = session.execute(stored).one()
            waiting = session.scalar(select(func.min(Job.created_at)).where(Job.state == JobState.QUEUED))
            beats = session.execute(select(Running.part, func.max(Running.beat_at)).group_by(Running.part))
            silent = {part: (at - beat).total_seconds() for part, beat in beats}
        yield _by("tumorboard_studies", "Studies by state", "state", {s.value: studies.get(s, 0) for s in StudyState})
        yield _by("tumorboard_jobs", "Jobs by state", "state", {s.value: jobs.get(s, 0) for s in JobState})
        yield _by("tumorboard_process_silent_seconds", "Seconds since a part's last sign of life", "part", silent)
        yield GaugeMetricFamily("tumorboard_objects", "Stored DICOM objects", value=count)
        yield GaugeMetricFamily("tumorboard_stored_bytes", "Bytes of stored DICOM objects", value=size or 0)
        free = self._site.shelf.free_bytes()
        yield GaugeMetricFamily("tumorboard_free_bytes", "Bytes free on the disk of the shelf", value=free)
        age = 0.0 if waiting is None else (at - waiting).total_seconds()
        yield GaugeMetricFamily("tumorboard_oldest_waiting_seconds", "Age of the oldest job that waits", value=age)


def exposition(site: Site) -> bytes:
    """Return everything as text for Prometheus."""
    now = CollectorRegistry()
    now.register(State(site))
    return generate_latest(site.meters.registry) + generate_latest(now)


def _by(name: str, told: str, label: str, values: dict[str, float] | dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, told, labels=(label,))
    for word, value in values.items():
        family.add_metric([word], value)
    return family
