from tests.audit.verifier.packs import Log


def test_a_session_pack_is_valid(auditor):
    log = Log().fill(50)
    lines = [log.line(seq) for seq in (3, 4, 9, 40)]
    assert auditor.run(log.pack("session", lines)) == 0, auditor.said()


def test_a_range_pack_is_valid_wherever_it_begins_and_ends(auditor):
    for size in range(1, 18):
        log = Log().fill(size)
        for first in range(size):
            for last in range(first, size):
                assert auditor.run(log.pack("range", log.lines[first : last + 1])) == 0, auditor.said()


def test_a_dump_is_valid(auditor):
    log = Log().fill(21)
    for first, end in ((0, 21), (0, 13), (5, 21), (7, 8), (21, 21), (0, 0)):
        assert auditor.run(log.dump(first, end)) == 0, auditor.said()
