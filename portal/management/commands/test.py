from django.core.management.base import BaseCommand

from portal.runner import testing


class Command(BaseCommand):
    help = "Run the tests with pytest against a throw-away PostgreSQL and broker; takes pytest's arguments."
    requires_system_checks = []

    def run_from_argv(self, argv: list[str]) -> None:
        raise SystemExit(testing.run(argv[2:]))

    def handle(self, *args: str, **options: object) -> None:
        raise SystemExit(testing.run(list(args)))
