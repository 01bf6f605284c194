/* The decision bar: the form that *expected* asks for, and what each verdict would do. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const DAY = 86400;

  const form = () => triage.byId("expected-form");

  triage.expectedForm = {
    open: () => {
      const subject = triage.byId("subject");
      if (!subject || !form()) return;
      form().replaceChildren(triage.byId("expected-template").content.cloneNode(true));
      form().hidden = false;
      const field = triage.byId("expected-scope");
      field.value = subject.dataset.entity || "";
      field.focus();
      field.select();
    },
    close: () => {
      if (!form() || form().hidden) return;
      form().hidden = true;
      document.activeElement?.blur();
    },
    save: () => {
      const text = triage.byId("expected-scope").value.trim();
      if (!text) {
        triage.announce("Say what is expected.");
        triage.byId("expected-scope").focus();
        return;
      }
      const chosen = (name) => document.querySelector(`#${name} input:checked`).value;
      const days = Number(chosen("expected-days"));
      const keepOut = chosen("expected-keep-out");
      triage.expectedForm.close();
      triage.decide("expected", {
        scope: text.slice(0, 1000),
        expires_at: triage.now() + days * DAY,
        keep_out: keepOut,
      });
    },
  };
  triage.on("action:expected-save", () => triage.expectedForm.save());
  triage.on("action:expected-cancel", () => triage.expectedForm.close());
  triage.on("cursor", () => triage.expectedForm.close());

  /* The consequences of the verdict that is pointed at or focused; else of the suggested one. */
  const showConsequence = (kind) => {
    const texts = document.querySelectorAll("[data-consequence]");
    for (const text of texts) text.hidden = text.dataset.consequence !== kind;
    for (const word of document.querySelectorAll(".if-verdict")) {
      word.textContent = triage.words[kind].toLowerCase();
    }
  };
  const suggested = () => {
    const subject = triage.byId("subject");
    const kind = subject ? subject.dataset.suggested : "real";
    return kind === "unsure" ? "real" : kind;
  };
  const pointed = (event) => event.target.closest && event.target.closest("[data-verdict]");
  for (const name of ["pointerover", "focusin"]) {
    document.addEventListener(name, (event) => pointed(event) && showConsequence(pointed(event).dataset.verdict));
  }
  for (const name of ["pointerout", "focusout"]) {
    document.addEventListener(name, (event) => pointed(event) && showConsequence(suggested()));
  }

  /* The bar follows what the pane shows: nothing, something open, something decided. */
  const followSubject = () => {
    const bar = document.querySelector(".decision-bar");
    if (!bar) return;
    const subject = triage.byId("subject");
    for (const button of bar.querySelectorAll("[data-verdict]")) button.disabled = !triage.canDecide();
    const open = subject && subject.dataset.status !== "decided";
    const suggested = open ? subject.dataset.suggested : "";
    if (bar.dataset.suggested !== suggested) bar.dataset.suggested = suggested;
    document.body.classList.toggle("is-decided", Boolean(subject) && !open);
    tellSubject(subject);
    const wanted = triage.cursor();
    if (!wanted || (subject && subject.dataset.cluster === wanted)) {
      document.body.classList.remove("preview-stale");
    }
  };
  let told = "";
  const tellSubject = (subject) => {
    const now = subject ? `${subject.dataset.cluster} ${subject.dataset.choices}` : "";
    if (now === told) return;
    told = now;
    triage.emit("subject", subject ? subject.dataset : null);
  };
  triage.on("cursor", followSubject);
  triage.on("start", () => {
    new MutationObserver(followSubject).observe(triage.byId("page"), {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ["data-cluster", "data-status"],
    });
    followSubject();
  });

  triage.on("pressed", (kind) => {
    const pressed = document.querySelector(`[data-verdict="${kind}"]`);
    if (!pressed) return;
    pressed.classList.add("pressed");
    setTimeout(() => pressed.classList.remove("pressed"), 180);
  });
})();
