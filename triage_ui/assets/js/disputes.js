/* Two readers who disagree: an analyst's word waits for a lead, a lead's replaces the verdict. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  const about = (verdict) => `/verdicts/${encodeURIComponent(verdict.verdict_id)}`;

  triage.canDisagree = (kind, standing) => {
    const { name, role } = triage.me || {};
    if (standing.kind === kind || standing.actor === name) return false;
    return role === "lead" || (role === "analyst" && kind !== "unsure");
  };

  triage.disagree = (entry, standing) =>
    triage.me.role === "lead" ? overrule(entry, standing) : dispute(entry, standing);

  /* The verdict that stands is taken back, the own one given. */
  const overrule = async (entry, standing) => {
    const body = { reason: "overruled" };
    const { status, data } = await triage.request("POST", about(standing) + "/undo", { body, key: triage.newKey() });
    const now = await triage.request("GET", `/clusters/${encodeURIComponent(entry.cluster)}?members=0`);
    if (status !== 200 || now.status !== 200) return triage.refused(entry, status === 200 ? now.data : data);
    triage.giveAgain(entry, now.data.row.revision);
  };

  const dispute = async (entry, standing) => {
    const body = { kind: entry.kind, read: entry.body.read, reason: entry.body.reason || "" };
    const { status, data } = await triage.request("POST", about(standing) + "/dispute", { body, key: triage.newKey() });
    if (status !== 201) return failed(data);
    const word = triage.words[data.kind].toLowerCase();
    triage.emit("told", {
      text: `You say ${word}: a lead decides. Until then the verdict of ${triage.visible(standing.actor, 60)} stands.`,
      open: data.cluster_id,
      back: { text: "withdraw", work: () => settle(data.dispute_id) },
    });
  };

  const settle = async (id) => {
    const path = `/disputes/${encodeURIComponent(id)}/settle`;
    const { status, data } = await triage.request("POST", path, { body: {}, key: triage.newKey() });
    if (status !== 200) return failed(data);
    triage.emit("told", { text: data.state === "withdrawn" ? "Withdrawn: the verdict stands." : "The verdict stands." });
  };
  triage.on("action:settle-dispute", ({ button }) => settle(button.dataset.dispute));

  const failed = (data) =>
    triage.emit("trouble", { text: data ? data.detail : "Refused.", remedy: data ? data.remedy : "" });
})();
