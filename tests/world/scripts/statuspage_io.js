"use strict";
// Prints what npm's statuspage.io reads at an address: each of its answers by name.
const { Statuspage } = require("statuspage.io");

const client = new Statuspage("acme");
client.setApiUrl(process.argv[2]);

(async () => {
  const { api } = client;
  console.log(
    JSON.stringify({
      status: await api.getStatus(),
      summary: await api.getSummary(),
      components: await api.getComponents(),
      incidents: await api.incidents.getAll(),
      unresolved: await api.incidents.getUnresolved(),
      maintenances: [
        await api.scheduledMaintenances.getAll(),
        await api.scheduledMaintenances.getUpcoming(),
        await api.scheduledMaintenances.getActive(),
      ],
    }),
  );
})();
