"use strict";
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const stale = document.querySelector("[data-stale]");
  for (const time of document.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    const local = at.toLocaleString(document.documentElement.lang, {
      day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
    });
    if (zone !== "UTC") {
      time.append(` (${local})`);
    }
  }
  if (stale) {
    const until = new Date(stale.dataset.stale);
    const check = () => {
      if (Date.now() > until.getTime()) {
        stale.className = "banner stale";
        stale.textContent = "This copy is out of date. The true status may be another.";
      }
    };
    check();
    setInterval(check, 30000);
  }
})();
