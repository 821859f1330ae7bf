"""Uses the page of a service as a person would, with the keyboard alone, in Chromium. Exits with 3 if Selenium or Chromium is not installed.

serve_page.py URL PROMPT FOLDER: screenshots go to FOLDER.
"""

import base64
import sys
import time

try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    sys.exit(3)

url, prompt, folder = sys.argv[1:4]
options = webdriver.ChromeOptions()
for option in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,1000"):
    options.add_argument(option)
options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
try:
    browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
except WebDriverException as missing:
    print(missing)
    sys.exit(3)


def find(selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def all_of(selector):
    return browser.find_elements(By.CSS_SELECTOR, selector)


def until(what, condition):
    """Polls `condition` every 0.1 s for five minutes. Then fails, naming `what` and showing the text of the page."""
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(what + ": " + find("body").text)


def press(*keys):
    browser.switch_to.active_element.send_keys(*keys)


def tab_to(selector):
    """Moves the focus with the Tab key alone."""
    for _ in range(60):
        if browser.switch_to.active_element == find(selector):
            return
        press(Keys.TAB)
    raise AssertionError("the keyboard does not reach " + selector)


def look(name, width, scheme):
    """Takes a screenshot of the whole page, NAME.png, at `width` pixels in a colour scheme ("light" or "dark"). Fails if the page scrolls sideways."""
    browser.set_window_size(width, 1000)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    # Headless windows are at least 500 pixels wide, so a phone must be emulated.
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 500})
    time.sleep(0.3)
    wide = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{name} scrolls sideways by {wide}"
    whole = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    with open(f"{folder}/{name}.png", "wb") as out:
        out.write(base64.b64decode(whole["data"]))


def is_loaded(image):
    return browser.execute_script("return arguments[0].complete && arguments[0].naturalWidth > 0", image)


try:
    browser.get(url)
    until("the page begins", lambda: "nano" in find("#service").text)
    tab_to("#prompt")
    press(prompt)
    press(Keys.CONTROL, Keys.ENTER)
    until("the storyboard", lambda: all_of(".card"))
    assert "hello moon" in find(".card blockquote").text
    until("the film", lambda: find("#player").is_displayed())
    until("the poster", lambda: is_loaded(find(".card img")))
    until("the film's length", lambda: browser.execute_script("return player.duration > 1"))
    assert browser.execute_script("return player.error === null")
    until("the subtitles", lambda: browser.execute_script("const [track] = player.textTracks; return track && track.cues && track.cues.length > 0"))
    names = [link.text for link in all_of("#downloads a")]
    assert {"Film", "Subtitles (SRT)", "Timeline (OTIO)"} <= set(names), names
    look("light", 1280, "light")
    look("dark", 1280, "dark")
    look("phone", 390, "light")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    tab_to(".card .edit")
    press(Keys.ENTER)
    line = browser.switch_to.active_element
    assert line.get_attribute("value") == "hello moon", line.get_attribute("value")
    line.send_keys(Keys.CONTROL, "a")
    line.send_keys("good night")
    look("edit", 390, "dark")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    first = find("#films [aria-current=true]").get_attribute("href")
    line.send_keys(Keys.ENTER)
    until("the edited film", lambda: find("#films [aria-current=true]").get_attribute("href") != first)
    until("its storyboard", lambda: all_of(".card blockquote") and "good night" in find(".card blockquote").text)
    until("its end", lambda: find("#player").is_displayed())
    assert len(all_of("#films li")) == 2
    loud = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not loud, loud
finally:
    browser.quit()
