"use strict";
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const stale = document.querySelector("[data-stale]");
  // The words of the page are English, dated as in Britain; what is added here may be in another
  // language, and says so: a voice would read it wrongly.
  const language = document.documentElement.dataset.dates.replace(/^en$/, "en-GB");
  const day = { day: "numeric", month: "short" };
  const hour = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" };
  for (const time of document.querySelectorAll("time[data-local]")) {
    const at = new Date(time.dateTime);
    const here = at.toLocaleDateString(language, day);
    const same = here === at.toLocaleDateString(language, { ...day, timeZone: "UTC" });
    if (zone !== "UTC") {
      const local = document.createElement("span");
      local.className = "local";
      local.lang = language;
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
