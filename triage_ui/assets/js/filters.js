/* Filters live in the address, so a link shows what its sender saw. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const DEFAULTS = { status: "open", stream: "", order: "worth", text: "", entity: "", feature: "", cohort: "", assignee: "" };
  const NARROW = ["status", "stream", "text", "entity", "feature", "cohort", "assignee"]; // an order hides nothing
  let values = { ...DEFAULTS };
  let wanted = "";

  const fromAddress = () => {
    const query = new URLSearchParams(window.location.search);
    wanted = query.get("cluster") || "";
    const read = {};
    for (const name of Object.keys(DEFAULTS)) read[name] = query.get(name) || DEFAULTS[name];
    return read;
  };

  const address = (cluster) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(values)) {
      if (value !== DEFAULTS[name]) query.set(name, value);
    }
    if (cluster) query.set("cluster", cluster);
    const text = query.toString();
    return "/" + (text ? "?" + text : "");
  };

  const showControls = () => {
    for (const name of ["status", "stream", "order"]) {
      triage.setProps("filter-" + name, { value: values[name] });
    }
    showCohorts();
    triage.setProps("search", { value: values.text });
    markRail();
    showChips();
    triage.emit("filters-shown", JSON.stringify(values) !== JSON.stringify(DEFAULTS));
  };

  /*
   * The drop-down of cohorts: there where the store knows any. They are asked for when the first rows
   * stand, which they are not to delay; the one that the address names is among them in any case.
   */
  const MOST_COHORTS = 100;
  const COHORTS_MS = 60000; // between two looks for others
  let askedAt = -Infinity;
  let cohorts = [];
  const showCohorts = () => {
    const spelt = (one) => `${one.name}:${one.value}`;
    const named = values.cohort && !cohorts.some((one) => spelt(one) === values.cohort);
    const options = cohorts.map((one) => ({
      value: spelt(one),
      label: triage.visible(`${one.name} ${one.value}`, 60),
    }));
    if (named) options.push({ value: values.cohort, label: triage.visible(values.cohort.replace(":", " "), 60) });
    triage.setProps("filter-cohort-frame", { hidden: !options.length });
    triage.setProps("filter-cohort", {
      data: [{ value: "", label: "all" }, ...options],
      value: values.cohort,
    });
  };
  triage.on("cursor", async () => {
    if (performance.now() - askedAt < COHORTS_MS) return;
    askedAt = performance.now();
    const { status, data } = await triage.request("GET", `/cohorts?limit=${MOST_COHORTS}`);
    if (status !== 200) return;
    cohorts = data.cohorts;
    if (triage.byId("filter-cohort-frame")) showCohorts();
  });

  /* Filters that have no field of their own are named, each with the way out. */
  const showChips = () => {
    const place = triage.byId("filter-chips");
    if (!place) return;
    const chips = ["entity", "feature"].filter((name) => values[name]).map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "filter-chip";
      const value = document.createElement("bdi");
      value.textContent = triage.visible(values[name], 40);
      button.append(`${name} `, value, " ×");
      button.setAttribute("aria-label", `Drop the filter ${name} ${value.textContent}`);
      button.addEventListener("click", () => triage.filters.set({ [name]: "" }));
      return button;
    });
    place.replaceChildren(...chips);
  };

  const markRail = () => {
    for (const link of document.querySelectorAll(".rail-link")) {
      const { status, stream, page, assignee } = link.dataset;
      const path = window.location.pathname;
      const shown = assignee
        ? assignee === values.assignee
        : (status === values.status && !values.assignee) || Boolean(values.stream && stream === values.stream);
      const here = page ? path === page || path.startsWith(page + "/") : path === "/" && shown;
      if (here) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  };
  triage.on("start", () => {
    const rail = document.querySelector(".rail");
    new MutationObserver(markRail).observe(rail, { childList: true, subtree: true });
    new MutationObserver(markRail).observe(triage.byId("page"), { childList: true });
    markRail();
  });

  triage.filters = {
    query: (more) => {
      const query = new URLSearchParams(more);
      for (const [name, value] of Object.entries(values)) if (value) query.set(name, value);
      return query.toString();
    },
    named: () => {
      const named = {};
      for (const name of NARROW) if (values[name] !== DEFAULTS[name]) named[name] = values[name];
      return named;
    },
    cluster: () => wanted,
    /** Write the cursor into the address. */
    remember: (cluster) => {
      wanted = cluster || "";
      if (window.location.pathname === "/") window.history.replaceState({}, "", address(cluster));
    },
    /** Read the address; tell whether the filters differ from those shown. */
    read: () => {
      const read = fromAddress();
      const differs = JSON.stringify(read) !== JSON.stringify(values);
      values = read;
      showControls();
      if (differs) triage.emit("filters");
    },
    set: (changed) => {
      const next = { ...values, ...changed };
      const away = window.location.pathname !== "/";
      if (JSON.stringify(next) === JSON.stringify(values)) return away && triage.go(address(wanted));
      values = next;
      wanted = "";
      if (away) {
        triage.emit("filters");
        return triage.go(address(""));
      }
      window.history.replaceState({}, "", address(""));
      showControls();
      triage.emit("filters");
    },
    address: () => address(wanted),
    /** The address of these filters, whatever the cursor is on. */
    bare: () => address(""),
  };

  /** Go to an address of the queue, also from the queue itself. */
  triage.openAddress = (target) => {
    if (window.location.pathname !== "/") return triage.go(target);
    window.history.pushState({}, "", target);
    triage.filters.read();
  };

  for (const name of ["status", "stream", "order", "cohort"]) {
    triage[name + "Changed"] = (value) => {
      if (value !== null && value !== undefined) triage.filters.set({ [name]: value });
      return window.dash_clientside.no_update;
    };
  }

  triage.streamOptions = (streams) =>
    [{ value: "", label: "all" }].concat(
      (streams || []).map(({ name }) => ({ value: name, label: triage.visible(name, 60) })),
    );

  triage.on("action:clear-filters", () => triage.filters.set({ ...DEFAULTS, order: values.order }));

  triage.on("navigate", ({ link, address: target }) => {
    const { stream, status, assignee } = link.dataset;
    if (assignee !== undefined) return triage.filters.set({ status: "open", assignee });
    if (stream !== undefined) return triage.filters.set({ stream: values.stream === stream ? "" : stream });
    if (status !== undefined) return triage.filters.set({ status, assignee: "" });
    triage.go(link.dataset.action === "back" ? triage.filters.address() : target);
  });

  const search = triage.throttle(200, (text) => triage.filters.set({ text: text.slice(0, 200).trim() }));
  document.addEventListener("input", (event) => {
    if (event.target.id === "search") search(event.target.value);
  });
  window.addEventListener("popstate", () => {
    if (window.location.pathname === "/" && triage.byId("queue-grid")) triage.filters.read();
  });
})();
