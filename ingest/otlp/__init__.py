"""OTLP export requests, from bytes to neutral records and back to answers (OTLP 1.11). Pure: no Django, no I/O."""

from typing import Literal

from ingest.otlp import json_logs, json_metrics, protobuf, protobuf_metrics
from ingest.otlp.answers import failure, success
from ingest.otlp.limits import DecodeError, Limits, Malformed, TooLarge
from ingest.otlp.protobuf_values import forget
from ingest.otlp.records import Attribute, Emitter, Export, LogRecord, MetricPoint, Unusable

__all__ = [
    "Attribute",
    "DecodeError",
    "Emitter",
    "Encoding",
    "Export",
    "Limits",
    "LogRecord",
    "Malformed",
    "MetricPoint",
    "Signal",
    "TooLarge",
    "Unusable",
    "decode",
    "failure",
    "forget",
    "success",
]

Signal = Literal["logs", "metrics", "traces"]
Encoding = Literal["protobuf", "json"]

_DECODERS = {
    ("logs", "protobuf"): protobuf.decode_logs,
    ("logs", "json"): json_logs.decode_logs,
    ("metrics", "protobuf"): protobuf_metrics.decode_metrics,
    ("metrics", "json"): json_metrics.decode_metrics,
    ("traces", "protobuf"): protobuf.count_spans,
    ("traces", "json"): json_logs.count_spans,
}


def decode(signal: Signal, encoding: Encoding, body: bytes, limits: Limits) -> Export:
    """What an uncompressed request holds: log records, metric points, or only the number of its spans.

    Raises Malformed (400) when nothing of it can be read and TooLarge (413) when it is over a limit. Whatever can be
    said of a single record is in the Export: kept with flags, or Unusable.
    """
    return _DECODERS[signal, encoding](body, limits)
