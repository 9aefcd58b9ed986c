// What is shown beside Slack: a line of welcome, the app's own pages, and the files that the app sent.

import { lookInside } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { keep, kept } from "./world.js";

// A page that follows Slack is read again this long after a change, and now and then: time alone may change it, too.
const SOON_MILLISECONDS = 600;
const ANEW_MILLISECONDS = 15000;
// A narrower window has no room for both.
const BOTH = 1100;

/** Draws `words` at the top of the page, until they are dismissed in this tab. */
export function greet(bar, words) {
  const seen = kept(sessionStorage, "welcome", "") === words;
  bar.hidden = !words || seen;
  if (bar.hidden || bar.dataset.words === words) return;
  bar.dataset.words = words;
  bar.replaceChildren(h("p", {}, words), h("button", {
    type: "button", class: "icon-button", "aria-label": "Close the welcome", on: { click: () => {
      keep(sessionStorage, "welcome", words);
      bar.hidden = true;
    } },
  }, icon("close")));
}

/** The app's own page of this name. It runs no scripts and loads nothing. */
export const framed = (name) => h("iframe", { class: "beside", title: name, src: `/beside/${encodeURIComponent(name)}` });

/** The pane of a page on the app's own server, which follows every change. The page runs no scripts there. */
export function dock({ pane, columns, redraw }) {
  let shown = null;
  let soon = null;

  const again = () => pane.querySelector("iframe")?.contentWindow.location.reload();

  function open(name, address) {
    shown = name;
    keep(sessionStorage, "dock", true);
    pane.hidden = false;
    columns.classList.add("shows-dock");
    pane.setAttribute("aria-label", name);
    pane.replaceChildren(
      h("header", { class: "pane-head" }, h("h2", { tabindex: "-1" }, name),
        h("a", { class: "icon-button", href: address, target: "_blank", rel: "noopener", "aria-label": `Open ${name} in a window` }, icon("link")),
        h("button", { type: "button", class: "icon-button", "aria-label": `Close ${name}`, on: { click: close } }, icon("close"))),
      framed(name));
    redraw();
  }

  function close() {
    shown = null;
    keep(sessionStorage, "dock", false);
    pane.hidden = true;
    columns.classList.remove("shows-dock");
    pane.replaceChildren();
    redraw();
  }

  setInterval(() => { if (shown) again(); }, ANEW_MILLISECONDS);
  return {
    shows: (name) => shown === name,
    toggle: (name, address) => (shown === name ? close() : open(name, address)),
    /** Opens the first of `pages` if there is room, and nobody closed it in this tab. */
    begin: (pages) => {
      if (pages.length && innerWidth >= BOTH && kept(sessionStorage, "dock", true)) open(...pages[0]);
    },
    follow: () => {
      clearTimeout(soon);
      soon = setTimeout(again, SOON_MILLISECONDS);
    },
  };
}

const size = (bytes) => (bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024).toFixed(1)} kB`);

/** The files of a message; each opens as it was sent. */
export const filesOf = (files) => files.map((file) => h("button", {
  type: "button", class: "file", data: { focus: file.id }, "aria-label": `Open the file ${file.name}`,
  on: { click: () => lookInside(file.title, h("pre", { class: "file-text" }, file.content)) },
}, icon("page"), h("span", { class: "file-name" }, file.title), h("span", { class: "muted" }, `${file.name} · ${size(file.size)}`)));
