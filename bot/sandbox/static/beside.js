// What is shown beside Slack: a line of welcome, the app's own pages, and the files that the app sent.

import { lookInside } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { keep, kept } from "./world.js";

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

const size = (bytes) => (bytes < 1024 ? `${bytes} bytes` : `${(bytes / 1024).toFixed(1)} kB`);

/** The files of a message; each opens as it was sent. */
export const filesOf = (files) => files.map((file) => h("button", {
  type: "button", class: "file", data: { focus: file.id }, "aria-label": `Open the file ${file.name}`,
  on: { click: () => lookInside(file.title, h("pre", { class: "file-text" }, file.content)) },
}, icon("page"), h("span", { class: "file-name" }, file.title), h("span", { class: "muted" }, `${file.name} · ${size(file.size)}`)));
