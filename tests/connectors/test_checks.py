import pytest

from connectors import checks


@pytest.mark.parametrize(
    ("networks", "sentence"), [((), None), (("10.0.0.0/8",), None), (("10.0.0.1/8",), "10.0.0.0/8")]
)
def test_proxies_must_be_networks(settings, networks, sentence):
    settings.INGEST_TRUSTED_PROXIES = networks
    found = checks.trusted_proxies(None)
    assert [each.id for each in found] == (["connectors.E001"] if sentence else [])
    assert all(sentence in each.msg for each in found)


def test_it_warns_of_addresses_no_other_machine_reaches(settings):
    settings.PUBLIC_URL, settings.OTLP_PUBLIC_URL = "https://portal.acme.example", "http://127.0.0.1:4318"
    (found,) = checks.public_addresses(None)
    assert "OTLP_PUBLIC_URL is http://127.0.0.1:4318" in found.msg
