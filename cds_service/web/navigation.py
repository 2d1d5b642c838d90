"""What the pages link to, and how they show a card."""

from flask import Flask

from cds_service.settings import Settings
from cds_service.web.dashboard import is_on_this_machine
from cds_service.web.markup import markdown


def add_navigation(app: Flask, settings: Settings) -> None:
    """Gives every template which pages there are, and the filter `markdown`."""

    def shows_dashboard() -> bool:
        """Whether the dashboard may be seen, by its password or from here."""
        by_password = bool(settings.dashboard_token)
        return settings.store and (by_password or (settings.open and is_on_this_machine()))

    there = {"shows_trial": settings.shows_trial, "shows_dashboard": shows_dashboard}
    app.context_processor(lambda: there)
    app.add_template_filter(markdown)
