/* The namespace, its bus, requests to the API, and what a screen reader hears. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const bus = new EventTarget();

  triage.on = (name, listener) => bus.addEventListener(name, (event) => listener(event.detail));
  triage.on.once = (name, listener) =>
    bus.addEventListener(name, (event) => listener(event.detail), { once: true });
  triage.emit = (name, detail) => bus.dispatchEvent(new CustomEvent(name, { detail }));

  triage.byId = (id) => document.getElementById(id);

  /*
   * Props that scripts set on Dash components. Dash's own function fails ("reading 'length'") on a
   * component that it does not have: before the page's layout has come, or once a page was left. So
   * they are kept until it has it; of a page that was left they are forgotten after a while.
   */
  const KEPT_MS = 3000;
  const kept = new Map(); // id -> {props, until}; of one component the newest counts
  let timer = null;

  const hasComponent = (id) => {
    try {
      return window.dash_component_api.getLayout(id) !== undefined;
    } catch {
      return false; // it fails in the same way
    }
  };
  const hand = () => {
    const started = hasComponent("url");
    for (const [id, entry] of [...kept]) {
      if (kept.get(id) !== entry) continue; // handed over meanwhile
      const there = hasComponent(id);
      if (there || (started && performance.now() > entry.until)) kept.delete(id);
      if (there) window.dash_clientside.set_props(id, entry.props);
    }
    if (!kept.size || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      hand();
    }, 30);
  };

  /** Set props of a Dash component, as soon as Dash has it. */
  triage.setProps = (id, props) => {
    const before = kept.has(id) ? kept.get(id).props : {};
    kept.set(id, { props: { ...before, ...props }, until: performance.now() + KEPT_MS });
    hand();
  };

  triage.cookie = (name) => {
    const found = document.cookie.split("; ").find((part) => part.startsWith(name + "="));
    return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
  };

  triage.newKey = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  /**
   * Ask the API. Resolves to {status, data}; status 0 = the server can't be reached.
   * A problem document's sentence is data.detail, its remedy data.remedy.
   */
  triage.request = async (method, path, options = {}) => {
    const headers = { accept: "application/json", "x-csrftoken": triage.cookie("_csrf_token") };
    if (options.body !== undefined) headers["content-type"] = "application/json";
    if (options.key) headers["idempotency-key"] = options.key;
    try {
      const answer = await fetch("/api/v1" + path, {
        method,
        headers,
        body: options.body === undefined ? undefined : JSON.stringify(options.body),
        signal: AbortSignal.timeout(options.timeout || 10000),
        credentials: "same-origin",
      });
      const text = await answer.text();
      if (answer.status === 401) triage.emit("signed-out");
      return { status: answer.status, data: text ? JSON.parse(text) : null };
    } catch (error) {
      return { status: 0, data: { detail: "The board can't be reached.", cause: String(error) } };
    }
  };

  /** Say a sentence in the one polite live region. */
  triage.announce = (text) => {
    const region = triage.byId("announcer");
    if (!region) return;
    region.textContent = "";
    requestAnimationFrame(() => (region.textContent = text));
  };

  /** Run at most once per `wait` ms, the last call always included. */
  triage.throttle = (wait, work) => {
    let timer = null;
    let last = 0;
    return (...values) => {
      clearTimeout(timer);
      const run = () => {
        last = performance.now();
        work(...values);
      };
      const left = wait - (performance.now() - last);
      if (left <= 0) run();
      else timer = setTimeout(run, left);
    };
  };

  /**
   * Run `work`, which takes its time, when called; calls while it runs or rests are one more run.
   * It rests `least` ms or `times` as long as it took: a server that is slow is asked less often.
   */
  triage.paced = (least, times, work) => {
    const MOST = 5000; // ms
    let busy = false;
    let wanted = false;
    return async () => {
      wanted = true;
      if (busy) return;
      busy = true;
      try {
        while (wanted) {
          wanted = false;
          const begun = performance.now();
          await work();
          const rest = Math.max(least, times * (performance.now() - begun));
          await new Promise((resume) => setTimeout(resume, Math.min(rest, MOST)));
        }
      } finally {
        busy = false;
      }
    };
  };

  /** Go to an address of the board without loading the page anew. */
  triage.go = (address) => {
    window.history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-nav]");
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!link || !plain || event.defaultPrevented) return;
    event.preventDefault();
    triage.emit("navigate", { link, address: link.getAttribute("href") });
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-action]");
    if (button) triage.emit("action:" + button.dataset.action, { button, event });
  });

  triage.on("action:sign-out", async () => {
    await fetch("/sign-out", {
      method: "POST",
      headers: { "x-csrftoken": triage.cookie("_csrf_token") },
    });
    window.location.assign("/sign-in");
  });
})();
