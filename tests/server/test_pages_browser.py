"""The pages in a real browser, under the app's Content-Security-Policy, without any other host."""

import os
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from server.made_up_pages import MadeUp, site

CHROMIUM = Path("/usr/bin/chromium")
MISSING = (
    f"{CHROMIUM} is missing, so the pages are not tried in a browser; install Debian's chromium package."
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM.exists():
        if os.environ.get("LAYER7_TEST_NOTHING_SKIPPED"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def served():
    """Serve made-up pages on a free port; gives the address and the data behind it."""
    data = MadeUp()
    server = uvicorn.Server(
        uvicorn.Config(site(data), host="127.0.0.1", port=0, ws="none", log_level="warning")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", data
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def visit(browser, served):
    """Open pages; afterwards nothing may have been complained about, and no other host been asked."""
    address, _ = served
    complaints, hosts, contexts = [], set(), []

    def opened(path, *, width=1280):
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
        page.goto(address + path)
        if path == "/":
            page.wait_for_function("document.querySelectorAll('.chart.drawn').length === 2")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert hosts <= {address}


def colours(page):
    return page.evaluate(
        "['body', '.chart svg .mark-line path'].map(found => document.querySelector(found))"
        ".map((it, i) => getComputedStyle(it)[i ? 'stroke' : 'backgroundColor'])"
    )


def test_both_charts_are_drawn_their_points_speak_and_the_tables_say_the_same(visit):
    page = visit("/")
    assert page.locator(".chart svg").count() == 2
    for name in ("weekly", "silence"):
        path = page.locator(f"[data-chart={name}-spec] svg .mark-line path").first.get_attribute("d")
        assert path.count("L") > 20
    page.locator("details summary").first.click()
    assert page.get_by_role("cell", name="cannot tell yet").first.is_visible()
    page.locator("[data-chart=weekly-spec] .mark-symbol path").nth(5).hover()
    tip = page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    assert tip.inner_text().replace("\u00a0", " ").split("\n")[0].startswith("submitted")
    assert "week of 28 October 2024" in tip.inner_text()


def test_charts_and_pages_are_other_colours_in_the_dark(visit):
    page = visit("/")
    light = colours(page)
    page.emulate_media(color_scheme="dark")
    dark = colours(page)
    assert all(one != other for one, other in zip(light, dark, strict=True))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/recommendations",
        "/recommendations/rec_89",
        "/recommendations/rec_90",
        "/experiments",
        "/experiments/exp_001",
        "/experiments/exp_001_holdback",
        "/rollouts",
        "/rollouts/ramp_exp_001",
        "/rollouts/ramp_old",
        "/segments",
        "/market",
    ],
)
def test_a_phone_needs_no_sideways_scrolling(visit, path):
    page = visit(path, width=360)
    page.evaluate(
        "document.querySelectorAll('details').forEach(it => { it.removeAttribute('name'); it.open = true; })"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_approving_shows_what_it_does_asks_once_and_confirms(visit, served):
    page = visit("/recommendations")
    page.get_by_role("link", name="improve resume threshold").click()
    page.locator("summary", has_text="Approve").click()
    assert page.get_by_text("an experiment compares improve_resume_threshold").is_visible()
    page.get_by_label("Why (optional)").fill("Looks right <b>to me</b>.")
    page.get_by_role("button", name="Approve").click()
    assert page.get_by_role("status").inner_text().startswith("Recorded: approved by ada")
    page.reload()
    (made,) = served[1].history["rec_88"]
    assert made.why == "Looks right <b>to me</b>."
    assert page.get_by_text("Looks right <b>to me</b>.").is_visible()


def test_saying_no_without_a_reason_is_held_back_by_the_browser(visit, served):
    page = visit("/recommendations/rec_89")
    page.locator("summary", has_text="Reject").click()
    page.get_by_role("button", name="Reject").click()
    assert page.evaluate("document.activeElement.id") == "why-reject"
    assert served[1].history["rec_89"] == ()


def test_the_keyboard_reaches_the_content_first(visit):
    page = visit("/recommendations")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_every_control_has_a_name_and_every_page_one_heading_and_its_landmarks(visit):
    for path in (
        "/",
        "/recommendations",
        "/recommendations/rec_88",
        "/experiments/exp_001",
        "/rollouts/ramp_old",
    ):
        page = visit(path)
        assert page.locator("h1").count() == page.get_by_role("main").count() == 1
        assert page.get_by_role("banner").count() == page.get_by_role("contentinfo").count() == 1
        assert page.locator("table:not(:has(caption))").count() == 0
        assert page.evaluate(
            "[...document.querySelectorAll('textarea, select')].every(it => it.labels.length > 0)"
        )
