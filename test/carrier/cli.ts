import { parseArgs } from "node:util";
import { CarrierClient, type CarrierProject } from "./client.ts";

const usage = `A command line for the carrier.

  node test/carrier/cli.ts [--control URL] [--project ID] COMMAND

  call --from +15550100001 --to +15550100100 [--type phone|sip|webrtc]
       --url https://… | --cxml-url https://… | --context NAME
                          by a SWML or cXML document, or offered to a RELAY client
  digits CALL_ID 1234     key digits
  hangup CALL_ID          end the call, as its caller would
  calls                   every call: where it is, what its caller hears
  conferences             live conferences and who is in them
  journal                 everything that happened, one JSON object a line

--control is $CARRIER_CONTROL or http://127.0.0.1:9600/_carrier unless given; --project is $CARRIER_PROJECT or the only
project unless given.`;

const { CARRIER_CONTROL = "http://127.0.0.1:9600/_carrier", CARRIER_PROJECT } = process.env;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    control: { type: "string", default: CARRIER_CONTROL },
    project: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
    url: { type: "string" },
    "cxml-url": { type: "string" },
    context: { type: "string" },
    type: { type: "string", default: "phone" },
    help: { type: "boolean", default: false },
  },
});

const [command, call_id = "", digits = ""] = positionals;
if (command === undefined || values.help) {
  console.log(usage);
} else {
  try {
    await run(command, await theProject());
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

async function run(name: string, project: CarrierProject): Promise<void> {
  switch (name) {
    case "call": {
      const { from, to, url, "cxml-url": cxml_url, context, type } = values;
      if (from === undefined || to === undefined) throw new Error("call needs --from and --to");
      if (type !== "phone" && type !== "sip" && type !== "webrtc") {
        throw new Error(`--type is phone, sip or webrtc, not ${type}`);
      }
      const where = {
        ...(url === undefined ? {} : { url }),
        ...(cxml_url === undefined ? {} : { cxml_url }),
        ...(context === undefined ? {} : { context }),
      };
      console.log(JSON.stringify(await project.placeCall({ from, to, type, ...where })));
      return;
    }
    case "digits":
      return project.digits(call_id, digits);
    case "hangup":
      return project.hangUp(call_id);
    case "calls":
      for (const call of await project.calls()) {
        const hears = call.heard
          .filter(({ to_ms }) => to_ms === null)
          .map(({ sound, detail }) => `${sound} ${detail}`);
        const where = call.conference === null ? "in no conference" : `in ${call.conference}`;
        console.log(
          `${call.call_id}  ${call.from} → ${call.to}  ${call.state}, ${where}; hears ${hears.join(", ") || "nothing"}`,
        );
      }
      return;
    case "conferences":
      for (const { name, state, participants } of await project.conferences()) {
        console.log(`${name}  ${state}: ${participants.map((one) => one.call_id).join(", ")}`);
      }
      return;
    case "journal":
      for (const entry of await project.journal()) console.log(JSON.stringify(entry));
      return;
    default:
      throw new Error(`there is no command ${name}\n\n${usage}`);
  }
}

async function theProject(): Promise<CarrierProject> {
  const client = new CarrierClient(values.control);
  const project_id = values.project ?? CARRIER_PROJECT ?? (await onlyProject());
  // The control API asks for no credentials: it listens on loopback alone.
  return client.project({ project_id, token: "", signing_key: "" });
}

async function onlyProject(): Promise<string> {
  const response = await fetch(`${values.control}/projects`).catch(() => {
    throw new Error(`no carrier answers at ${values.control}: start one with npm run carrier`);
  });
  const ids: unknown = await response.json();
  if (!Array.isArray(ids) || ids.length !== 1) {
    throw new Error(`name a project with --project: there are ${JSON.stringify(ids)}`);
  }
  return String(ids[0]);
}
