"""The pages of the audit log in Django's admin; what they show is made in `auditor.pages`."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from auditor.models import Event, Overview, Run, Span, Tombstone
from auditor.pages import addresses
from auditor.pages.base import ReadOnlyAdmin


@admin.register(Overview)
class OverviewAdmin(ReadOnlyAdmin):
    """One page; it has no rows."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """How all is now."""
        self.ensure_allowed(request)
        from auditor.pages.overview import overview  # noqa: PLC0415 - no command is to wait for it

        return self.page(request, "auditor/overview.html", {"title": "Overview", **overview()})

    def get_urls(self) -> list[URLPattern]:
        """Only the page itself."""
        return super().get_urls()[:1]


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    made_in = "events"


@admin.register(Span)
class SpanAdmin(ReadOnlyAdmin):
    made_in = "spans"


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    made_in = "tombstones"


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs, and the way to undo one."""

    made_in = "runs"

    def get_urls(self) -> list[URLPattern]:
        """Those of all pages, and that of the restore."""
        view = self.admin_site.admin_view(self.restore_view)
        return [path("<path:object_id>/restore/", view, name="auditor_run_restore"), *super().get_urls()]

    @transaction.non_atomic_requests  # a restore has to commit by itself
    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows what would come back, and brings it back when that is confirmed."""
        self.ensure_allowed(request, "POST")
        if not request.user.has_perm("auditor.restore_run"):
            raise PermissionDenied
        from auditor.pages import restoring  # noqa: PLC0415 - no command is to wait for it

        run, failure = self.found(request, object_id), ""
        wish = restoring.wish_of(request.POST if request.method == "POST" else request.GET)
        if request.method == "POST":
            is_done, words = restoring.restore(run, wish, user=request.user.get_username())
            if is_done:
                level = messages.SUCCESS if words == restoring.DONE else messages.WARNING
                self.message_user(request, words, level)
                return HttpResponseRedirect(addresses.of_one("run", run.pk))
            failure = words
        context = {"title": f"Restore {addresses.named(run).lower()}", **restoring.page_of(run, wish, failure)}
        return self.page(request, "auditor/restore.html", context, status=409 if failure else 200)
