"""The Collector's configuration, read as YAML."""

import itertools

import pytest
import yaml

from connectors.snippets import collector

ENDPOINT = "https://otlp.acme.example"


def read(**options):
    return yaml.safe_load(collector.config(options.pop("endpoint", ENDPOINT), **options))


@pytest.mark.parametrize("encoding", collector.ENCODINGS)
def test_it_exports_here_and_keeps_what_it_cannot_send(encoding):
    made = read(encoding=encoding)["exporters"]["otlp_http/agent_governance"]
    assert made == {
        "endpoint": ENDPOINT,
        "encoding": encoding,
        "compression": "gzip",
        "timeout": "30s",
        "headers": {"Authorization": "Bearer ${env:AGENT_GOVERNANCE_TOKEN}"},
        "tls": {"insecure": False},
        "retry_on_failure": {
            "enabled": True,
            "initial_interval": "5s",
            "max_interval": "30s",
            "max_elapsed_time": "300s",
        },
        "sending_queue": {
            "enabled": True,
            "num_consumers": 4,
            "queue_size": 5000,
            "storage": "file_storage/agent_governance",
        },
    }


@pytest.mark.parametrize(
    ("old_name", "signals", "existing"),
    list(
        itertools.product(
            (False, True), (("logs", "metrics"), ("metrics",)), ((), ("awsemf",), ("googlecloud", "otlphttp/mine"))
        )
    ),
)
def test_all_that_it_names_is_there(old_name, signals, existing):
    config = read(old_name=old_name, signals=signals, existing=existing)
    defined = {kind: set(config[kind]) for kind in ("extensions", "receivers", "exporters")}
    service = config["service"]
    assert set(service["extensions"]) == defined["extensions"]
    assert {exporter["sending_queue"]["storage"] for exporter in config["exporters"].values()} == defined["extensions"]
    assert list(service["pipelines"]) == list(signals)
    for pipeline in service["pipelines"].values():
        assert set(pipeline["receivers"]) == defined["receivers"]
        assert pipeline["exporters"][:-1] == list(existing), "what was there stays, and first"
        assert {pipeline["exporters"][-1]} == defined["exporters"]


def test_plain_http_is_said_to_be_insecure():
    made = read(endpoint="http://10.0.0.7:4318")["exporters"]["otlp_http/agent_governance"]
    assert made["tls"] == {"insecure": True}


@pytest.mark.parametrize("existing", ["a]\n", "a, b", "${env:X}", "", "otlp: {}", "x" * 200])
def test_what_is_no_exporters_name_is_refused(existing):
    with pytest.raises(ValueError, match="exporter"):
        collector.config(ENDPOINT, existing=[existing])


@pytest.mark.parametrize(
    ("slug", "direct"),
    [
        ("aws", {"169.254.169.254", "169.254.170.2", ".amazonaws.com"}),
        ("google", {"169.254.169.254", "metadata.google.internal", ".googleapis.com"}),
        ("azure", {"169.254.169.254", "168.63.129.16", ".azure.com"}),
    ],
)
def test_metadata_services_and_the_clouds_own_names_go_round_the_proxy(slug, direct):
    cloud = next(each for each in collector.CLOUDS if each.slug == slug)
    variables = dict(line.split("=", 1) for line in collector.proxy(cloud).splitlines())
    assert variables["HTTPS_PROXY"].startswith("http://")
    assert {*direct, "localhost", "127.0.0.1"} <= set(variables["NO_PROXY"].split(","))
