/* A first look around, on the demo only; it stops nothing and can be skipped. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const SEEN = "triage.tour";
  const STEPS = [
    {
      at: ".queue-grid",
      title: "What is worth a look comes first",
      text: "Each row is a cluster of odd events. J and K move the cursor; rows never move under it.",
    },
    {
      at: ".section-why",
      title: "Why it is here",
      text: "What pushed it towards odd, with the value seen and what is usual. Below: when it happened.",
    },
    {
      at: ".decision-bar .buttons",
      title: "One key decides",
      text: "R real, S spurious, and so on. Press S now if you like: Z takes it back, nothing is published for some seconds.",
    },
    {
      at: ".top-right",
      title: "It learns while you watch",
      text: "The line at the bottom says what your verdict changed. Ctrl+K finds everything, ? lists the keys.",
    },
  ];
  let step = 0;
  let away = false; // from the queue, of which it speaks, in the middle of it

  const box = () => triage.byId("tour");
  const light = (selector) => {
    for (const lit of document.querySelectorAll(".tour-lit")) lit.classList.remove("tour-lit");
    const target = selector && document.querySelector(selector);
    if (target) target.classList.add("tour-lit");
  };
  const show = () => {
    const { at, title, text } = STEPS[step];
    triage.byId("tour-title").textContent = title;
    triage.byId("tour-text").textContent = text;
    triage.byId("tour-step").textContent = `${step + 1} of ${STEPS.length}`;
    box().querySelector("[data-action='tour-next']").textContent = step === STEPS.length - 1 ? "Done" : "Next";
    light(at);
    triage.announce(`${title}. ${text}`);
  };
  const end = () => {
    light(null);
    if (box().open) box().close();
    localStorage.setItem(SEEN, "seen");
  };

  const queue = () => window.location.pathname === "/";
  const open = () => {
    away = false;
    if (!box().open) box().show();
    show();
    box().querySelector("[data-action='tour-next']").focus();
  };

  triage.startTour = () => {
    if (!queue()) triage.go("/");
    step = 0;
    open();
  };
  /** It goes when the queue is left, and is there again, where it was, when one comes back. */
  const follow = () => {
    if (queue() && away) open();
    else if (queue() && box().open) light(STEPS[step].at);
    else if (box().open) {
      away = true;
      light(null);
      box().close();
    }
  };
  triage.on("start", () => new MutationObserver(follow).observe(triage.byId("page"), { childList: true }));
  triage.on("action:tour-next", () => {
    step += 1;
    if (step < STEPS.length) show();
    else end();
  });
  triage.on("action:tour-end", end);
  triage.endTour = () => {
    if (!box().open) return false;
    end();
    return true;
  };

  triage.on("cursor", (row) => {
    const demo = document.querySelector(".frame").dataset.environment === "demo";
    if (row && demo && queue() && !localStorage.getItem(SEEN) && !box().open && !away) triage.startTour();
  });
})();
