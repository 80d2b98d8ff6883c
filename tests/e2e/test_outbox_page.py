"""The outbox page shows what was sent, and its buttons do what a person would do."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, ViewportSize, expect

from aws.local_cloud import Inbox, LocalCloud, local_cloud
from aws.local_ses import a_configuration_set, entry, send, send_bulk
from browser import NEEDS_CHROMIUM

PHONE: ViewportSize = {"width": 375, "height": 720}

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """A local cloud with one mail, one text and one push message, in this order."""
    with local_cloud() as running:
        yield running


@pytest.fixture(scope="module")
def sent(cloud: LocalCloud) -> str:
    """The configuration set under which they were sent."""
    ses, application = cloud.client("sesv2"), cloud.client("pinpoint")
    ses.create_email_identity(EmailIdentity="example.com")
    configuration_set = a_configuration_set(ses)
    tags = [{"Name": "recipient_id", "Value": "ada"}]
    send(ses, "ada@example.net", EmailTags=tags, ConfigurationSetName=configuration_set)
    cloud.client("pinpoint-sms-voice-v2").send_text_message(
        DestinationPhoneNumber="+12065550142", MessageBody="Your code is 482913.", Context={"recipient_id": "grace"}
    )
    app = application.create_app(CreateApplicationRequest={"Name": "app"})["ApplicationResponse"]["Id"]
    gcm = {"Title": "Out for delivery", "Body": "Today", "Data": {"recipient_id": "ada", "dispatch_id": "d-1"}}
    request = {"Addresses": {"device-1": {"ChannelType": "GCM"}}, "MessageConfiguration": {"GCMMessage": gcm}}
    application.send_messages(ApplicationId=app, MessageRequest=request)
    return configuration_set


@pytest.fixture
def page(browser: Browser, cloud: LocalCloud, sent: str) -> Iterator[Page]:
    """The page, with all three messages on it; it may fail nowhere, and ask nobody else."""
    context = browser.new_context()
    opened = context.new_page()
    faults: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith(cloud.endpoint):
            faults.append(request.url)

    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", asked)
    opened.goto(f"{cloud.endpoint}/_heliograph/outbox")
    expect(card(opened, "email").first).to_be_visible()
    yield opened
    context.close()
    assert faults == []


@pytest.fixture
def listen(cloud: LocalCloud) -> Callable[..., Inbox]:
    """Sends the events of a source, from a bus, to an inbox."""

    def to(source: str, bus: str = "default", **pattern: Any) -> Inbox:
        inbox, events, rule = Inbox(cloud), cloud.client("events"), uuid.uuid4().hex
        events.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps({"source": [source], **pattern}))
        events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "inbox", "Arn": inbox.arn}])
        return inbox

    return to


def card(page: Page, channel: str) -> Locator:
    return page.locator(f"article.{channel}")


def press(found: Locator, button: str) -> None:
    found.get_by_role("button", name=button, exact=True).click()
    expect(found.get_by_role("status")).to_contain_text("reported")


def test_a_mail_is_shown_in_a_frame_in_which_no_script_may_run(page: Page) -> None:
    mail = card(page, "email").last
    expect(mail.frame_locator("iframe").get_by_role("link", name="you")).to_be_visible()
    expect(mail.locator("iframe")).to_have_attribute("sandbox", "allow-same-origin")
    mail.get_by_text("1 header, 1 tag").click()
    expect(mail.locator("dd", has_text="ada")).to_be_visible()


def test_a_text_is_a_bubble_and_a_push_message_a_notification(page: Page) -> None:
    expect(card(page, "sms").last.locator(".bubble")).to_have_text("Your code is 482913.")
    expect(card(page, "push").last.locator(".notification")).to_contain_text("Out for delivery")


def test_the_newest_is_on_top(page: Page) -> None:
    times = page.locator("article time").evaluate_all("times => times.map(time => time.dateTime)")
    assert times == sorted(times, reverse=True)
    assert len(times) >= 3


def test_the_feed_is_filtered_by_channel_and_recipient(page: Page) -> None:
    page.get_by_role("radio", name="SMS").check()
    expect(page.locator("article:not(.sms)")).to_have_count(0)
    page.get_by_role("radio", name="All").check()
    page.get_by_role("searchbox").fill("grace")
    expect(page.locator("article")).to_have_count(1)
    page.get_by_role("searchbox").fill("nobody")
    expect(page.get_by_text("Nothing here fits the filter.")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?like=nobody$"))


@pytest.mark.parametrize(
    ("button", "event"),
    [
        ("Open", "Email Opened"),
        ("Click", "Email Clicked"),
        ("Bounce", "Email Bounced"),
        ("Complain", "Email Complaint Received"),
    ],
)
def test_a_button_of_a_mail_makes_ses_report_it(
    page: Page, button: str, event: str, listen: Callable[..., Inbox]
) -> None:
    inbox = listen("aws.ses", **{"detail-type": [event]})
    press(card(page, "email").last, button)
    assert inbox.take(1)[0]["detail"]["mail"]["tags"]["recipient_id"] == ["ada"]


def test_a_link_followed_in_a_mail_is_the_link_that_is_reported(page: Page, listen: Callable[..., Inbox]) -> None:
    inbox = listen("aws.ses", **{"detail-type": ["Email Clicked"]})
    card(page, "email").last.frame_locator("iframe").get_by_role("link", name="you").click()
    assert inbox.take(1)[0]["detail"]["click"]["link"] == "https://example.com/a"


def test_a_text_that_bounces_is_reported_invalid(page: Page, listen: Callable[..., Inbox]) -> None:
    inbox = listen("aws.sms-voice", detail={"messageStatus": ["INVALID"]})
    press(card(page, "sms").last, "Bounce")
    assert inbox.take(1)[0]["detail"]["isFinal"]


def test_an_opened_push_message_is_told_to_the_bus_of_the_stack(
    page: Page, cloud: LocalCloud, listen: Callable[..., Inbox]
) -> None:
    cloud.client("events").create_event_bus(Name="heliograph-events")
    inbox = listen("app.local", "heliograph-events")
    press(card(page, "push").last, "Open")
    assert inbox.take(1)[0]["detail"] == {"recipient_id": "ada", "dispatch_id": "d-1"}


def test_what_is_new_appears_by_itself_but_never_moves_what_is_being_read(page: Page, cloud: LocalCloud) -> None:
    def write(words: str) -> None:
        text = {"DestinationPhoneNumber": "+12065550143", "MessageBody": words}
        cloud.client("pinpoint-sms-voice-v2").send_text_message(**text)

    write("first")
    expect(page.locator(".bubble", has_text="first")).to_be_visible()
    page.set_viewport_size(PHONE)
    page.evaluate("window.scrollTo(0, 400)")
    write("second")
    page.get_by_role("button", name="↑ 1 new").click()
    expect(page.locator(".bubble", has_text="second")).to_be_in_viewport()


def test_the_page_fits_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_run_of_1200_mails_is_shown_50_at_a_time(page: Page, cloud: LocalCloud) -> None:
    ses = cloud.client("sesv2")
    for pack in range(24):
        send_bulk(ses, *(entry(f"many-{pack}-{number}@example.org") for number in range(50)))
    page.get_by_role("searchbox").fill("example.org")
    expect(page.locator("article")).to_have_count(50)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("article")).to_have_count(100)
