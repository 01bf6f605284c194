/* Saved views: filters with a name, kept with the account. A view is a link like any other. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const OLD = "triage.views"; // where browsers kept them
  let views = [];

  const load = async () => {
    const { status, data } = await triage.request("GET", "/views");
    if (status !== 200) return;
    views = data.views.filter((one) => /^\/(\?|$)/.test(one.address));
    show();
  };
  const failed = (data) =>
    triage.emit("trouble", { text: data ? data.detail : "Refused.", remedy: data ? data.remedy : "" });
  const put = async (view) => {
    const { status, data } = await triage.request("POST", "/views", { body: view });
    if (status !== 200) failed(data);
    else await load();
    return status === 200;
  };
  const drop = async (view) => {
    const { status, data } = await triage.request("DELETE", "/views/" + encodeURIComponent(view.view_id));
    if (status !== 200 && status !== 404) return failed(data);
    await load();
  };

  const isMine = (view) => Boolean(triage.me) && view.owner === triage.me.name;
  const small = (className, text, label, work) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "view-button " + className;
    button.textContent = text;
    button.title = label;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", work);
    return button;
  };

  const entry = (view) => {
    const { name, address, shared, owner } = view;
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
    const whose = isMine(view) ? "" : `, shared by ${triage.visible(owner, 60)}`;
    link.title = triage.visible(name, 40) + whose;
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      triage.openAddress(address);
    });
    row.append(link);
    if (isMine(view)) {
      const title = shared ? `Shared with the team: keep ${name} to yourself` : `Share ${name} with the team`;
      const share = small("view-share", shared ? "◉" : "◎", title, () => put({ name, address, shared: !shared }));
      share.setAttribute("aria-pressed", String(shared));
      if (triage.me.role !== "viewer") row.append(share);
    }
    if (isMine(view) || triage.me?.role === "lead") {
      row.append(small("view-drop", "×", `Forget the view ${name}`, () => drop(view)));
    }
    return row;
  };

  const show = () => {
    const title = document.createElement("h2");
    title.className = "rail-title";
    title.textContent = "Views";
    triage.byId("rail-views").replaceChildren(...(views.length ? [title, ...views.map(entry)] : []));
  };

  const sheet = () => triage.byId("view-sheet");
  triage.on("action:save-view", () => {
    sheet().showModal();
    triage.byId("view-shared").checked = false;
    triage.byId("view-name").value = "";
    triage.byId("view-name").focus();
  });
  triage.on("action:view-cancel", () => sheet().close());
  const save = async () => {
    const name = triage.byId("view-name").value.trim().slice(0, 40);
    if (!name) return triage.announce("Give the view a name.");
    const shared = triage.byId("view-shared").checked;
    if (!(await put({ name, address: triage.filters.bare(), shared }))) return;
    sheet().close();
    triage.announce(`Saved as ${name}.`);
  };
  triage.on("action:view-save", save);
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "view-name" || event.key !== "Enter") return;
    event.preventDefault();
    save();
  });

  /* What this browser kept before goes to the account, once. */
  const moveOld = async () => {
    let old = [];
    try {
      old = JSON.parse(localStorage.getItem(OLD)) || [];
    } catch {
      /* nothing that can be read */
    }
    for (const { name, address } of old) {
      if (!(await put({ name: String(name).slice(0, 40), address: String(address), shared: false }))) return;
    }
    localStorage.removeItem(OLD);
  };

  triage.on("filters-shown", (narrow) => {
    if (triage.byId("save-view")) triage.setProps("save-view", { hidden: !narrow });
  });
  triage.on("signed-in", async () => {
    await moveOld();
    await load();
  });
  window.addEventListener("focus", () => triage.me && load());
})();
