/* Saved views: filters with a name, kept in this browser. A view is a link like any other. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const KEY = "triage.views";
  const MOST = 20;

  const load = () => {
    try {
      const views = JSON.parse(localStorage.getItem(KEY)) || [];
      return views.filter((one) => typeof one.name === "string" && /^\/(\?|$)/.test(one.address));
    } catch {
      return [];
    }
  };
  const keep = (views) => {
    localStorage.setItem(KEY, JSON.stringify(views.slice(-MOST)));
    show();
  };

  const entry = ({ name, address }) => {
    const row = document.createElement("div");
    row.className = "view-row";
    const link = document.createElement("a");
    link.className = "rail-link";
    link.href = address;
    link.dataset.view = name;
    const words = document.createElement("span");
    words.className = "name";
    words.textContent = triage.visible(name, 40);
    link.append(words);
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      triage.openAddress(address);
    });
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "view-drop";
    drop.textContent = "×";
    drop.setAttribute("aria-label", `Forget the view ${name}`);
    drop.addEventListener("click", () => keep(load().filter((one) => one.name !== name)));
    row.append(link, drop);
    return row;
  };

  const show = () => {
    const views = load();
    const title = document.createElement("h2");
    title.className = "rail-title";
    title.textContent = "Views";
    triage.byId("rail-views").replaceChildren(...(views.length ? [title, ...views.map(entry)] : []));
  };

  const sheet = () => triage.byId("view-sheet");
  triage.on("action:save-view", () => {
    sheet().showModal();
    triage.clearField(triage.byId("view-name"));
    triage.byId("view-name").focus();
  });
  triage.on("action:view-cancel", () => sheet().close());
  const save = () => {
    const name = triage.byId("view-name").value.trim().slice(0, 40);
    if (!name) return triage.announce("Give the view a name.");
    const views = load().filter((one) => one.name !== name);
    keep(views.concat({ name, address: triage.filters.bare() }));
    sheet().close();
    triage.announce(`Saved as ${name}.`);
  };
  triage.on("action:view-save", save);
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "view-name" || event.key !== "Enter") return;
    event.preventDefault();
    save();
  });

  triage.on("filters-shown", (narrow) => {
    if (triage.byId("save-view")) triage.setProps("save-view", { hidden: !narrow });
  });
  triage.on("start", show);
  window.addEventListener("storage", (event) => event.key === KEY && show());
})();
