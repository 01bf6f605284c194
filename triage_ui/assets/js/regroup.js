/* Members that leave a cluster, and clusters that become one. The server decides; this asks it. */
(() => {
  "use strict";

  const triage = (window.triage = window.triage || {});
  let picked = new Set();

  const subject = () => triage.byId("subject");
  const post = (what, body) =>
    triage.request("POST", `/clusters/${encodeURIComponent(subject().dataset.cluster)}/${what}`, {
      body: { revision: Number(subject().dataset.revision), ...body },
      key: triage.newKey(),
    });
  const failed = (data) =>
    triage.emit("trouble", { text: data ? data.detail : "Refused.", remedy: data ? data.remedy : "" });

  triage.isPicked = (candidate) => picked.has(candidate);
  triage.dropPicks = () => {
    picked = new Set();
    showPicked();
  };

  const showPicked = () => {
    const button = triage.byId("split-button");
    if (!button) return;
    const many = picked.size;
    triage.setProps("split-button", {
      disabled: many === 0,
      children: many > 1 ? `Split off ${many} members` : "Exclude",
    });
    triage.setProps("picked", {
      children: many ? `${many} picked: they become a cluster of their own.` : "",
    });
  };

  document.addEventListener("change", (event) => {
    const id = event.target.dataset && event.target.dataset.pick;
    if (!id) return;
    if (event.target.checked) picked.add(id);
    else picked.delete(id);
    showPicked();
  });

  const done = (text, cluster) => {
    triage.dropPicks();
    triage.emit("regrouped");
    triage.emit("told", { text, open: cluster });
  };

  triage.on("action:split", async () => {
    if (!subject() || !picked.size) return;
    const many = picked.size;
    const { status, data } = await post("split", { members: [...picked] });
    if (status !== 201) return failed(data);
    done(many > 1 ? `${many} members are a cluster of their own` : "The member is a cluster of its own", data.other);
  });

  const sheet = () => triage.byId("merge-sheet");
  const into = async (other) => {
    sheet().close();
    const { status, data } = await post("merge", { into: other.cluster_id, into_revision: other.revision });
    if (status !== 201) return failed(data);
    triage.go("/cluster/" + encodeURIComponent(data.other));
    done("Merged: this cluster has the members of both", "");
  };

  const choice = (other) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "choice";
    const title = document.createElement("bdi");
    title.textContent = triage.visible(other.title, 120);
    const under = document.createElement("span");
    under.className = "under";
    const shared = other.shared ? `${other.shared} ${other.shared === 1 ? "entity" : "entities"} in common` : "";
    const facts = [`${other.size} members`, triage.utc(other.last_time), other.same_reasons ? "same reasons" : "", shared];
    under.textContent = facts.filter(Boolean).join(" · ");
    button.append(title, under);
    button.addEventListener("click", () => into(other));
    return button;
  };

  triage.on("action:merge", async () => {
    if (!subject()) return;
    const path = `/clusters/${encodeURIComponent(subject().dataset.cluster)}/alike`;
    const { status, data } = await triage.request("GET", path);
    if (status !== 200) return failed(data);
    const choices = data.clusters.map(choice);
    if (!choices.length) {
      const nothing = document.createElement("p");
      nothing.textContent = "No open cluster of this stream has the same reasons or an entity in common.";
      choices.push(nothing);
    }
    triage.byId("merge-choices").replaceChildren(...choices);
    sheet().showModal();
  });
  triage.on("action:merge-cancel", () => sheet().close());
})();
