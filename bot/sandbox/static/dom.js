// How nodes are made and kept. Texts of people and of the app become text nodes: nothing in these files
// parses a string as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element. Props: `on` (listeners), `data` (data-*), `style` (custom properties), anything else is an
 * attribute; true is an empty attribute, false, null and undefined are none. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  dress(node, props);
  append(node, children);
  return node;
}

function dress(node, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (name === "data") {
      Object.assign(node.dataset, value);
    } else if (name === "style") {
      for (const [property, given] of Object.entries(value)) node.style.setProperty(property, given);
    } else {
      node.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

export function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false && child !== "") node.append(child);
  }
  return node;
}

const ICONS = {
  bolt: "M9 1.5 3.5 9H7l-1 5.5L12.5 7H9z",
  close: "M4 4l8 8M12 4l-8 8",
  dots: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  down: "M4 6.5 8 10.5l4-4",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
  hash: "M6.2 2 5 14M11 2 9.8 14M2.5 5.8h11.3M2.2 10.2h11.3",
  left: "M10 3.5 5.5 8l4.5 4.5",
  link: "M6.5 9.5l3-3M7.5 4.5 9 3a2.8 2.8 0 0 1 4 4l-1.5 1.5M8.5 11.5 7 13a2.8 2.8 0 0 1-4-4l1.5-1.5",
  lock: "M3.5 7h9v6.5h-9zM5.5 7V4.8a2.5 2.5 0 0 1 5 0V7",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  moon: "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z",
  page: "M4 1.5h5.5L13 5v9.5H4zM9.5 1.5V5H13M6 8h5M6 10.5h5",
  chart: "M2 14h12M4 14V9M8 14V3M12 14V6.5",
  pulse: "M1.5 8h3l2-5 3 10 2-5h3",
  reply: "M2.5 3h11v8H7l-3 2.5V11H2.5z",
  send: "M2.5 13.5 14 8 2.5 2.5l1.2 4.3L9 8l-5.3 1.2z",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  auto: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 2v12M9 5h3.6M9 8h5M9 11h3.6",
  warn: "M8 2 1.5 13.5h13zM8 6.5v3.5M8 12h.01",
};

/** A line drawing of 16 by 16 in the colour of the text around it, hidden from screen readers. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({
    viewBox: "0 0 16 16", class: `icon icon-${name}`, "aria-hidden": "true", focusable: "false",
  })) drawing.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

const TEETH = 8;

/** The app's picture: a ratchet wheel, whose teeth let it turn one way only. */
export function wheel() {
  const points = [];
  for (let tooth = 0; tooth < TEETH; tooth += 1) {
    const start = (tooth / TEETH) * 2 * Math.PI - Math.PI / 2;
    const end = ((tooth + 1) / TEETH) * 2 * Math.PI - Math.PI / 2;
    points.push([start, 6.6], [end, 4.6]);
  }
  const at = ([angle, radius]) => `${(8 + radius * Math.cos(angle)).toFixed(2)} ${(8 + radius * Math.sin(angle)).toFixed(2)}`;
  const drawing = icon("dots");
  drawing.setAttribute("class", "icon wheel");
  drawing.firstChild.setAttribute("d", `M${points.map(at).join("L")}zM8 5.9a2.1 2.1 0 1 0 0 4.2 2.1 2.1 0 0 0 0-4.2z`);
  return drawing;
}

/** Make `parent` hold one node for each of `items`, `{key, mark, make}`, in their order. A node with the
 * same `mark` is kept, and with it focus, scroll position and open menus. */
export function reconcile(parent, items) {
  const before = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let cursor = parent.firstElementChild;
  for (const item of items) {
    const old = before.get(item.key);
    before.delete(item.key);
    let node = old;
    if (!old || old.mark !== item.mark) {
      node = item.make(old);
      node.dataset.key = item.key;
      node.mark = item.mark;
      if (old) {
        if (cursor === old) cursor = node;
        swap(old, node);
      }
    }
    if (node === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(node, cursor);
  }
  for (const node of before.values()) node.remove();
}

/** Put `fresh` where `old` is; the focus goes to the same control in it, or to the nearest one. */
export function swap(old, fresh) {
  const held = old.contains(document.activeElement) ? document.activeElement : null;
  const path = held?.closest("[data-focus]")?.dataset.focus;
  const [from, to] = [held?.selectionStart, held?.selectionEnd];
  old.replaceWith(fresh);
  if (!held) return;
  const again = path && fresh.querySelector(`[data-focus="${CSS.escape(path)}"]`);
  const heir = again || fresh.querySelector("[data-focus]") || fresh;
  heir.focus({ preventScroll: true });
  if (again && typeof from === "number" && again.setSelectionRange) {
    try {
      again.setSelectionRange(from, to);
    } catch {
      // Dates and numbers have no caret to put back.
    }
  }
}

let numbers = 0;

/** An id, for labels and descriptions to point at. */
export function mint(word) {
  numbers += 1;
  return `${word}-${numbers}`;
}

// --- popups: one at a time, closed by Esc, by a click elsewhere, by a choice ---

let open = null;

document.addEventListener("pointerdown", (event) => {
  if (open && !open.popup.contains(event.target) && !open.anchor.contains(event.target)) open.close();
}, true);
window.addEventListener("resize", () => open?.close());
document.addEventListener("scroll", (event) => {
  if (open && !open.popup.contains(event.target)) place(open.anchor, open.popup);
}, true);

/** Show `popup` beside `anchor` until `close` is called, which calls `onclose`. */
export function unfold(anchor, popup, onclose = () => {}) {
  open?.close();
  popup.setAttribute("popover", "manual");
  anchor.after(popup);
  popup.showPopover();
  place(anchor, popup);
  anchor.setAttribute("aria-expanded", "true");
  const close = ({ refocus = false } = {}) => {
    if (open?.popup !== popup) return;
    open = null;
    anchor.setAttribute("aria-expanded", "false");
    popup.remove();
    onclose();
    if (refocus) anchor.focus({ preventScroll: true });
  };
  open = { anchor, popup, close };
  return close;
}

function place(anchor, popup) {
  if (!anchor.isConnected) return;
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popup;
  const [most, deep] = [document.documentElement.clientWidth, document.documentElement.clientHeight];
  const below = box.bottom + 4 + height <= deep || box.top < height + 4;
  popup.style.left = `${Math.max(4, Math.min(box.left, most - width - 4))}px`;
  popup.style.top = `${Math.max(4, below ? Math.min(box.bottom + 4, deep - height - 4) : box.top - height - 4)}px`;
}

/** A button that opens a menu. `entries()` gives `{text, detail, href, run}`; it is called when the menu opens. */
export function menuButton(props, children, entries) {
  const button = h("button", { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", ...props }, children);
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-expanded") === "true") open?.close({ refocus: true });
    else unfoldMenu(button, entries());
  });
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" || button.getAttribute("aria-expanded") === "true") return;
    event.preventDefault();
    button.click();
  });
  return button;
}

function unfoldMenu(button, entries) {
  let close;
  const items = entries.map((entry) => h(
    entry.href ? "a" : "button",
    {
      role: "menuitem", tabindex: "-1", class: "menu-item",
      ...(entry.href ? { href: entry.href, target: "_blank", rel: "noopener noreferrer" } : { type: "button" }),
      on: { click: () => { close({ refocus: true }); entry.run?.(); } },
    },
    h("span", { class: "menu-text" }, entry.text),
    entry.detail && h("span", { class: "menu-detail" }, entry.detail),
  ));
  const name = button.getAttribute("aria-label") || button.textContent;
  const menu = h("div", { role: "menu", class: "popup menu", "aria-label": name }, items);
  menu.addEventListener("keydown", (event) => {
    const now = items.indexOf(document.activeElement);
    const goes = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: items.length - 1 }[event.key];
    if (goes !== undefined) {
      event.preventDefault();
      items[(goes + items.length) % items.length].focus();
    } else if (event.key === "Escape") {
      // Otherwise the same key would close the dialog around it as well.
      event.preventDefault();
      event.stopPropagation();
      close({ refocus: true });
    } else if (event.key === "Tab") {
      close({ refocus: true });
    } else if (event.key.length === 1) {
      const found = items.find((item) => item.textContent.toLowerCase().startsWith(event.key.toLowerCase()));
      found?.focus();
    }
  });
  close = unfold(button, menu);
  items[0]?.focus();
}

const FEW_OPTIONS = 7;

/** A button that opens a list of options, with a search box for a long or external list.
 *
 * `options`: `[{value, text, detail, group}]`; `search(query)` (optional) fetches them instead, from
 * `least` characters on. `chosen`: values. `onchoose(values, options, query)` is called at once in a
 * single select, and when the list closes in a multi-select. */
export function picker({
  name, placeholder, options = [], search = null, least = 0, chosen = [], texts = {}, many = false, empty = null,
  focus, invalid = null, described = null, onchoose,
}) {
  const known = new Map([...options.map((option) => [option.value, option.text]), ...Object.entries(texts)]);
  let values = [...chosen];
  const shown = h("span", { class: "picker-value" });
  const button = h("button", {
    type: "button", class: "picker", "aria-haspopup": "listbox", "aria-expanded": "false",
    "aria-invalid": invalid, "aria-describedby": described, data: focus ? { focus } : {},
  }, shown, icon("down"));
  const draw = () => {
    const words = values.map((value) => known.get(value) ?? value).join(", ");
    const seen = words || placeholder;
    shown.textContent = seen;
    shown.classList.toggle("is-empty", !words);
    button.setAttribute("aria-label", seen === name ? name : `${name}: ${seen}`);
  };
  draw();
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-expanded") === "true") open?.close({ refocus: true });
    else unfoldList();
  });
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    button.click();
  });

  function unfoldList() {
    const listId = mint("list");
    const list = h("ul", {
      role: "listbox", id: listId, class: "options", "aria-label": name, "aria-multiselectable": many || null, tabindex: "-1",
    });
    const sought = search || options.length > FEW_OPTIONS;
    const box = h("input", {
      type: "text", class: "picker-search", role: "combobox", "aria-expanded": "true", "aria-controls": listId,
      "aria-autocomplete": "list", "aria-label": `Find in ${name}`, autocomplete: "off", spellcheck: "false",
      placeholder: search && least ? `Type at least ${least} characters` : "Type to find",
    });
    const popup = h("div", { class: "popup picker-popup" }, sought && box, list);
    const driver = sought ? box : list;
    let offered = [];
    let active = -1;
    let query = "";
    const before = JSON.stringify(values);
    const close = unfold(button, popup, () => {
      if (many && JSON.stringify(values) !== before) onchoose(values, offered, query);
    });
    popup.style.minWidth = `${button.offsetWidth}px`;

    const point = (index) => {
      active = index;
      [...list.querySelectorAll("[role=option]")].forEach((node, at) => node.classList.toggle("is-active", at === index));
      const node = list.querySelectorAll("[role=option]")[index];
      if (node) {
        driver.setAttribute("aria-activedescendant", node.id);
        node.scrollIntoView({ block: "nearest" });
      } else driver.removeAttribute("aria-activedescendant");
    };
    const fill = (found, remark = "Nothing found") => {
      offered = found;
      for (const option of found) known.set(option.value, option.text);
      let group = null;
      const rows = [];
      found.forEach((option, at) => {
        if (option.group && option.group !== group) {
          group = option.group;
          rows.push(h("li", { role: "presentation", class: "options-group" }, group));
        }
        rows.push(h("li", {
          role: "option", id: `${listId}-${at}`, class: "option", "aria-selected": String(values.includes(option.value)),
          on: { click: () => choose(at), pointermove: () => active !== at && point(at) },
        }, h("span", {}, option.text), option.detail && h("span", { class: "menu-detail" }, option.detail)));
      });
      if (!rows.length) rows.push(h("li", { role: "presentation", class: "options-group" }, remark));
      list.replaceChildren(...rows);
      const start = found.findIndex((option) => values.includes(option.value));
      point(found.length ? Math.max(0, start) : -1);
      place(button, popup);
    };
    const choose = (at) => {
      const option = offered[at];
      if (!option) return;
      if (many) {
        values = values.includes(option.value) ? values.filter((value) => value !== option.value) : [...values, option.value];
        draw();
        list.querySelectorAll("[role=option]").forEach((node, index) => {
          node.setAttribute("aria-selected", String(values.includes(offered[index].value)));
        });
        return;
      }
      values = option.value === null ? [] : [option.value];
      draw();
      close({ refocus: true });
      onchoose(values, offered, query);
    };
    const seek = async () => {
      query = box.value;
      const wanted = query.trim().toLowerCase();
      if (!search) {
        fill(options.filter((option) => option.text.toLowerCase().includes(wanted)));
        return;
      }
      if (query.length < least) {
        fill([], `Type at least ${least} characters`);
        return;
      }
      const asked = query;
      const found = await search(query);
      if (box.value === asked && popup.isConnected) fill(found.options, found.remark);
    };
    popup.addEventListener("keydown", (event) => {
      const last = offered.length - 1;
      const goes = {
        ArrowDown: Math.min(active + 1, last), ArrowUp: Math.max(active - 1, 0),
        ...(sought ? {} : { Home: 0, End: last }),
      }[event.key];
      if (goes !== undefined) {
        event.preventDefault();
        point(goes);
      } else if (event.key === "Enter" || (event.key === " " && !sought)) {
        event.preventDefault();
        choose(active);
      } else if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        close({ refocus: true });
      } else if (event.key === "Tab") {
        close({ refocus: true });
      } else if (!sought && event.key.length === 1) {
        const at = offered.findIndex((option) => option.text.toLowerCase().startsWith(event.key.toLowerCase()));
        if (at >= 0) point(at);
      }
    });
    box.addEventListener("input", () => void seek());
    if (search) void seek();
    else fill(empty ? [empty, ...options] : options);
    driver.focus({ preventScroll: true });
  }
  return button;
}

/** Ask before something is done: Block Kit's confirm object, or our own words. Resolves to a boolean. */
export function ask({ title = "Are you sure?", body, yes = "Yes", no = "Cancel", danger = false }) {
  return new Promise((resolve) => {
    const titleId = mint("title");
    const box = h("dialog", { class: "dialog confirm", "aria-labelledby": titleId },
      h("header", { class: "dialog-head" }, h("h2", { id: titleId }, title)),
      h("div", { class: "dialog-body" }, body),
      h("footer", { class: "dialog-foot" },
        h("button", { type: "button", class: "button", on: { click: () => box.close("no") } }, no),
        h("button", {
          type: "button", class: danger ? "button is-danger" : "button is-primary", on: { click: () => box.close("yes") },
        }, yes)));
    box.addEventListener("close", () => {
      box.remove();
      resolve(box.returnValue === "yes");
    });
    document.body.append(box);
    box.showModal();
  });
}
