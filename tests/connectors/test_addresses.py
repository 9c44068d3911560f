from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import addresses

PROXIES = ("10.0.0.0/8", "2001:db8:ff::/48")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:443", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("", None),
        ("unix:", None),
        ("localhost", None),
        ("192.0.2.256", None),
        ("0x7f.1", None),
        ("2130706433", None),
        ("192.0.2.1 junk", None),
    ],
)
def test_it_reads_an_address(text, expected):
    assert addresses.address(text) == (ip_address(expected) if expected else None)


@given(st.text())
def test_it_reads_any_text_without_an_error(text):
    addresses.address(text)
    addresses.client_address("10.0.0.1", text, PROXIES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.20.0.0/16", "10.20.0.0/16"),
        (" 10.20.0.0/16 ", "10.20.0.0/16"),
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("::ffff:10.20.0.0/112", "10.20.0.0/16"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
    ],
)
def test_it_reads_a_network(text, expected):
    assert addresses.network(text) == ip_network(expected)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("10.20.0.0/33", "10.20.0.0/33 is not a network: a prefix ends at /32."),
        ("2001:db8::/129", "2001:db8::/129 is not a network: a prefix ends at /128."),
        ("10.20.0.0/", "10.20.0.0/ is not a network: a prefix ends at /32."),
        ("10.20.0.0/-1", "10.20.0.0/-1 is not a network: a prefix ends at /32."),
        ("10.20.0.0/255.255.0.0", "10.20.0.0/255.255.0.0 is not a network: a prefix ends at /32."),
        ("10.20.0.5/16", "10.20.0.5/16 is not a network: the one around this address is 10.20.0.0/16."),
        ("office", "office is not a network: write it like 10.20.0.0/16 or 2001:db8::/32."),
        ("", " is not a network: write it like 10.20.0.0/16 or 2001:db8::/32."),
        ("fe80::%eth0/64", "fe80::%eth0/64 is not a network: write it like 10.20.0.0/16 or 2001:db8::/32."),
    ],
)
def test_it_says_why_a_text_is_no_network(text, sentence):
    with pytest.raises(addresses.NotANetwork) as refused:
        addresses.network(text)
    assert str(refused.value) == sentence


def test_versions_do_not_mix():
    everywhere = [addresses.network("0.0.0.0/0")]
    assert addresses.lies_in(ip_address("192.0.2.1"), everywhere)
    assert not addresses.lies_in(ip_address("2001:db8::1"), everywhere)


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "trusted", "expected"),
    [
        pytest.param("192.0.2.1", "", PROXIES, "192.0.2.1", id="direct"),
        pytest.param("192.0.2.1", "203.0.113.9", PROXIES, "192.0.2.1", id="claim-of-a-stranger"),
        pytest.param("192.0.2.1", "203.0.113.9", (), "192.0.2.1", id="no-proxy-is-trusted"),
        pytest.param("10.0.0.1", "203.0.113.9", (), "10.0.0.1", id="unconfigured-proxy"),
        pytest.param("10.0.0.1", "203.0.113.9", PROXIES, "203.0.113.9", id="one-proxy"),
        pytest.param("::ffff:10.0.0.1", "203.0.113.9", PROXIES, "203.0.113.9", id="mapped-proxy"),
        pytest.param("10.0.0.1", "1.2.3.4, 203.0.113.9", PROXIES, "203.0.113.9", id="forged-first-hop"),
        pytest.param("10.0.0.1", "203.0.113.9, 10.0.0.2", PROXIES, "203.0.113.9", id="two-proxies"),
        pytest.param("10.0.0.1", "203.0.113.9,2001:db8:ff::7", PROXIES, "203.0.113.9", id="mixed-proxies"),
        pytest.param("10.0.0.1", "10.0.0.9, 10.0.0.2", PROXIES, "10.0.0.9", id="all-inside"),
        pytest.param("10.0.0.1", "203.0.113.9, unknown", PROXIES, "10.0.0.1", id="unreadable-hop"),
        pytest.param("10.0.0.1", "203.0.113.9, ", PROXIES, "10.0.0.1", id="empty-hop"),
        pytest.param("10.0.0.1", "203.0.113.9:5123", PROXIES, "203.0.113.9", id="with-a-port"),
        pytest.param("10.0.0.1", "[2001:db8::5]:5123", PROXIES, "2001:db8::5", id="with-brackets"),
        pytest.param("", "203.0.113.9", PROXIES, "", id="unix-socket"),
        pytest.param("192.0.2.1:40000", "", PROXIES, "192.0.2.1", id="peer-with-a-port"),
    ],
)
def test_it_finds_the_client(peer, forwarded_for, trusted, expected):
    assert addresses.client_address(peer, forwarded_for, trusted) == expected


@given(st.lists(st.ip_addresses(), max_size=8), st.ip_addresses().filter(lambda each: not addresses.lies_in(each, [])))
def test_what_an_untrusted_peer_writes_changes_nothing(claims, peer):
    assert addresses.client_address(str(peer), ", ".join(map(str, claims)), ()) == str(addresses.address(str(peer)))
