from ingest.agents import SessionMemory


def test_it_knows_nothing_of_a_session_it_has_not_seen() -> None:
    assert SessionMemory().of(1).kind("s") == "unknown"
    assert SessionMemory().of(1).kind(None) == "unknown"


def test_it_learns_from_model_calls_and_from_results_that_repeat_the_decision() -> None:
    knowledge = SessionMemory().of(1)
    knowledge.learn("a", "repl_main_thread")
    knowledge.learn("b", "sdk")
    knowledge.learn("c", None, decision_repeated=True)
    knowledge.learn("d", "compact")
    knowledge.learn("e", None)
    knowledge.learn(None, "sdk")
    assert [knowledge.kind(session) for session in "abcde"] == [
        "interactive",
        "sdk",
        "interactive",
        "unknown",
        "unknown",
    ]


def test_it_does_not_call_a_session_interactive_again_once_a_program_drove_it() -> None:
    knowledge = SessionMemory().of(1)
    knowledge.learn("s", "repl_main_thread")
    knowledge.learn("s", "sdk")
    knowledge.learn("s", "repl_main_thread")
    assert knowledge.kind("s") == "sdk"


def test_it_keeps_sources_apart() -> None:
    memory = SessionMemory()
    memory.of(1).learn("s", "repl_main_thread")
    assert (memory.of(1).kind("s"), memory.of(2).kind("s")) == ("interactive", "unknown")


def test_it_forgets_the_least_recently_used_session_first() -> None:
    knowledge = SessionMemory(remembered=2).of(1)
    knowledge.learn("a", "sdk")
    knowledge.learn("b", "sdk")
    assert knowledge.kind("a") == "sdk"
    knowledge.learn("c", "sdk")
    assert [knowledge.kind(session) for session in "abc"] == ["sdk", "unknown", "sdk"]
