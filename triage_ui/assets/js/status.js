/* The numbers of the frame, as the board's status tells them: place -> what is in it. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const shown = {};

  const isText = (node) => typeof node === "string" || node.nodeType === Node.TEXT_NODE;
  const textOf = (node) => (typeof node === "string" ? node : node.data);
  const fits = (old, wanted) => {
    if (isText(old) || isText(wanted)) return isText(old) && isText(wanted);
    return old.nodeName === wanted.nodeName && old.dataset.stream === wanted.dataset.stream;
  };

  /** Let a place hold these nodes; what stands there stays, with its focus or a click that has begun. */
  const fit = (place, wanted) => {
    const there = [...place.childNodes];
    wanted.forEach((node, index) => {
      const old = there[index];
      if (!old) place.append(node);
      else if (!fits(old, node)) old.replaceWith(node);
      else if (!isText(old)) {
        for (const { name, value } of node.attributes) {
          if (old.getAttribute(name) !== value) old.setAttribute(name, value);
        }
        fit(old, [...node.childNodes]);
      } else if (old.data !== textOf(node)) old.data = textOf(node);
    });
    for (const old of there.slice(wanted.length)) old.remove();
  };

  triage.on("drawn", (sent) => {
    if (sent.id !== "status") return;
    for (const [id, content] of Object.entries(JSON.parse(sent.dataset.drawn))) {
      const text = JSON.stringify(content);
      if (shown[id] === text) continue;
      shown[id] = text;
      fit(triage.byId(id), triage.nodes(content));
    }
  });
})();
