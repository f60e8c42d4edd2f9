"""The official SDKs that take a base URL: how each is pointed at one, and sends one request.

An adapter is called with the base URL that stands for the provider's, and returns a function that sends the request of a
recorded case: method, path, and a body where the method has one. Retries of the SDK are switched off.
"""

import importlib.metadata
import logging

# Errors are the point of this test: no SDK is to log them.
logging.disable(logging.CRITICAL)

ADAPTERS = {}


def adapter(provider, package):
    """Register the adapter of a provider's SDK, which is this package on PyPI."""

    def register(make):
        make.package = package
        make.version = importlib.metadata.version(package)
        ADAPTERS[provider] = make
        return make

    return register


def body_of(method):
    return {"x": 1} if method in ("POST", "PUT", "PATCH") else None


@adapter("openai", "openai")
def openai_sdk(base):
    import openai

    client = openai.OpenAI(api_key="sk-test", base_url=base, max_retries=0)

    def send(method, path):
        options = {} if method == "GET" else {"body": body_of(method)}
        return getattr(client, method.lower())(path, cast_to=object, **options)

    return send


@adapter("anthropic", "anthropic")
def anthropic_sdk(base):
    import anthropic

    client = anthropic.Anthropic(api_key="sk-ant-test", base_url=base, max_retries=0)

    def send(method, path):
        options = {} if method == "GET" else {"body": body_of(method)}
        return getattr(client, method.lower())(path, cast_to=object, **options)

    return send


@adapter("stripe", "stripe")
def stripe_sdk(base):
    import stripe

    client = stripe.StripeClient("sk_test_1", base_addresses={"api": base}, max_network_retries=0)

    def send(method, path):
        return client.raw_request(method.lower(), path)

    return send


@adapter("twilio", "twilio")
def twilio_sdk(base):
    from urllib.parse import urlsplit

    from twilio.http.http_client import TwilioHttpClient
    from twilio.rest import Client

    class Redirected(TwilioHttpClient):
        """The SDK takes no base URL, but a client of HTTP."""

        def request(self, method, url, *arguments, **options):
            return super().request(method, base + urlsplit(url).path, *arguments, **options)

    client = Client("AC" + "0" * 32, "token", http_client=Redirected(max_retries=0))

    def send(method, path):
        if method == "GET":
            return client.api.v2010.fetch(method, path)
        return client.api.v2010.create(method, path, data=body_of(method))

    return send


@adapter("slack", "slack-sdk")
def slack_sdk(base):
    from slack_sdk import WebClient

    client = WebClient(token="xoxb-test", base_url=base + "/", retry_handlers=[])

    def send(method, path):
        return client.api_call(path.lstrip("/"), http_verb=method, json=body_of(method))

    return send


@adapter("notion", "notion-client")
def notion_sdk(base):
    from notion_client import Client

    client = Client(auth="secret_test", base_url=base, retry=False)

    def send(method, path):
        return client.request(path.removeprefix("/v1/"), method, body=body_of(method))

    return send


@adapter("github", "PyGithub")
def github_sdk(base):
    import github

    client = github.Github(
        auth=github.Auth.Token("ghp_test"), base_url=base, retry=0, seconds_between_requests=None,
        seconds_between_writes=None)

    def send(method, path):
        return client.requester.requestJsonAndCheck(method, path, input=body_of(method))

    return send


@adapter("resend", "resend")
def resend_sdk(base):
    import resend

    resend.api_key = "re_test"

    def send(method, path):
        resend.api_url = base
        return resend.request.Request(path=path, params=body_of(method) or {}, verb=method.lower()).perform()

    return send


@adapter("sendgrid", "sendgrid")
def sendgrid_sdk(base):
    from sendgrid import SendGridAPIClient

    api = SendGridAPIClient("SG.test", host=base)

    def send(method, path):
        client = api.client
        # The SDK puts the version in front itself.
        for segment in path.split("?")[0].removeprefix("/v3").strip("/").split("/"):
            client = client._(segment)
        return getattr(client, method.lower())(request_body=body_of(method))

    return send


@adapter("hubspot", "hubspot-api-client")
def hubspot_sdk(base):
    from hubspot.crm.contacts import ApiClient, Configuration

    configuration = Configuration(host=base)
    configuration.access_token = "pat-test"
    configuration.retries = False
    client = ApiClient(configuration)

    def send(method, path):
        return client.call_api(
            path, method, header_params={"Content-Type": "application/json"}, body=body_of(method),
            response_types_map={200: "object", 201: "object"}, auth_settings=["oauth2"], _return_http_data_only=True)

    return send


@adapter("mailchimp", "mailchimp-marketing")
def mailchimp_sdk(base):
    import mailchimp_marketing

    client = mailchimp_marketing.Client({"api_key": "k-us1", "server": "us1"})
    client.api_client.host = base

    def send(method, path):
        return client.api_client.call_api(
            path.removeprefix("/3.0"), method, header_params={"Content-Type": "application/json"},
            body=body_of(method))

    return send


@adapter("google", "google-genai")
def google_sdk(base):
    from google import genai
    from google.genai import types

    client = genai.Client(api_key="AIza", http_options=types.HttpOptions(base_url=base))

    def send(method, path):
        version, _, rest = path.lstrip("/").partition("/")
        options = types.HttpOptions(base_url=base, api_version=version)
        return client._api_client.request(method.lower(), rest, body_of(method) or {}, http_options=options)

    return send
