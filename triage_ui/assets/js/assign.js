/* "A": I take care of it; again: nobody does. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});

  triage.assignToMe = async () => {
    const subject = triage.byId("subject");
    if (!subject || !triage.me) return;
    const { cluster, assignee, title } = subject.dataset;
    const next = assignee === triage.me.name ? null : triage.me.name;
    const path = `/clusters/${encodeURIComponent(cluster)}/assignee`;
    const { status, data } = await triage.request("POST", path, { body: { assignee: next } });
    if (status !== 200) {
      return triage.emit("trouble", { text: `Not assigned: ${data ? data.detail : status}`, title });
    }
    const before = assignee && next && assignee !== next ? `, it was ${triage.visible(assignee, 40)}'s` : "";
    triage.emit("told", { text: next ? `Assigned to you${before}` : "Nobody's now" });
  };
  triage.on("action:assign", triage.assignToMe);
})();
