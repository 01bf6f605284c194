/* An entity's page: an event that no detector showed was real after all, or was not. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const REDRAWN_MS = 5000;
  let sending = false; // the button is not disabled meanwhile: it would lose the focus

  const about = ({ dataset }) => {
    const { stream, entities, time } = JSON.parse(dataset.event);
    return JSON.stringify([stream, entities, time]);
  };

  /* The table is drawn anew with each answer: whoever works by keyboard goes on from the same button. */
  const keepFocus = (label) => {
    const place = triage.byId("entity-events");
    const again = () => {
      if (document.activeElement !== document.body) return;
      const buttons = [...place.querySelectorAll("[data-action='missed']")];
      const same = buttons.find((button) => about(button) === label);
      if (same) same.focus({ preventScroll: true });
    };
    const drawn = new MutationObserver(again);
    drawn.observe(place, { childList: true, subtree: true });
    setTimeout(() => drawn.disconnect(), REDRAWN_MS);
  };

  triage.on("action:missed", async ({ button }) => {
    if (sending) return;
    sending = true;
    const back = button.dataset.back !== undefined;
    const body = JSON.parse(button.dataset.event);
    const { status, data } = await triage.request("POST", back ? "/missed/take-back" : "/missed", { body });
    sending = false;
    if (status !== 200) {
      return triage.emit("trouble", { text: data ? data.detail : "Not stored.", remedy: data ? data.remedy : "" });
    }
    triage.emit("told", {
      text: back ? "Taken back: ordinary again." : "Reported as real: features of kind record count it.",
    });
    keepFocus(about(button));
    triage.setProps("page-tick", { data: Date.now() });
  });
})();
