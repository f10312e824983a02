import { parseArgs } from "node:util";
import { startCarrier } from "./carrier.ts";

const usage = `A simulator of SignalWire on this machine: RELAY, REST, webhooks and callers.

  npm run carrier -- [--port 9600] [--project ID] [--token TOKEN] [--signing-key KEY]

  --port          what it listens on, on loopback alone; 0: any that is free
  --project       the id of the project that it starts with
  --token         that project's API token
  --signing-key   what that project's webhooks are signed with
  --help          this text

What is left out is made up. When it is ready it prints one line of JSON: the URLs of RELAY, REST and
the control API, and the project's credentials. It runs until SIGINT or SIGTERM.

Place calls, and see where they are: npx node test/carrier/cli.ts --help`;

function readFlags() {
  try {
    return parseArgs({
      options: {
        port: { type: "string", default: "9600" },
        project: { type: "string" },
        token: { type: "string" },
        "signing-key": { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}

const values = readFlags();
if (values.help) {
  console.log(usage);
  process.exit(0);
}

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
