"use strict";
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const stale = document.querySelector("[data-stale]");
  // The page writes dates as in Britain; a page in another language has its own order.
  const language = document.documentElement.lang.replace(/^en$/, "en-GB");
  const day = { day: "numeric", month: "short" };
  const hour = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" };
  for (const time of document.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    const here = at.toLocaleDateString(language, day);
    const same = here === at.toLocaleDateString(language, { ...day, timeZone: "UTC" });
    if (zone !== "UTC") {
      const local = document.createElement("span");
      local.className = "local";
      local.textContent = at.toLocaleString(language, same ? hour : { ...day, ...hour });
      time.append(" ", local);
    }
  }
  if (stale) {
    const until = new Date(stale.dataset.stale);
    const check = () => {
      if (Date.now() > until.getTime()) {
        stale.className = "banner stale";
        stale.hidden = false;
        stale.textContent = "This copy is out of date. The true status may be another.";
      }
    };
    check();
    setInterval(check, 30000);
  }
})();
