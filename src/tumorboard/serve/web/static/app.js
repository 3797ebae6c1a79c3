// Keys, theme and row selection. Pages work without it; nothing here talks to any server.
"use strict";
(() => {
  const root = document.documentElement;
  let chosen = null;

  const rows = () => [...document.querySelectorAll("tr[data-study]")];
  const current = () => document.querySelector("[data-study].chosen") || document.querySelector("div[data-study]");

  function choose(row) {
    for (const other of document.querySelectorAll("tr.chosen")) other.classList.remove("chosen");
    if (!row) return;
    chosen = row.dataset.study;
    row.classList.add("chosen");
    const link = row.querySelector("a.open");
    if (link) link.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.classList.contains("chosen"));
    choose(all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + by))]);
  }

  function go(kind) {
    const row = current();
    const where = row && row.dataset[kind];
    if (!where) return;
    if (kind === "room" && !document.querySelector('a[href^="/room/"]') && row.tagName === "DIV") return;
    location.assign(where);
  }

  function theme() {
    const next = root.dataset.theme === "light" ? "dark" : "light";
    root.dataset.theme = next;
    try { localStorage.setItem("theme", next); } catch { /* barred */ }
  }

  function keys() {
    const dialog = document.getElementById("keys");
    if (dialog.open) dialog.close(); else dialog.showModal();
  }

  const deeds = {
    j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1),
    r: () => go("room"), p: () => go("patient"), w: () => location.assign("/worklist"), t: theme, "?": keys,
    "/": () => { const box = document.getElementById("text"); if (box) { box.focus(); box.select(); } },
  };

  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest("input, select, textarea, [contenteditable], [data-own-keys]");
    if (event.key === "Escape" && busy && busy.id === "text") busy.blur();
    if (busy || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const arrow = event.key.startsWith("Arrow");
    if (arrow && !document.querySelector("tr.chosen")) return;
    const deed = deeds[event.key];
    if (deed) { event.preventDefault(); deed(); }
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button) ({ theme, keys })[button.dataset.do]();
  });

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("tr[data-study]");
    if (row && !row.classList.contains("chosen") && event.target.matches("a.open")) choose(row);
  });

  document.addEventListener("dblclick", (event) => {
    const row = event.target.closest("tr[data-open]");
    if (row && !event.target.closest("a, button, input")) location.assign(row.dataset.open);
  });

  document.addEventListener("htmx:afterSwap", () => {
    const row = chosen && document.querySelector(`tr[data-study="${CSS.escape(chosen)}"]`);
    if (row && (document.activeElement === document.body || document.activeElement === null)) choose(row);
    else if (row) row.classList.add("chosen");
  });
})();
