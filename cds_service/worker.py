"""gunicorn's worker of threads, made to bear slow clients; for thousands of them there is nginx."""

import select
import socket
from contextlib import suppress
from sys import getswitchinterval, setswitchinterval
from time import monotonic, sleep

from gunicorn.util import close_graceful
from gunicorn.workers.gthread import _DEFER, ThreadWorker

from cds_service.web.unreadable import answer_unreadable

FIRST_BYTE_SECONDS, READING_SECONDS, WRITING_SECONDS = 0.02, 10, 20
HESITATION_SECONDS, LONGEST_HESITATION_SECONDS = 0.0002, 0.002
BUSY, TURN_SECONDS, BUSY_TURN_SECONDS = 16, getswitchinterval(), 0.00005


class Worker(ThreadWorker):
    """Who says nothing holds no thread; who trickles, does not read or hang up, one for seconds."""

    def init_process(self):
        self.since = {}
        super().init_process()

    @property
    def is_busy(self):
        return len(self.since) >= BUSY

    def accept(self, listener):
        """The more it has, the longer it leaves a new one to others; a busy one has to refuse."""
        setswitchinterval(BUSY_TURN_SECONDS if self.is_busy else TURN_SECONDS)
        if not self.is_busy:
            sleep(min(self.nr_conns * HESITATION_SECONDS, LONGEST_HESITATION_SECONDS))
        super().accept(listener)

    def handle(self, conn):
        if not conn.initialized and not conn.wait_for_data(FIRST_BYTE_SECONDS):
            return _DEFER
        kept = self._answer(conn)
        while kept is True and self.alive and not self.is_busy and comes_soon(conn.sock):
            kept = self._answer(conn)
        if kept is False:
            with suppress(OSError):
                close_graceful(conn.sock.dup())
                conn.sock.shutdown(socket.SHUT_RD)
        return kept

    def _answer(self, conn):
        """Answers one request; its time counts from here."""
        self.since[conn] = monotonic()
        try:
            return super().handle(conn)
        finally:
            self.since.pop(conn, None)

    def notify(self):
        """Called about every second: ends what takes too long to come, or to be taken off."""
        super().notify()
        for conn, since in list(self.since.items()):
            seconds = monotonic() - since
            how = socket.SHUT_RDWR if seconds > WRITING_SECONDS else socket.SHUT_RD
            with suppress(OSError):
                if seconds > READING_SECONDS:
                    conn.sock.shutdown(how)

    def handle_error(self, req, client, addr, exc):
        answer_unreadable(client, exc)


def comes_soon(sock):
    """Whether a kept connection goes on at once; then its thread stays with it. The way by the main
    thread would cost as much as a small hook.
    """
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(FIRST_BYTE_SECONDS * 1000))
