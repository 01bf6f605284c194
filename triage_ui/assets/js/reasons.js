/* The reason that goes with the next verdict: one of those that the stream's policy offers. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  let chosen = "";

  const chips = () => [...document.querySelectorAll("[data-reason]")];
  const show = () => {
    for (const chip of chips()) chip.setAttribute("aria-pressed", String(chip.dataset.reason === chosen));
  };

  const choose = (reason) => {
    chosen = reason === chosen ? "" : reason;
    show();
    triage.announce(chosen ? `Reason: ${chosen}.` : "No reason.");
  };
  /** Choose the reason with this number, or let it go. */
  triage.chooseReason = (number) => {
    const chip = chips()[number - 1];
    if (chip) choose(chip.dataset.reason);
  };
  /** The chosen reason; it is given once. */
  triage.takeReason = () => {
    const given = chosen;
    chosen = "";
    show();
    return given;
  };

  const make = (reason, index) => {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "reason-chip";
    chip.dataset.reason = reason;
    chip.setAttribute("aria-pressed", "false");
    const key = document.createElement("kbd");
    key.className = "key";
    key.textContent = index + 1;
    chip.append(key, " " + reason);
    chip.addEventListener("click", () => choose(reason));
    return chip;
  };

  triage.on("subject", (subject) => {
    const place = triage.byId("reason-chips");
    if (!place) return;
    const open = subject && subject.status !== "decided";
    place.replaceChildren(...(open ? JSON.parse(subject.choices || "[]").map(make) : []));
    chosen = "";
  });
})();
