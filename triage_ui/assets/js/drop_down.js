/* The drop-downs that callbacks hear of: what is chosen goes into the store that they name. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});

  document.addEventListener("change", ({ target }) => {
    const { store } = target.dataset;
    if (store) triage.setProps(store, { data: target.value });
  });
})();
