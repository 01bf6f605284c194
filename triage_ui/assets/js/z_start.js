/* Begins when Dash has painted the page; says which one it is in the browser's tab. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.triage = {
    mountQueue: (id) => {
      triage.mountQueue(id);
      return window.dash_clientside.no_update;
    },
    mountCluster: (columns) => {
      triage.mountCluster(columns);
      return window.dash_clientside.no_update;
    },
    mountTabs: triage.mountTabs,
    pickedRange: triage.pickedRange,
  };

  const begin = () => {
    if (!triage.byId("page") || !window.dash_clientside.set_props) {
      setTimeout(begin, 20);
      return;
    }
    const product = document.title;
    const page = triage.byId("page");
    const title = () => (document.title = page.dataset.title ? `${page.dataset.title} · ${product}` : product);
    new MutationObserver(title).observe(page, { attributes: true, attributeFilter: ["data-title"] });
    title();
    triage.emit("start");
  };
  begin();
})();
