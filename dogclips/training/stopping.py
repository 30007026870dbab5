"""Training that ends on a signal, between two steps and with a checkpoint."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# SLURM sends SIGUSR1 some time before it kills, if asked to (`--signal=USR1@300`).
STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)
)
SAID = b"\nstopping, after a checkpoint; the same signal again stops at once\n"


class StopRequest:
    """Remembers a signal until there is time for it; a second one acts as it always would."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._before = {number: signal.getsignal(number) for number in STOPPING}

    def listen(self) -> None:
        """Take the signals over, also from Lightning, which would leave without a checkpoint."""
        if threading.current_thread() is threading.main_thread():
            for number in STOPPING:
                signal.signal(number, self._remember)

    def restore(self) -> None:
        """Let signals do what they did."""
        if threading.current_thread() is threading.main_thread():
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is not None:
            self.restore()
            os.kill(os.getpid(), number)
            return
        self.signal = signal.Signals(number)
        if os.environ.get("LOCAL_RANK", "0") == "0":
            os.write(2, SAID)  # printing is not safe in here


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Yield a request that can `listen`; afterwards signals do what they did."""
    request = StopRequest()
    try:
        yield request
    finally:
        request.restore()
