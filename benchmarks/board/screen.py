"""One analyst's browser: how long what the analyst does takes until it is painted.

Times are taken in the page, from the key's event to the frame after the one in which the change was
drawn; after sign-in from the browser's own start of the navigation, which is when the form is sent.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.support.chromium import PATIENCE, QUIET, program

ROW = ".queue-grid .ag-center-cols-container .ag-row"
SELECTED = f"{ROW}[aria-selected='true']"

PROBE = """
(() => {
  performance.setResourceTimingBufferSize(100000);
  const selected = () => {
    const row = document.querySelector("SELECTED");
    return row ? row.getAttribute("row-id") : "";
  };
  /* Looked at before each frame is painted; told after that. */
  const until = (true_, begun) => new Promise((resume, fail) => {
    const look = () => {
      if (true_()) setTimeout(() => resume(performance.now() - begun));
      else if (performance.now() - begun < 20000) requestAnimationFrame(look);
      else fail(new Error("not on the screen after 20 s"));
    };
    requestAnimationFrame(look);
  });
  const pane = () => {
    const subject = document.querySelector("#subject");
    return subject && subject.dataset.cluster === selected()
      && !document.body.classList.contains("preview-stale");
  };
  const complete = () => document.querySelector(".shap-bars")
    && document.querySelector("#when-chart .point");
  document.addEventListener("keydown", (event) => {
    const before = selected();
    const seen = (window.probe.seen = {});
    const note = (name, true_) => until(true_, event.timeStamp)
      .then((ms) => (seen[name] = ms), () => {});  // what isn't seen is waited for outside
    if (event.key === "Enter") return note("page", complete);
    note("moved", () => selected() && selected() !== before);
    note("previewed", () => selected() !== before && pane());
  }, true);
  const titled = (row) => {
    const cell = document.querySelector(`${row} [col-id="cluster"]`);
    return cell && cell.textContent.length > 9;
  };
  const probe = (window.probe = {
    seen: {}, pane, first: null,
    rest: () => until(() => !document.querySelector(".queue-grid .skeleton"), performance.now())
      .then(() => new Promise((resume) => requestIdleCallback(resume, { timeout: 1000 }))),
    jump: (index) => {
      const begun = performance.now();
      document.querySelector(".queue-grid .ag-body-viewport").scrollTop = index * 46;
      return until(() => titled(`ROW[row-index="${index}"]`), begun);
    },
    acknowledged: (since) => performance.getEntriesByType("resource")
      .filter((one) => one.name.endsWith("/verdicts") && one.startTime >= since && one.responseEnd)
      .map((one) => one.responseEnd - one.startTime),
  });
  until(() => titled("ROW[row-id]"), 0).then((ms) => (probe.first = ms), () => {});
})();
""".replace("SELECTED", SELECTED).replace("ROW", ROW)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    path = program()
    if path is None:
        raise SystemExit("no browser: neither CHROMIUM nor chromium")
    flags = [*QUIET, *as_root, "--js-flags=--expose-gc"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


class Screen:
    """A signed-in browser before the queue."""

    def __init__(self, browser: Browser, link: str) -> None:
        self.context: BrowserContext = browser.new_context(
            viewport={"width": 1440, "height": 900}, locale="en-GB", timezone_id="UTC"
        )
        self.context.set_default_timeout(PATIENCE)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(f"{error}\n{error.stack}"))
        self.page.add_init_script(PROBE)
        self.first_rows_ms = self.sign_in(link)

    def sign_in(self, link: str) -> float:
        """Sign in, whoever was before; return ms from the form's sending to the first rows."""
        self.context.clear_cookies()
        self.page.goto(link)
        self.page.get_by_role("button", name="Continue").click()
        self.page.wait_for_selector("#subject")
        self._wait("() => probe.first !== null")
        return float(self.page.evaluate("() => probe.first"))

    def close(self) -> None:
        """End it."""
        self.context.close()

    def move(self) -> tuple[float, float]:
        """Press J; return ms until the cursor is on the next row, and until its preview stands."""
        self._settled()
        self.page.keyboard.press("j")
        return self._seen("moved"), self._seen("previewed")

    def decide(self) -> tuple[float, float]:
        """Press S; return ms until it is painted, and until the server has stored it."""
        self._settled()
        since = self.page.evaluate("() => performance.now()")
        self.page.keyboard.press("s")
        painted = self._seen("moved")
        self._wait("(since) => probe.acknowledged(since).length > 0", since)
        stored = self.page.evaluate("(since) => probe.acknowledged(since)[0]", since)
        return painted, float(stored)

    def open_and_back(self) -> float:
        """Press Enter; return ms until the cluster's page is complete. Then go back."""
        self._settled()
        self.page.keyboard.press("Enter")
        took = self._seen("page")
        self.page.keyboard.press("Escape")
        self.page.wait_for_selector(SELECTED)
        return took

    def jump(self, index: int) -> float:
        """Scroll to a row far away; return ms until it stands.

        Begins once all rows on the screen have come and the page has a moment of nothing to do, as
        between any two jumps of a person.
        """
        self.page.evaluate("() => probe.rest()")
        return float(self.page.evaluate("(index) => probe.jump(index)", index))

    def heap_mb(self) -> float:
        """Return the page's heap after a collection, in MB."""
        session = self.context.new_cdp_session(self.page)
        session.send("HeapProfiler.collectGarbage")
        used = session.send("Runtime.getHeapUsage")["usedSize"]
        session.detach()
        return float(used) / 1e6

    def until(self, true: Callable[[], bool], limit_s: float = 15.0) -> float:
        """Return ms until something is true, while the page goes on."""
        begun = time.perf_counter()
        while not true():
            if time.perf_counter() - begun > limit_s:
                raise TimeoutError("the screen did not change")
            self.page.wait_for_timeout(5)
        return 1000 * (time.perf_counter() - begun)

    def _settled(self) -> None:
        self._wait("() => probe.pane()")

    def _seen(self, name: str) -> float:
        self._wait("(name) => probe.seen[name] !== undefined", name)
        return float(self.page.evaluate("(name) => probe.seen[name]", name))

    def _wait(self, script: str, given: Any = None) -> None:
        self.page.wait_for_function(script, arg=given)
