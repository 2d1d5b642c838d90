"""gunicorn's own lines, as JSON like those of the service."""

from logging import Formatter, LogRecord

from gunicorn.glogging import Logger

from cds_service.web.log import line


class ServerLine(Formatter):
    """Of an exception its kind only: its text may quote what a client sent."""

    def format(self, record: LogRecord) -> str:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        values = {"kind": kind} if kind else {}
        return line("server", level=record.levelname.lower(), said=record.getMessage(), **values)


class ServerLog(Logger):
    """Chosen in gunicorn.conf.py."""

    def setup(self, cfg: object) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(ServerLine())
