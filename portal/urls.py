from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from audit.api.unrouted import unrouted
from portal import health, metrics

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("audit.api.urls")),
    path("api/v1/", include("connectors.api.urls")),
    re_path("^api/(?P<path>.*)$", unrouted),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
]

handler400 = "portal.errors.bad_request"
handler403 = "portal.errors.forbidden"
handler404 = "portal.errors.not_found"
handler500 = "portal.errors.server_error"
