"""Work of a thread beside the requests."""

from collections.abc import Callable
from threading import Event, Lock, Thread

from cds_service.store.database import StoreDown

IDLE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 20

# Takes what is wrong (a name of ours) and what is said of it.
TellProblem = Callable[[str, str], None]


class Background:
    """Calls `work` within `seconds` after `wake`, and every `IDLE_SECONDS` without it.

    So what is asked for meanwhile is done together. Where `work` fails, `tell_problem` hears of
    it, and it is tried again after a pause that gets longer.
    """

    def __init__(
        self, work: Callable[[], None], name: str, seconds: float, tell_problem: TellProblem
    ):
        self._work, self._name, self._seconds = work, name, seconds
        self._tell_problem = tell_problem
        self._thread: Thread | None = None
        self._starting = Lock()
        self._asked, self._at_once, self._ended = Event(), Event(), Event()

    def wake(self, at_once: bool = False) -> None:
        """There is something to do. Starts the thread if there is none."""
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        self._asked.set()
        if at_once:
            self._at_once.set()

    def stop(self) -> None:
        """Ends the thread, if there is one, after it has called `work` once more."""
        if self._thread is not None:
            self._ended.set()
            self.wake(at_once=True)
            self._thread.join()
            self._thread = None
            self._ended.clear()

    def _run(self) -> None:
        pause = 0.0
        while True:
            self._asked.clear()
            self._at_once.clear()
            pause = 0.0 if self._succeeds() else min(LONGEST_PAUSE_SECONDS, 2 * pause or 0.5)
            if self._ended.is_set():
                return
            if pause:
                self._at_once.wait(pause)
            elif self._asked.wait(IDLE_SECONDS):
                self._at_once.wait(self._seconds)

    def _succeeds(self) -> bool:
        """The thread goes on, whatever is wrong."""
        try:
            self._work()
        except StoreDown as error:
            self._tell_problem("store-down", str(error))
        except Exception as error:
            self._tell_problem("store-fault", type(error).__name__)
        else:
            return True
        return False
