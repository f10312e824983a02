import { parseArgs } from "node:util";
import { startCarrier } from "./carrier.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "9600" },
    project: { type: "string" },
    token: { type: "string" },
    "signing-key": { type: "string" },
  },
});

const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`--port must be a number from 0 to 65535 (0: any that is free), not ${values.port}`);
  process.exit(2);
}

const carrier = await startCarrier(port);
// Without flags a demo project; the line is how whoever started the carrier learns its credentials.
const project = carrier.world.create({
  ...(values.project === undefined ? {} : { project_id: values.project }),
  ...(values.token === undefined ? {} : { token: values.token }),
  ...(values["signing-key"] === undefined ? {} : { signing_key: values["signing-key"] }),
});
console.log(
  JSON.stringify({
    ready: true,
    port: carrier.port,
    relay: carrier.relay,
    rest: carrier.rest,
    control: carrier.control,
    project_id: project?.project_id,
    token: project?.token,
    signing_key: project?.signing_key,
  }),
);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    carrier.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
