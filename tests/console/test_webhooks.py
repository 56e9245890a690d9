"""Subscriptions of owners."""

from masking.reach import open_reach
from tests.console.rig import KEYS, PLENTY, Api, run

URL = "https://clinic.example/hook"


def test_a_subscription_from_beginning_to_end(api: Api) -> None:
    reach = open_reach(api.desk, KEYS.sealer, taker="a test")
    api.remake(PLENTY, deliveries=reach.deliveries)
    secret, other = api.token(owner="one"), api.token(owner="two")
    made = api("POST", "/v1/webhooks", secret, {"url": URL, "kinds": ["binding.created"]}).json()
    hook = made["webhook"]
    assert (hook["url"], hook["kinds"], hook["active"], hook["use"]) == (URL, ["binding.created"], True, "events")
    assert len(made["secret"]) > 20
    assert api("GET", "/v1/webhooks", secret).json() == {"webhooks": [hook]}
    assert api("GET", "/v1/webhooks", other).json() == {"webhooks": []}
    at = f"/v1/webhooks/{hook['id']}"
    rotated = api("POST", f"{at}/rotate", secret).json()["secret"]
    assert rotated != made["secret"]
    assert api("GET", f"{at}/deliveries", secret).json() == {"deliveries": []}
    assert api("POST", f"{at}/retry", secret, {}).json() == {"retried": 0}
    assert api("PATCH", at, secret, {"active": False}).json()["active"] is False
    for method, ending, body in (
        ("PATCH", "", {"active": True}), ("DELETE", "", None), ("POST", "/rotate", None), ("GET", "/deliveries", None),
        ("POST", "/retry", {}), ("POST", "/test", None),
    ):  # fmt: skip
        theirs = api(method, at + ending, other, body)
        nobodys = api(method, "/v1/webhooks/hook-nobody" + ending, other, body)
        assert (theirs.status_code, theirs.content) == (404, nobodys.content)
    assert api("DELETE", at, secret).status_code == 204
    assert api("GET", "/v1/webhooks", secret).json() == {"webhooks": []}
    bad = api("POST", "/v1/webhooks", secret, {"url": "ftp://clinic.example/"}).json()["error"]
    assert (bad["code"], bad["field"]) == ("bad_field", "url")
    run(reach.close())
    api.remake(PLENTY, hooks=None, deliveries=None)
    assert {api("GET", path, secret).status_code for path in ("/v1/webhooks", f"{at}/deliveries")} == {503}
