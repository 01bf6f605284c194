/* Filters live in the address, so a link shows what its sender saw. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const DEFAULTS = { status: "open", stream: "", order: "worth", text: "", entity: "", feature: "", cohort: "", assignee: "" };
  const NARROW = ["status", "stream", "text", "entity", "feature", "cohort", "assignee"]; // an order hides nothing
  let wanted = "";

  const fromAddress = () => {
    const query = new URLSearchParams(window.location.search);
    wanted = query.get("cluster") || "";
    const read = {};
    for (const name of Object.keys(DEFAULTS)) read[name] = query.get(name) || DEFAULTS[name];
    return read;
  };
  // The frame can be used before the queue is there.
  let values = window.location.pathname === "/" ? fromAddress() : { ...DEFAULTS };

  const address = (cluster) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(values)) {
      if (value !== DEFAULTS[name]) query.set(name, value);
    }
    if (cluster) query.set("cluster", cluster);
    const text = query.toString();
    return "/" + (text ? "?" + text : "");
  };

  /** Offer these in a drop-down, and what the address names, whatever that is; choose that. */
  const offer = (name, options) => {
    const field = triage.byId("filter-" + name);
    if (!field) return;
    const named = values[name] && !options.some(({ value }) => value === values[name]);
    const all = [{ value: "", label: "all" }, ...options];
    if (named) all.push({ value: values[name], label: triage.visible(values[name].replace(":", " "), 60) });
    if (JSON.stringify(all) !== field.dataset.offered) {
      field.dataset.offered = JSON.stringify(all);
      field.replaceChildren(...all.map(({ value, label }) => new Option(label, value)));
    }
    field.value = values[name];
  };

  const showControls = () => {
    for (const name of ["status", "order"]) {
      const field = triage.byId("filter-" + name);
      if (field) field.value = values[name];
    }
    showStreams();
    showCohorts();
    const search = triage.byId("search");
    if (search.value.trim() !== values.text) search.value = values.text; // a space ends a word still typed
    markRail();
    showChips();
    triage.emit("filters-shown", JSON.stringify(values) !== JSON.stringify(DEFAULTS));
  };

  /* The streams are those of the rail. */
  const showStreams = () => {
    const names = [...document.querySelectorAll(".rail-link[data-stream]")].map((link) => link.dataset.stream);
    offer("stream", names.map((name) => ({ value: name, label: triage.visible(name, 60) })));
  };

  /*
   * The drop-down of cohorts: there where the store knows any. They are asked for when the first rows
   * stand, which they are not to delay.
   */
  const MOST_COHORTS = 100;
  const COHORTS_MS = 60000; // between two looks for others
  let askedAt = -Infinity;
  let cohorts = [];
  const showCohorts = () => {
    const options = cohorts.map(({ name, value }) => ({
      value: `${name}:${value}`,
      label: triage.visible(`${name} ${value}`, 60),
    }));
    const frame = triage.byId("filter-cohort-frame");
    if (frame) frame.hidden = !options.length && !values.cohort;
    offer("cohort", options);
  };
  triage.on("cursor", async () => {
    if (performance.now() - askedAt < COHORTS_MS) return;
    askedAt = performance.now();
    const { status, data } = await triage.request("GET", `/cohorts?limit=${MOST_COHORTS}`);
    if (status !== 200) return;
    cohorts = data.cohorts;
    showCohorts();
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
    const follow = () => {
      markRail();
      showStreams();
    };
    new MutationObserver(follow).observe(rail, { childList: true, subtree: true });
    new MutationObserver(markRail).observe(triage.byId("page"), { childList: true });
    follow();
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

  document.addEventListener("change", ({ target }) => {
    if (!target.matches("select[id^='filter-']")) return;
    triage.filters.set({ [target.id.slice("filter-".length)]: target.value });
  });

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
