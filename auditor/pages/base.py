"""What all pages of the admin share: nobody can change anything on them, and no table is counted.

The admin imports this file at the start of every command: what the pages show is imported when one is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone

from auditor.pages import addresses
from auditor.pages.place import database

if TYPE_CHECKING:
    from auditor.pages.listing import Kind

# ModelAdmin takes its type parameter in the stubs only, hence the ignore.


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows rows to those who may view them, and has no address at which one could be added, changed or deleted."""

    made_in: ClassVar[str]  # the module of `auditor.pages` that makes the pages

    @property
    def kind(self) -> "Kind":
        """The pages of this kind of rows."""
        return cast("Kind", import_module(f"auditor.pages.{self.made_in}").KIND)

    def get_urls(self) -> list[URLPattern]:
        """The list of all rows, and the page of one."""
        shown = {f"auditor_{self.opts.model_name}_{page}" for page in ("changelist", "change")}
        return [url for url in super().get_urls() if url.name in shown]

    def get_queryset(self, request: HttpRequest) -> Any:
        """The rows of the database that the log is in."""
        return super().get_queryset(request).using(database())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, the newest rows first."""
        self.ensure_allowed(request)
        from auditor.pages.listing import listed  # noqa: PLC0415 - see above

        kind, given = self.kind, request.GET.dict()
        rows = listed(kind.find, given, columns=kind.columns, empty=kind.empty, asked=kind.asked(given))
        return self.page(request, "auditor/list.html", {"title": addresses.titled(self.opts), **rows})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one row."""
        self.ensure_allowed(request)
        row = self.found(request, object_id)
        context = self.kind.one(row, request.GET.dict())
        return self.page(request, self.kind.template, {"title": addresses.named(row), **context})

    def ensure_allowed(self, request: HttpRequest, *methods: str) -> None:
        """Raises PermissionDenied for those who may not view this, and for what does more than look."""
        if request.method not in ("GET", "HEAD", *methods) or not self.has_view_permission(request):
            raise PermissionDenied

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """The row of an address; raises Http404 where there is none."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404(f"There is no {self.opts.verbose_name} of this address.")
        return row

    def page(self, request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        """A page in the frame of the admin."""
        frame = self.admin_site.each_context(request)
        zone = timezone.get_default_timezone_name()
        context = {**frame, "opts": self.opts, "list_title": addresses.titled(self.opts), "zone": zone, **context}
        return TemplateResponse(request, template, context, status=status)
