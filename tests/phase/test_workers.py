"""A cluster that shares the work on bands, and what becomes of it when parts of it go."""

from __future__ import annotations

import logging
import time

import pytest
from distributed import Client, LocalCluster

import lina_calphad as lc
from lina_calphad.errors import SchedulerError
from lina_calphad.phase import workers
from lina_calphad.phase.bands import bands
from lina_calphad.phase.draws import known_draws
from lina_calphad.phase.workers import check_workers, mapped


@pytest.fixture
def cluster(monkeypatch):
    """One worker in this process; what is lost is noticed at once."""
    monkeypatch.setattr(workers, "SECONDS_WITHOUT_WORKERS", 1.0)
    monkeypatch.setattr(workers, "_SECONDS_BETWEEN_LOOKS", 0.2)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as local:
        yield local


@pytest.fixture
def client(cluster):
    with Client(cluster.scheduler_address, timeout=2, set_as_default=False) as connected:
        yield connected


def square(x):
    time.sleep(0.05)
    return x * x


def test_results_come_in_the_order_of_the_pieces(client):
    assert list(mapped(square, range(7), client)) == [x * x for x in range(7)]
    assert list(mapped(square, iter([]), client)) == []
    assert list(mapped(square, range(3), None)) == [0, 1, 4]


@pytest.mark.parametrize("kind", [ZeroDivisionError, TimeoutError, OSError])
def test_an_error_of_the_work_is_its_own(client, kind):
    def fail(x):
        raise kind(x)

    with pytest.raises(kind, match="0"):
        list(mapped(fail, range(3), client))


def test_a_cluster_that_loses_its_workers_is_given_up_after_the_stated_time(cluster, client):
    done = mapped(square, range(100), client)
    next(done)
    cluster.scale(0)
    with pytest.raises(SchedulerError, match=r"has had no workers for 1 s: start some$"):
        list(done)


def test_a_result_that_goes_with_its_worker_is_not_waited_for(cluster, client, monkeypatch):
    def gone(self, timeout=None):
        assert timeout  # without one it would wait for ever
        cluster.scale(0)
        while client.nthreads():
            time.sleep(0.01)
        raise TimeoutError

    monkeypatch.setattr("distributed.Future.result", gone)
    with pytest.raises(SchedulerError, match=r"has had no workers for 1 s: start some$"):
        list(mapped(square, range(1), client))


def test_workers_that_come_back_go_on(cluster, client):
    done = mapped(square, range(20), client)
    first = next(done)
    cluster.scale(0)
    cluster.scale(1)
    assert [first, *done] == [x * x for x in range(20)]


def test_bands_whose_scheduler_goes_end_in_one_line(cluster, client):
    drawn = known_draws("santos2025", lc.load("santos2025"))
    with pytest.raises(SchedulerError, match=r"^the Dask scheduler at \S+ does not answer any m"):
        bands(
            *drawn, [300.0], kinds=["chemical"], client=client, progress=lambda _: cluster.close()
        )


def test_a_client_that_is_closed(client):
    client.close()
    with pytest.raises(SchedulerError, match="does not answer any more"):
        list(mapped(square, range(3), client))


def test_workers_of_another_version_are_named(client, monkeypatch):
    check_workers(client)
    monkeypatch.setattr(workers, "__version__", "9.9")
    with pytest.raises(SchedulerError, match=r"worker \S+ has lina_calphad .*, and 9.9 runs here"):
        check_workers(client)


def test_workers_without_the_package_are_named(client, monkeypatch):
    monkeypatch.setattr(workers, "_NAME", "no_such_package")
    with pytest.raises(SchedulerError, match=r"worker \S+ cannot import no_such_package"):
        list(mapped(square, range(3), client))
