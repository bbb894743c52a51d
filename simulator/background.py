"""Background threads that run jobs when they fall due, and can say when nothing is left to do."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

Job = Callable[[], None]
_log = logging.getLogger(__name__)


class Background:
    """A small pool of threads over one heap of dated jobs; dates are `time.monotonic` seconds."""

    def __init__(self, threads: int = 16) -> None:
        """Prepare the pool; nothing runs until `start`."""
        self._size = threads
        self._threads: list[threading.Thread] = []
        # Two conditions over one lock: the end of a job must wake who waits for quiet, not all idle workers.
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        self._quiet = threading.Condition(lock)
        self._heap: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._running = 0
        # Set while stopped, so that waits inside jobs and held connections end early.
        self.stopping = threading.Event()

    def start(self) -> None:
        """Start the threads; jobs left from before a stop go on."""
        with self._changed:
            if self._threads:
                return
            self.stopping.clear()
            self._threads = [
                threading.Thread(target=self._work, name=f"carrier-{n}", daemon=True) for n in range(self._size)
            ]
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float = 3.0) -> None:
        """Let running jobs finish, up to `patience` seconds, and stop the threads."""
        with self._changed:
            threads, self._threads = self._threads, []
            self.stopping.set()
            self._changed.notify_all()
        deadline = time.monotonic() + patience
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def at(self, due: float, job: Job) -> None:
        """Run `job` at the moment `due`, or at once if that has passed."""
        with self._changed:
            heapq.heappush(self._heap, (due, next(self._order), job))
            self._changed.notify()

    def soon(self, job: Job, delay: float = 0.0) -> None:
        """Run `job` after `delay` seconds."""
        self.at(time.monotonic() + delay, job)

    def wait_idle(self, timeout: float) -> bool:
        """Wait until no job is running or waiting; False if that takes longer than `timeout`."""
        with self._quiet:
            return self._quiet.wait_for(lambda: not self._heap and not self._running, timeout)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:  # noqa: BLE001  # one job's failure must not end the thread that runs the others
                _log.exception("a carrier job failed")
            with self._changed:
                self._running -= 1
                if not self._running and not self._heap:
                    self._quiet.notify_all()

    def _next(self) -> Job | None:
        with self._changed:
            while not self.stopping.is_set():
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    self._running += 1
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(wait)
            return None
