import { parseArgs } from "node:util";
import { CarrierClient, type CarrierProject } from "./client.ts";
import type { CallView } from "./control-views.ts";
import type { CallRequest } from "./settings.ts";

/** How long after its beginning a call is listened to, and how often. */
const HEARD_MS = 4_000;
const POLL_MS = 100;

const usage = `A command line for the carrier.

  node test/carrier/cli.ts [--control URL] [--project ID] COMMAND

  call --from +15550100001 --to +15550100100 [--type phone|sip|webrtc]
       --url https://… | --cxml-url https://… | --context NAME
                          by a SWML or cXML document, or offered to a RELAY client; prints what the caller hears
  digits CALL_ID 1234     key digits
  hangup CALL_ID          end the call, as its caller would
  relay down|up           break RELAY: its connections are cut and refused, until it is up again
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
      const { type } = values;
      if (type !== "phone" && type !== "sip" && type !== "webrtc") {
        throw new Error(`--type is phone, sip or webrtc, not ${type}`);
      }
      const [from, to] = [address("--from"), address("--to")];
      const call = await project.placeCall({ from, to, type, ...wayIn() });
      console.log(JSON.stringify({ ...call, hears: await firstHeard(project, call.call_id) }));
      return;
    }
    case "digits":
      return project.digits(call_id, digits);
    case "hangup":
      return project.hangUp(call_id);
    case "relay":
      // What is broken is not healed by what connects again meanwhile: first the refusal, then the cut.
      if (call_id !== "down" && call_id !== "up") throw new Error("relay is followed by down or up");
      await project.change({ faults: call_id === "up" ? [] : [{ at: "connect", do: { kind: "refuse" } }] });
      if (call_id === "down") await project.sockets("drop");
      console.log(
        call_id === "down" ? "RELAY is out of reach." : "RELAY is up; clients come back within a minute.",
      );
      return;
    case "calls":
      for (const call of await project.calls()) {
        const hears = soundsOf(call);
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

/** The address that a call comes from or goes to, as SignalWire writes them. */
function address(option: "--from" | "--to"): string {
  const given = option === "--from" ? values.from : values.to;
  if (given === undefined) throw new Error("call needs --from and --to");
  if (/^\+[1-9][0-9]{5,14}$|^sips?:\S+$|^\/\S+$|^anonymous$/.test(given)) return given;
  throw new Error(
    `${option} takes a number such as +15550100001, a SIP address such as sip:alice@example.com, or anonymous; not ${JSON.stringify(given)}`,
  );
}

/** What the number that is called names: exactly one of three. */
function wayIn(): Pick<CallRequest, "url" | "cxml_url" | "context"> {
  const { url, "cxml-url": cxml_url, context } = values;
  const given = Object.entries({ url, cxml_url, context }).filter(([, value]) => value !== undefined);
  if (given.length === 1) return Object.fromEntries(given);
  throw new Error(
    "call needs one of --url, --cxml-url and --context: what is set at SignalWire for the number that is called",
  );
}

/** What the caller hears first, ringing apart: a question, music, the room. Empty if that takes too long. */
async function firstHeard(project: CarrierProject, call_id: string): Promise<string[]> {
  const until = Date.now() + HEARD_MS;
  for (;;) {
    const call = await project.call(call_id);
    const heard = soundsOf(call).filter((sound) => !sound.startsWith("ring"));
    if (heard.length > 0 || call.state === "ended" || Date.now() > until) return heard;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What a caller hears now; while nothing is heard, the words that were heard last. */
function soundsOf({ heard, state }: CallView): string[] {
  const now = heard.filter(({ to_ms }) => to_ms === null);
  const last = heard.filter(({ sound }) => sound === "say").slice(-1);
  const told = now.length > 0 || state === "ended" ? now : last;
  return told.map(({ sound, detail, to_ms }) => `${to_ms === null ? "" : "(before) "}${sound} ${detail}`);
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
