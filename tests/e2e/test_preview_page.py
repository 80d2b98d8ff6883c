"""Rules about the preview page, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from browser import NEEDS_CHROMIUM
from heliograph_cli.authoring.preview import write
from tests_desk import DESK

CHANNELS = {
    "delivery_today": ["push", "sms", "email"],
    "order_shipped": ["email", "sms", "push"],
    "password_reset": ["email", "sms"],
    "spring_sale": ["email", "sms"],
}
pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    target = tmp_path_factory.mktemp("preview")
    write(DESK, target)
    return (target / "index.html").as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    yield page
    page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []


def cards(page: Page, message: str) -> list[str]:
    return [str(card.get_attribute("data-channel")) for card in page.locator(f"#{message} article:visible").all()]


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_every_message_is_shown_on_every_channel_in_every_language(page: Page, language: str) -> None:
    page.click(f"[data-language={language}]")
    assert {message: cards(page, message) for message in CHANNELS} == CHANNELS


def test_a_mail_is_shown_as_on_a_phone_and_on_a_desktop(page: Page) -> None:
    frames = page.locator("#order_shipped article:visible iframe")
    phone, desktop = (frames.nth(place).bounding_box() for place in (0, 1))
    assert phone
    assert desktop
    assert phone["width"] == 375
    assert desktop["width"] >= 640


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_no_mail_is_wider_than_a_phone(page: Page, language: str) -> None:
    page.click(f"[data-language={language}]")
    for message in CHANNELS:
        frame = page.locator(f"#{message} article:visible .phone iframe")
        frame.scroll_into_view_if_needed()
        inside = frame.content_frame.locator("html")
        assert inside.evaluate("page => page.scrollWidth") <= 375


def test_an_arabic_mail_runs_from_right_to_left(page: Page) -> None:
    page.click("[data-language=ar]")
    frame = page.frame_locator("#order_shipped article:visible .phone iframe")
    heading = frame.locator("h1")
    assert heading.evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert heading.inner_text() == "طلبك في الطريق إليك"


def test_the_length_of_a_text_message_is_said(page: Page) -> None:
    shown = page.locator("#order_shipped article:visible .measure").inner_text()
    assert "1 part of at most 3" in shown
    assert "GSM-7" in shown
    page.click("[data-language=ar]")
    assert "UCS-2" in page.locator("#order_shipped article:visible .measure").inner_text()


def test_mails_follow_the_switch_to_dark(page: Page) -> None:
    paper = page.frame_locator("#spring_sale article:visible .phone iframe").locator(".paper")
    page.locator("#spring_sale").scroll_into_view_if_needed()
    light = paper.evaluate("element => getComputedStyle(element).backgroundColor")
    page.click("[data-colours=dark]")
    page.wait_for_function(
        "frame => frame.contentDocument.querySelector('.paper') && "
        "getComputedStyle(frame.contentDocument.querySelector('.paper')).backgroundColor === 'rgb(28, 36, 35)'",
        arg=page.locator("#spring_sale article:visible .phone iframe").element_handle(),
    )
    assert light == "rgb(255, 255, 255)"


def test_a_mail_cannot_run_scripts(page: Page) -> None:
    assert all("allow-scripts" not in str(frame.get_attribute("sandbox")) for frame in page.locator("iframe").all())
