/* Single keys: only outside of fields, only without modifiers, and only while they are switched on. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const VERDICTS = { r: "real", s: "spurious", x: "expected", p: "pipeline_fault", u: "unsure" };
  const FIELDS = "input, textarea, select, [contenteditable], [role='listbox'], [role='option']";

  const formOpen = () => {
    const form = triage.byId("expected-form");
    return Boolean(form && !form.hidden);
  };
  const sheet = () => triage.byId("keys-sheet");
  /* Kept in this browser. */
  const OFF = "triage.keysOff";
  const box = triage.byId("keys-on");
  const keysOn = () => box.checked;
  box.checked = localStorage.getItem(OFF) === null;
  box.addEventListener("change", () => {
    if (keysOn()) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });

  const toggleSheet = () => {
    const dialog = sheet();
    if (dialog.open) dialog.close();
    else dialog.showModal();
  };
  triage.on("action:keys", toggleSheet);

  const back = () => {
    if (formOpen()) return triage.expectedForm.close();
    if (triage.advice.close()) return;
    if (triage.letGo("Taken back") || triage.dropChosen() || triage.endTour()) return;
    if (window.location.pathname !== "/") triage.go(triage.filters.address());
  };

  /* Keys that were moved: default key -> the one that does it now. Kept in this browser. */
  const MOVED = "triage.keys";
  let moved = (() => {
    try {
      return JSON.parse(localStorage.getItem(MOVED)) || {};
    } catch {
      return {};
    }
  })();
  const nowOn = (key) => moved[key] || key;
  const meant = (pressed) => {
    const found = Object.keys(moved).find((key) => moved[key] === pressed);
    return found || (moved[pressed] ? null : pressed);
  };
  const printed = (key) => (key.length === 1 ? key.toUpperCase() : key[0].toUpperCase() + key.slice(1));
  const paintKeys = () => {
    for (const key of document.querySelectorAll("kbd[data-key]")) {
      const text = moved[key.dataset.key] ? printed(nowOn(key.dataset.key)) : null;
      if (text && key.textContent !== text) key.textContent = text;
      else if (!text && key.dataset.moved) key.textContent = printed(key.dataset.key);
      if (text) key.dataset.moved = "yes";
      else delete key.dataset.moved;
    }
    for (const button of document.querySelectorAll("[data-verdict][aria-keyshortcuts]")) {
      const key = Object.keys(VERDICTS).find((name) => VERDICTS[name] === button.dataset.verdict);
      button.setAttribute("aria-keyshortcuts", printed(nowOn(key)));
    }
  };
  triage.on("start", () => {
    paintKeys();
    new MutationObserver(paintKeys).observe(triage.byId("page"), { childList: true, subtree: true });
  });
  const move = (key, to) => {
    const taken = [...document.querySelectorAll("[data-action='move-key']")].find(
      (button) => button.dataset.key !== key && nowOn(button.dataset.key) === to,
    );
    if (taken || /^[0-9]$/.test(to)) return triage.announce(`${printed(to)} is taken already.`);
    moved = { ...moved, [key]: to };
    if (to === key) delete moved[key];
    localStorage.setItem(MOVED, JSON.stringify(moved));
    paintKeys();
    triage.announce(`Moved to ${printed(to)}.`);
  };
  triage.on("action:move-key", ({ button }) => {
    const words = button.textContent;
    button.textContent = "press a key";
    const listen = (event) => {
      if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      stop();
      if (event.key.length === 1 && event.key !== " ") move(button.dataset.key, event.key.toLowerCase());
    };
    const stop = () => {
      button.textContent = words;
      document.removeEventListener("keydown", listen, true);
      button.removeEventListener("blur", stop);
    };
    document.addEventListener("keydown", listen, true);
    button.addEventListener("blur", stop);
  });
  triage.on("action:reset-keys", () => {
    moved = {};
    localStorage.removeItem(MOVED);
    paintKeys();
    triage.announce("All keys are where they were.");
  });

  const simple = {
    a: () => triage.assignToMe(),
    j: () => triage.next(),
    k: () => triage.previous(),
    "shift+j": () => triage.extend(1),
    "shift+k": () => triage.extend(-1),
    arrowdown: () => triage.next(),
    arrowup: () => triage.previous(),
    enter: () => triage.byId("queue-grid") && triage.openCluster(),
    escape: back,
    n: () => triage.byId("new-rows") && triage.showNew(),
    z: () => triage.letGo("Taken back") || triage.undo(),
    v: () => triage.advice.toggle(),
    "shift+a": () => triage.advice.apply(),
    "/": () => triage.byId("search").focus(),
    "?": toggleSheet,
  };

  const inField = (event) => {
    const target = event.target;
    // A sheet that was closed has the focus until the next frame: what is typed then is not for it.
    if (target.closest("dialog:not([open])")) return false;
    // Of a slider that was moved only the keys that move it.
    if (target.matches("input[type='range']")) return /^(Arrow|Page|Home|End)/.test(event.key);
    if (target.closest(FIELDS)) return true;
    // On a button or link Enter and the arrows keep their own meaning.
    const own = ["Enter", " ", "ArrowUp", "ArrowDown"].includes(event.key);
    return own && Boolean(target.closest("button, a, summary, [role='tab'], .ag-header"));
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.id === "search") return inSearch(event);
    if (event.target.closest("#expected-form")) return inForm(event);
    if (document.querySelector("dialog[open]:not(#tour)")) return;
    const key = meant(event.key.toLowerCase());
    if (key === null || (key !== "escape" && (inField(event) || !keysOn()))) return;
    if (/^[1-9]$/.test(key)) return triage.chooseReason(Number(key));
    const name = event.shiftKey && /^[a-z]$/.test(key) ? "shift+" + key : key;
    const work = VERDICTS[name] ? triage.canDecide() && (() => press(VERDICTS[name], event)) : simple[name];
    if (!work) return;
    event.preventDefault();
    work();
  });

  const inSearch = (event) => {
    if (event.key === "Escape" || event.key === "Enter") {
      event.preventDefault();
      event.target.blur();
    }
  };

  const inForm = (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      triage.expectedForm.close();
    }
    if (event.key === "Enter" && !event.target.closest("button")) {
      event.preventDefault();
      triage.expectedForm.save();
    }
  };

  const press = (kind, event) => {
    if (event.repeat) return; // a key held down is one verdict
    give(kind);
  };
  const give = (kind) => {
    if (triage.chosenCount()) triage.askBulk(kind);
    else if (kind === "expected") triage.askExpected();
    else triage.decide(kind);
  };

  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-verdict]");
    if (!pressed || !triage.canDecide()) return;
    give(pressed.dataset.verdict);
  });

  triage.on("action:undo", ({ button }) => triage.undo(button.dataset.verdictId));
})();
