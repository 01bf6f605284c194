/* The tabs of a cluster's page. The chosen one lives in the address, so a link opens it. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const wanted = () => new URLSearchParams(window.location.search).get("tab");
  const tabs = () => [...document.querySelectorAll("#cluster-tabs [role='tab']")];
  const first = () => tabs()[0].dataset.tab;
  const there = (name) => tabs().some((tab) => tab.dataset.tab === name);

  /** A link to a tab leads to it also where the screen ends above it. */
  const reveal = () => {
    const frame = triage.byId("cluster-tabs");
    if (frame && wanted()) frame.scrollIntoView({ block: "nearest" });
  };
  triage.on("subject", () => wanted() && setTimeout(reveal, 600));

  const show = (name) => {
    for (const tab of tabs()) {
      const chosen = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      triage.byId("tab-" + tab.dataset.tab).hidden = !chosen;
    }
  };

  /** Called by Dash when the tabs have come to the page: show the one that the address names. */
  triage.mountTabs = () => {
    const name = there(wanted()) ? wanted() : first();
    show(name);
    return name;
  };

  const isChosen = (name) => !triage.byId("tab-" + name).hidden;
  const choose = (name) => {
    if (isChosen(name)) return; // made anew, it would forget what was picked or moved in it
    show(name);
    triage.setProps("chosen-tab", { data: name });
    if (name === (wanted() || first())) return;
    const query = new URLSearchParams(window.location.search);
    query.set("tab", name);
    window.history.replaceState({}, "", `${window.location.pathname}?${query}`);
  };

  /** Choose a tab from a script. */
  triage.showTab = (name) => there(name) && choose(name);

  document.addEventListener("click", ({ target }) => {
    const tab = target.closest("#cluster-tabs [role='tab']");
    if (tab) choose(tab.dataset.tab);
  });

  /* As a row of tabs is moved in everywhere, by the ARIA authoring practices. */
  const STEPS = { ArrowRight: 1, ArrowLeft: -1 };
  document.addEventListener("keydown", (event) => {
    const here = event.target.closest && event.target.closest("#cluster-tabs [role='tab']");
    if (!here || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const all = tabs();
    const ends = { Home: all[0], End: all[all.length - 1] };
    const step = STEPS[event.key];
    const next = step ? all[(all.indexOf(here) + step + all.length) % all.length] : ends[event.key];
    if (!next) return;
    event.preventDefault();
    next.focus();
    choose(next.dataset.tab);
  });
})();
