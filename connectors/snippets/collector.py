"""An OpenTelemetry Collector that passes on what it gets: beside what it does already, with a queue on disk.

Source: the Collector's otlphttpexporter, exporterhelper and configretry (v0.159), and the storage extension of contrib.
The token comes from the environment, so that the file holds none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

VARIABLE = "AGENT_GOVERNANCE_TOKEN"
EXPORTER = "otlp_http/agent_governance"
OLD_EXPORTER = "otlphttp/agent_governance"
QUEUE = "file_storage/agent_governance"
ENCODINGS = ("proto", "json")
COMPONENT = re.compile(r"[a-zA-Z][0-9a-zA-Z_]{0,62}(/[0-9a-zA-Z_.-]{1,100})?")
"""A component's name: its type and, after a slash, which one of that type."""


def config(
    endpoint: str,
    *,
    encoding: str = "proto",
    signals: Sequence[str] = ("logs", "metrics"),
    existing: Sequence[str] = (),
    old_name: bool = False,
) -> str:
    """The Collector's YAML. `existing` exporters stay in every pipeline, before this one; each works by itself.

    `old_name`: for a Collector that knows the exporter only as `otlphttp`.
    """
    if encoding not in ENCODINGS or not all(COMPONENT.fullmatch(each) for each in existing):
        raise ValueError("an encoding or exporter that is none")
    exporter = OLD_EXPORTER if old_name else EXPORTER
    pipelines = "".join(_pipeline(signal, (*existing, exporter)) for signal in signals)
    return _CONFIG.format(
        exporter=exporter,
        endpoint=endpoint,
        encoding=encoding,
        insecure="false" if urlsplit(endpoint).scheme == "https" else "true",
        pipelines=pipelines,
        queue=QUEUE,
        variable=VARIABLE,
    )


def _pipeline(signal: str, exporters: Sequence[str]) -> str:
    return f"    {signal}:\n      receivers: [otlp]\n      exporters: [{', '.join(exporters)}]\n"


_CONFIG = """\
extensions:
  {queue}:
    directory: /var/lib/otelcol/agent-governance
    create_directory: true

receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:4318
      grpc:
        endpoint: 127.0.0.1:4317

exporters:
  {exporter}:
    endpoint: {endpoint}
    encoding: {encoding}
    compression: gzip
    timeout: 30s
    headers:
      Authorization: Bearer ${{env:{variable}}}
    tls:
      insecure: {insecure}
    retry_on_failure:
      enabled: true
      initial_interval: 5s
      max_interval: 30s
      max_elapsed_time: 300s
    sending_queue:
      enabled: true
      num_consumers: 4
      queue_size: 5000
      storage: {queue}

service:
  extensions: [{queue}]
  pipelines:
{pipelines}"""


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud, how a Collector stands beside its workloads, and what must not go through a proxy there."""

    slug: str
    title: str
    sidecar: str
    direct: tuple[str, ...]


_EVERYWHERE = ("localhost", "127.0.0.1", "::1")
CLOUDS = (
    Cloud(
        "aws",
        "AWS",
        "ECS and EKS: a container of the same task or pod. The task role (IAM) is for awsemf and other exporters of "
        "AWS; this one needs only its token, from Secrets Manager as the variable below.",
        ("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", ".amazonaws.com", ".internal"),
    ),
    Cloud(
        "google",
        "Google Cloud",
        "GKE: a container of the same pod, with Workload Identity for googlecloud; Cloud Run: a sidecar container. The "
        "token comes from Secret Manager as the variable below.",
        ("169.254.169.254", "metadata.google.internal", "metadata", ".googleapis.com", ".internal"),
    ),
    Cloud(
        "azure",
        "Azure",
        "AKS: a container of the same pod, with a Managed Identity for azuremonitor; Container Apps: a sidecar. The "
        "token comes from Key Vault as the variable below.",
        ("169.254.169.254", "168.63.129.16", ".azure.com", ".windows.net", ".azure.net", ".internal.cloudapp.net"),
    ),
)


def proxy(cloud: Cloud, address: str = "http://proxy.example:3128") -> str:
    """The Collector's environment behind a forward proxy, as lines NAME=value.

    NO_PROXY holds the metadata services, through which the cloud's own exporters get their credentials, and the cloud's
    own names, which private subnets reach through endpoints of theirs.
    """
    direct = ",".join((*_EVERYWHERE, *cloud.direct))
    return f"HTTPS_PROXY={address}\nNO_PROXY={direct}\n"
