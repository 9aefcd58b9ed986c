// The app's dialogs: the topmost view of the stack in front of one person.

import { append, h, icon, mint } from "./dom.js";
import { blocksOf, untold } from "./blocks.js";
import { plain } from "./text.js";

/** Draws the stack into the page's one <dialog>. `acts`: {surface(view, drafts), submit(view, values), close(whole)}. */
export function dialogs(dialog, acts) {
  let mark = "";
  let top = null;
  let trouble = "";
  let sending = false;
  const drafts = new Map();
  const typedIn = (view) => {
    if (!drafts.has(view.id)) drafts.set(view.id, new Map());
    return drafts.get(view.id);
  };

  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    void close(false);
  });

  async function close(whole) {
    trouble = await acts.close(whole) ?? "";
    if (trouble) draw();
  }

  async function submit() {
    if (sending) return;
    sending = true;
    trouble = "";
    draw();
    trouble = await acts.submit(top, untold(dialog, top, typedIn(top))) ?? "";
    sending = false;
    draw();
    dialog.querySelector("[aria-invalid=true], .has-error input")?.focus();
  }

  function draw() {
    if (!top) return;
    const view = top;
    const held = dialog.contains(document.activeElement) ? document.activeElement : null;
    const path = held?.closest("[data-focus]")?.dataset.focus;
    const caret = [held?.selectionStart, held?.selectionEnd];
    const scrolled = dialog.querySelector(".dialog-body")?.scrollTop ?? 0;
    const same = dialog.dataset.view === view.id;
    const titleId = "dialog-title";
    const form = h("form", { novalidate: true, class: "dialog-form", "aria-busy": sending || null },
      h("header", { class: "dialog-head" },
        view.previous_view_id && h("button", { type: "button", class: "icon-button", "aria-label": "Back", data: { focus: "back" }, on: { click: () => close(false) } }, icon("left")),
        h("h2", { id: titleId, tabindex: "-1" }, plain(view.title.text)),
        h("button", { type: "button", class: "icon-button", "aria-label": "Close", data: { focus: "cross" }, on: { click: () => close(true) } }, icon("close"))),
      trouble && h("p", { class: "dialog-trouble", role: "alert" }, icon("warn"), trouble),
      h("div", { class: "dialog-body", tabindex: "-1" }, blocksOf(view.blocks, acts.surface(view, typedIn(view)))),
      h("footer", { class: "dialog-foot" },
        h("span", { class: "dialog-by" }, acts.by()),
        h("button", { type: "button", class: "button", data: { focus: "close" }, on: { click: () => close(false) } }, plain(view.close?.text ?? (view.submit ? "Cancel" : "Close"))),
        view.submit && h("button", {
          type: "submit", class: "button is-primary", data: { focus: "submit" }, "aria-disabled": sending || null,
        }, plain(view.submit.text))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void submit();
    });
    dialog.replaceChildren(form);
    dialog.dataset.view = view.id;
    const again = path && form.querySelector(`[data-focus="${CSS.escape(path)}"]`);
    if (!dialog.open) dialog.showModal();
    const first = form.querySelector("[data-autofocus]")
      ?? form.querySelector(".b-input .field, .b-input .picker, .b-input input")
      ?? form.querySelector("h2");
    if (same && again) {
      again.focus({ preventScroll: true });
      if (typeof caret[0] === "number" && again.setSelectionRange && /^(text|search|url|tel|password|textarea)$/.test(again.type)) again.setSelectionRange(...caret);
    } else first.focus();
    if (same) form.querySelector(".dialog-body").scrollTop = scrolled;
  }

  return {
    /** Show the topmost view; an empty stack closes the dialog. */
    show(stack) {
      const view = stack.at(-1) ?? null;
      const wanted = view && JSON.stringify([view.id, view.hash, view.errors, stack.length]);
      const closed = top && !view;
      if (view && top && view.id !== top.id) trouble = "";
      top = view;
      if (!view) {
        mark = "";
        drafts.clear();
        trouble = "";
        if (dialog.open) dialog.close();
        dialog.replaceChildren();
        delete dialog.dataset.view;
        return closed;
      }
      if (wanted !== mark) {
        mark = wanted;
        draw();
      }
      return false;
    },
  };
}

/** A dialog of the page itself around `content`, closed with Esc or its cross. */
export function lookInside(title, ...content) {
  const titleId = mint("title");
  const box = h("dialog", { class: "dialog is-wide", "aria-labelledby": titleId },
    h("header", { class: "dialog-head" }, h("h2", { id: titleId }, title),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", on: { click: () => box.close() } }, icon("close"))),
    append(h("div", { class: "dialog-body", tabindex: "0" }), content));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}
