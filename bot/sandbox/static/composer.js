// The box for writing: commands, messages, and their completion.

import { h, icon, menuButton, mint } from "./dom.js";

const MOST_SUGGESTIONS = 8;

/** A composer. `offers()` → {commands, people, channels, shortcuts}; `send(text)` posts or commands. */
export function composer({ id, label, placeholder, draft, offers, send, shortcut = null, refusal = "" }) {
  if (refusal) return h("div", { class: "composer is-closed", id, tabindex: "-1" }, h("p", {}, refusal));
  const [listId, hintId] = ["suggestions", "usage"].map(mint);
  const box = h("textarea", {
    class: "composer-box", rows: "1", "aria-label": label, placeholder, "aria-autocomplete": "list", "aria-controls": listId,
    "aria-describedby": hintId, autocomplete: "off", spellcheck: "true", id: `${id}-box`, data: { focus: id },
  });
  box.value = draft.text ?? "";
  const list = h("ul", { role: "listbox", id: listId, class: "suggestions", "aria-label": "Suggestions", hidden: true });
  const hint = h("p", { id: hintId, class: "usage", hidden: true });
  const button = h("button", { type: "button", class: "send", "aria-label": "Send" }, icon("send"));
  let found = [];
  let active = 0;

  const grow = () => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 240)}px`;
  };
  const fold = () => {
    found = [];
    list.hidden = true;
    box.removeAttribute("aria-activedescendant");
  };
  const point = (at) => {
    active = at;
    [...list.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === at)));
    if (list.children[at]) box.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const take = (at) => {
    const { start, insert } = found[at];
    const end = box.selectionStart;
    box.setRangeText(`${insert} `, start, end, "end");
    draft.text = box.value;
    fold();
    look();
    box.focus();
  };
  const look = () => {
    grow();
    button.classList.toggle("is-ready", Boolean(box.value.trim()));
    found = suggestions(box.value.slice(0, box.selectionStart), offers()).slice(0, MOST_SUGGESTIONS);
    list.replaceChildren(...found.map((each, at) => h("li", {
      role: "option", id: `${listId}-${at}`, class: "suggestion",
      on: { pointerdown: (event) => { event.preventDefault(); take(at); }, pointermove: () => active !== at && point(at) },
    }, h("strong", {}, each.text), each.hint && h("code", { class: "suggestion-hint" }, each.hint), each.detail && h("span", { class: "menu-detail" }, each.detail))));
    list.hidden = !found.length;
    if (found.length) point(0);
    else fold();
    const command = offers().commands.find(({ name }) => box.value.startsWith(`${name} `));
    hint.hidden = !command;
    hint.replaceChildren(...(command ? [h("strong", {}, command.name), " ", command.usage_hint || command.description] : []));
  };
  const go = () => {
    const text = box.value.trim();
    if (!text) return;
    box.value = draft.text = "";
    look();
    send(text);
  };
  box.addEventListener("input", () => {
    draft.text = box.value;
    look();
  });
  box.addEventListener("blur", fold);
  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const chosen = found[active];
    // The word is complete already, so Enter sends.
    const complete = chosen && chosen.insert === box.value.slice(chosen.start);
    if (found.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      point((active + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length);
    } else if (found.length && ((event.key === "Enter" && !complete) || (event.key === "Tab" && !event.shiftKey))) {
      event.preventDefault();
      take(active);
    } else if (found.length && event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      fold();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      go();
    }
  });
  button.addEventListener("click", () => {
    go();
    box.focus();
  });
  const { shortcuts } = offers();
  const node = h("div", { class: "composer", id, tabindex: "-1" }, list, hint,
    h("div", { class: "composer-frame" }, box, h("div", { class: "composer-tools" },
      shortcut && shortcuts.length > 0 && menuButton({ class: "tool", "aria-label": "Shortcuts", title: "Shortcuts" }, icon("bolt"), () => shortcuts.map((each) => ({
        text: each.name, detail: each.description, run: () => shortcut(each),
      }))), h("span", { class: "composer-help", "aria-hidden": "true" }, shortcut ? "/ for commands" : ""), button)));
  requestAnimationFrame(look);
  return node;
}

/** Completions of the word before the caret: `{text, insert, start, hint, detail}`. */
function suggestions(before, { commands, people, channels }) {
  if (/^\/\S*$/.test(before)) {
    return commands.filter(({ name }) => name.startsWith(before.toLowerCase())).map(({ name, usage_hint: hint, description }) => ({
      text: name, insert: name, start: 0, hint, detail: description,
    }));
  }
  const word = /(?:^|\s)([@#])([\w.-]*)$/.exec(before);
  if (!word) return [];
  const [, sign, typed] = word;
  const start = before.length - typed.length - 1;
  const wanted = typed.toLowerCase();
  return (sign === "@" ? people : channels)
    .filter(({ name, detail }) => name.startsWith(wanted) || (wanted && detail?.toLowerCase().split(" ").some((part) => part.startsWith(wanted))))
    .map(({ name, detail }) => ({ text: sign + name, insert: sign + name, start, detail }));
}
