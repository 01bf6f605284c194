/* One line that says what was just done and what it changed, with the way back beside it. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const STAYS_MS = 12000;
  let timer = null;
  let current = null; // verdict id or key that the line is about

  const make = (name, className, ...children) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  };
  const bdi = (text, limit) => make("bdi", "", triage.visible(text, limit));
  const key = (text) => make("kbd", "key", text);
  const shape = (kind) => {
    const element = make("span", "shape shape-" + kind);
    element.setAttribute("aria-hidden", "true");
    return element;
  };
  const button = (text, keyText, work) => {
    const element = make("button", "toast-button", ...(keyText ? [key(keyText)] : []), text);
    element.type = "button";
    element.addEventListener("click", work);
    return element;
  };

  const area = () => {
    const root = triage.byId("toasts");
    let inner = root.querySelector(".toast-area");
    if (!inner) {
      inner = make("div", "toast-area", make("div", "tray"), make("div", "line"));
      root.append(inner);
      inner.addEventListener("pointerenter", () => clearTimeout(timer));
      inner.addEventListener("focusin", () => clearTimeout(timer));
      inner.addEventListener("pointerleave", later);
      inner.addEventListener("focusout", later);
    }
    return inner;
  };
  const line = () => area().querySelector(".line");

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => line().replaceChildren(), STAYS_MS);
  };

  const show = (kind, about, parts, actions = []) => {
    current = about;
    const toast = make("div", "toast toast-" + kind, make("span", "toast-text", ...parts), ...actions);
    line().replaceChildren(toast);
    triage.announce(toast.querySelector(".toast-text").textContent);
    later();
  };

  const undoButton = (verdict) => button("undo", "Z", () => triage.undo(verdict));

  const what = (entry) => [
    shape(entry.kind),
    make("strong", "", bdi(entry.title, 46)),
    ` marked ${triage.words[entry.kind].toLowerCase()}`,
  ];

  triage.on("decided", (entry) => show("saving", entry.key, [...what(entry), " · saving"]));
  triage.on("saved", ({ entry, verdict }) => {
    show("saved", verdict.verdict_id, [...what(entry), " · ", fate(verdict)], [undoButton(verdict.verdict_id)]);
  });

  const fate = (verdict) => {
    if (verdict.learned && verdict.model_after !== null) {
      return `learned by model v${verdict.model_after} · ${triage.moved(verdict.rose, verdict.fell)}`;
    }
    if (verdict.state === "published") return "published";
    return verdict.kind === "pipeline_fault" || verdict.kind === "unsure" ? "recorded" : "learning";
  };

  triage.on("fate", ({ verdict, entry, over }) => {
    if (!over && entry && current === verdict.verdict_id) {
      show("saved", verdict.verdict_id, [...what(entry), " · ", fate(verdict)], [undoButton(verdict.verdict_id)]);
    }
  });

  triage.on("undoing", () => show("saving", null, ["Taking it back"]));
  triage.on("undone", ({ title, verdict }) => {
    const retracted = verdict.state === "retracted" ? " · a retraction is published" : "";
    show("saved", null, [bdi(title || "The verdict", 70), " is open again" + retracted]);
  });

  triage.on("conflict", ({ entry, text, standing }) => {
    const address = "/cluster/" + encodeURIComponent(entry.cluster) + "?tab=history";
    const actions = [button("see why", "", () => triage.go(address))];
    if (standing) actions.push(button("keep it", "", () => line().replaceChildren()));
    if (standing && triage.canDisagree(entry.kind, standing)) {
      actions.push(button("disagree", "", () => triage.disagree(entry, standing)));
    }
    show("conflict", null, [bdi(entry.title, 46), ": ", text, ". Yours was not counted."], actions);
  });

  triage.on("told", ({ text, open, back }) => {
    const look = () => triage.go("/cluster/" + encodeURIComponent(open));
    const actions = open ? [button("open it", "", look)] : [];
    if (back) actions.push(button(back.text, "", back.work));
    show("saved", null, [text], actions);
  });

  triage.on("trouble", ({ text, title, remedy, retry }) => {
    const actions = [];
    if (retry === "undo") actions.push(button("try again", "", () => triage.undo()));
    if (retry === "reload") actions.push(button("try again", "", () => triage.emit("filters")));
    show("trouble", null, [title ? bdi(title, 70) : null, title ? ": " : null, text, remedy ? ` ${remedy}` : null], actions);
  });

  /* What is not saved stays in sight until it is. */
  triage.on("unsaved", (entries) => {
    const failed = entries.filter((entry) => entry.why);
    const tray = area().querySelector(".tray");
    if (!failed.length) return tray.replaceChildren();
    const rows = failed.slice(-3).map((entry) =>
      make("div", "tray-row", shape(entry.kind), bdi(entry.title, 60), make("span", "quiet", entry.why)),
    );
    tray.replaceChildren(
      make(
        "div",
        "toast toast-unsaved",
        make("div", "tray-rows", make("strong", "", `Not saved (${failed.length})`), ...rows),
        button("try again", "", () => triage.retry()),
      ),
    );
  });

  triage.on("signed-out", () => {
    const next = encodeURIComponent(window.location.pathname + window.location.search);
    const link = make("a", "toast-button", "sign in again");
    link.href = "/sign-in?next=" + next;
    show("trouble", null, ["Your session has ended. What is not saved is kept in this tab."], [link]);
    clearTimeout(timer);
  });
})();
