from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import policy


class Command(BaseCommand):
    help = "Print the policy that the offline verifier needs. Hand it to auditors by another way than the evidence."

    def handle(self, **options: Any) -> None:
        try:
            self.stdout.write(policy.text())
        except policy.NoPolicy as error:
            raise CommandError(str(error)) from error
