/* The browser's own drop-downs: the keys go on, and a callback hears of what is chosen. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});

  /* Who chose by hand goes on with the keys: left with the focus, a drop-down would take them for its own. */
  let byHand = null;
  document.addEventListener("pointerdown", ({ target }) => (byHand = target.closest(".filter select")));
  document.addEventListener("change", ({ target }) => {
    if (target === byHand) target.blur();
    const { store } = target.dataset; // of a callback's drop-down
    if (store) triage.setProps(store, { data: target.value });
  });
})();
