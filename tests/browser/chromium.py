"""A headless Chromium: what it shows, asks for and complains of."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import JavascriptException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
AXE = Path(__file__).with_name("axe.min.js").read_text()  # axe-core 4.14.1, from the npm package of this name
RUN_AXE = 'const done = arguments[0]; axe.run({ resultTypes: ["violations"] }).then((found) => done(found.violations))'
STILL = (
    "const still = new CSSStyleSheet(); still.replaceSync('* { transition: none !important }'); "
    "document.adoptedStyleSheets = [still]"
)
HEIGHT = 900
SECONDS = 10
MOST_STOPS = 120  # of the focus on one page
LABEL = "return (document.activeElement.innerText || document.activeElement.value || '').trim()"
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")


@contextmanager
def chromium() -> Iterator["Chromium"]:
    """The browser, for as long as it is needed."""
    options = Options()
    options.binary_location = str(BROWSER)
    for flag in ("--headless=new", "--hide-scrollbars", *QUIET, *(["--no-sandbox"] if os.getuid() == 0 else [])):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield Chromium(driver)
    finally:
        driver.quit()


class Chromium:
    """One window."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def log_in(self, site: str, cookie: str) -> None:
        """Takes the session over that the cookie names."""
        self.driver.get(f"{site}/admin/login/")
        self.driver.add_cookie({"name": "sessionid", "value": cookie})

    def look(self, *, width: int, scheme: str) -> None:
        """From now on the window is so wide, and the system light or dark."""
        size = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        is_so = f"return innerWidth === {width} && matchMedia('(prefers-color-scheme: {scheme})').matches"
        self.wait(lambda driver: driver.execute_script(is_so), f"{width} px, {scheme}")

    def open(self, address: str) -> None:
        """Opens a page, in which no colour fades into another one."""
        self.driver.get(address)
        self.driver.execute_script(STILL)

    def faults(self) -> list[str]:
        """What axe-core calls serious or critical, and whether the page is wider than its window."""
        if not self.driver.execute_script("return 'axe' in window"):
            self.driver.execute_script(AXE)
        found: list[dict[str, Any]] = self.driver.execute_async_script(RUN_AXE)
        faults = [
            f"{one['id']}: {node['html'][:200]} {node['any'][0]['message'] if node['any'] else ''}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
        wide = "const page = document.scrollingElement; return page.scrollWidth - page.clientWidth"
        over = self.driver.execute_script(wide)
        return faults + [f"scrolls sideways by {over} px"] * (over > 0)

    def complaints(self) -> list[str]:
        """What the console says, since it was last asked; that the site has no icon is no fault of a page."""
        said = [str(entry["message"]) for entry in self.driver.get_log("browser")]
        return [one for one in said if "/favicon.ico" not in one]

    def asked_for(self) -> list[str]:
        """The addresses of all requests, since the last time it was asked."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]

    def picture(self, path: Path) -> None:
        """Takes a picture of the whole page."""
        tall = self.driver.execute_script("return document.documentElement.scrollHeight")
        wide = self.driver.execute_script("return window.innerWidth")
        size = {"width": wide, "height": max(tall, HEIGHT), "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.save_screenshot(str(path))

    def press(self, *keys: str) -> None:
        """Presses keys, as a person without a mouse does."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, label: str) -> None:
        """Moves the focus on until it is on what has this label."""
        seen = []
        for _ in range(MOST_STOPS):
            self.press(Keys.TAB)
            seen.append(self.driver.execute_script(LABEL))
            if seen[-1].startswith(label):
                return
        raise AssertionError(f"The focus never came to {label!r}, but to {seen}")

    def enter(self, label: str) -> None:
        """Moves the focus to what has this label, and presses Enter."""
        self.tab_to(label)
        self.press(Keys.ENTER)

    def wait_for(self, text: str) -> None:
        """Waits for a page that says this."""
        said = "return document.querySelector('main').innerText"
        self.wait(lambda driver: text in driver.execute_script(said), text)

    def wait(self, is_so: Callable[[webdriver.Chrome], bool], what: str) -> None:
        """Waits until it is so; a page that is still to come has nothing to be asked for."""
        waiting = WebDriverWait(self.driver, SECONDS, poll_frequency=0.05, ignored_exceptions=[JavascriptException])
        waiting.until(is_so, what)
