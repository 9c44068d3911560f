"""What the programs under us say at every start although nobody who runs the portal need do anything about it."""

UNSAID = (
    # granian's server inside our own process is pinned to one version, and tested with it
    "Embedded server is experimental!",
    # 16 threads are meant: each is held for as long as somebody reads a download (portal.runner.parts)
    "Configuration allows spawning up to",
    # Valkey forks only to shorten its file, and what it holds are hints (portal.embedded.broker)
    "WARNING Memory overcommit must be enabled!",
)


def is_noise(line: str) -> bool:
    return any(words in line for words in UNSAID)
