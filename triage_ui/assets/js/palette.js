/* The command palette: pages, actions, saved views, clusters and entities behind one field. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const FOUND = 6;
  let shown = []; // {kind, text, under, run}
  let at = 0;
  let asked = 0;

  const sheet = () => triage.byId("palette");
  const field = () => triage.byId("palette-text");

  const pages = () =>
    [...document.querySelectorAll(".rail .rail-link")]
      .filter((link) => !link.hidden)
      .map((link) => ({
        kind: "Go to",
        text: link.querySelector(".name")?.textContent || link.textContent,
        run: () => link.click(),
      }));
  const act = (text, run, key) => ({ kind: "Do", text, under: key, run });
  const actions = () => {
    const always = [
      act("Switch between light and dark", () => triage.emit("action:theme", {})),
      act("Show and move the keys", () => triage.emit("action:keys", {}), "?"),
      act("Show the tour", () => triage.startTour()),
      act("Take the last verdict back", () => triage.undo(), "Z"),
    ];
    if (window.location.pathname === "/") {
      always.push(act("Save this view", () => triage.emit("action:save-view", {})));
      always.push(act("Show what is new", () => triage.showNew(), "N"));
    }
    if (triage.byId("subject")) {
      always.push(act("Assign this cluster to me", () => triage.assignToMe(), "A"));
      for (const kind of Object.keys(triage.words)) {
        const give = () => (kind === "expected" ? triage.askExpected() : triage.decide(kind));
        always.push(act(`Say ${triage.words[kind].toLowerCase()}`, give, kind === "pipeline_fault" ? "P" : ""));
      }
    }
    return always;
  };

  const fits = (text) => (one) =>
    text.toLowerCase().split(/\s+/).every((word) => one.text.toLowerCase().includes(word));

  const found = async (text) => {
    const query = new URLSearchParams({ text, status: "all", limit: FOUND });
    const [clusters, entities, cohorts] = await Promise.all([
      triage.request("GET", "/queue?" + query),
      triage.request("GET", "/entities?" + new URLSearchParams({ text, limit: FOUND })),
      triage.request("GET", "/cohorts?" + new URLSearchParams({ text, limit: FOUND })),
    ]);
    const ofClusters = (clusters.status === 200 ? clusters.data.rows : []).map((row) => ({
      kind: "Cluster",
      text: triage.visible(row.title, 90),
      under: triage.visible([row.stream, row.subtitle].filter(Boolean).join(" · "), 90),
      run: () => triage.go("/cluster/" + encodeURIComponent(row.cluster_id)),
    }));
    const inClusters = (one) => (one.clusters === 1 ? "1 cluster" : `${one.clusters} clusters`);
    const ofEntities = (entities.status === 200 ? entities.data.entities : []).map((one) => ({
      kind: "Entity",
      text: triage.visible(`${one.name} ${one.value}`, 90),
      under: inClusters(one),
      run: () => triage.go(triage.entityAddress(one.name, one.value)),
    }));
    const ofCohorts = (cohorts.status === 200 ? cohorts.data.cohorts : []).map((one) => ({
      kind: "Cohort",
      text: triage.visible(`${one.name} ${one.value}`, 90),
      under: inClusters(one),
      run: () => triage.openAddress("/?" + new URLSearchParams({ cohort: `${one.name}:${one.value}` })),
    }));
    return [...ofClusters, ...ofCohorts, ...ofEntities];
  };

  const refresh = async () => {
    const text = field().value.trim();
    const mine = ++asked;
    const own = [...pages(), ...actions()].filter(fits(text));
    show(text ? own : own.slice(0, 14));
    if (text.length < 2) return;
    const more = await found(text);
    if (mine === asked && sheet().open) show([...own, ...more]);
  };

  const show = (list) => {
    shown = list;
    at = Math.min(at, Math.max(0, list.length - 1));
    const place = triage.byId("palette-list");
    const options = list.map((one, index) => {
      const option = document.createElement("div");
      option.id = "palette-option-" + index;
      option.setAttribute("role", "option");
      const kind = document.createElement("span");
      kind.className = "palette-kind";
      kind.textContent = one.kind;
      const words = document.createElement("bdi");
      words.textContent = one.text;
      const under = document.createElement("span");
      under.className = "under";
      under.textContent = one.under || "";
      option.append(kind, words, under);
      option.addEventListener("click", () => run(index));
      return option;
    });
    if (!options.length) {
      const nothing = document.createElement("div");
      nothing.setAttribute("role", "option");
      nothing.setAttribute("aria-disabled", "true");
      nothing.textContent = "Nothing fits.";
      options.push(nothing);
    }
    place.replaceChildren(...options);
    mark();
  };

  const mark = () => {
    const options = [...triage.byId("palette-list").children];
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    field().setAttribute("aria-activedescendant", shown.length ? "palette-option-" + at : "");
    if (options[at]) options[at].scrollIntoView({ block: "nearest" });
  };

  const run = (index) => {
    const one = shown[index];
    sheet().close();
    if (one) one.run();
  };

  triage.openPalette = () => {
    if (sheet().open) return sheet().close();
    if (document.querySelector("dialog[open]:not(#tour)")) return;
    at = 0;
    sheet().showModal();
    field().value = "";
    field().focus();
    setTimeout(refresh);
  };
  triage.on("action:palette", triage.openPalette);

  const later = triage.throttle(150, refresh);
  document.addEventListener("input", (event) => {
    if (event.target.id !== "palette-text") return;
    at = 0;
    later();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      return triage.openPalette();
    }
    if (event.target.id !== "palette-text" || !sheet().open) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      at = (at + by + shown.length) % Math.max(1, shown.length);
      mark();
    }
    if (event.key === "Enter") {
      event.preventDefault();
      run(at);
    }
  });
})();
